/**
 * docs/conformance.md from the rows: npm run conformance [-- REPORT.json…]
 *
 * The tests of the unit ring that rows name are run; those of other rings are looked up in the JSON reports of vitest that
 * are given (`--reporter=json --outputFile=REPORT.json`). A row whose test is not there, was skipped or failed is an error.
 * With --check nothing runs: every named test must be in its file, and the page up to date. With --page it is only written.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot, runCommand } from '../../scripts/run-command.ts';
import { conformancePage } from './conformance-page.ts';
import { readReport, type TestOutcome } from './report.ts';
import { areas } from './rows/areas.ts';
import { caseFile, missingIn, type TestReference, testReference } from './test-reference.ts';

const page = join(projectRoot, 'docs/conformance.md');
const references = areas.flatMap(({ rows }) =>
  rows.flatMap(({ id, tests }) => tests.map((test) => ({ id, test, ...testReference(test) }))),
);

const complain = (problems: readonly string[]): void => {
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = 1;
};

function staticProblems(): readonly string[] {
  const ids = areas.flatMap(({ rows }) => rows.map(({ id }) => id));
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `row ${id} is there twice`);
  return [
    ...twice,
    ...references.flatMap(({ id, test, ...reference }) =>
      missingIn(reference).map((why) => `row ${id}: "${test}": ${why}`),
    ),
  ];
}

async function unitOutcomes(): Promise<readonly TestOutcome[]> {
  const files = new Set(references.map(({ file }) => file).filter((file) => !isOtherRing(file)));
  const directory = mkdtempSync(join(tmpdir(), 'moored-conformance-'));
  try {
    const report = join(directory, 'unit.json');
    const vitest = ['node', 'node_modules/vitest/vitest.mjs', 'run', '--project', 'unit'];
    const { stderr } = await runCommand([...vitest, '--reporter=json', `--outputFile=${report}`, ...files]);
    if (stderr !== '') process.stderr.write(stderr);
    return readReport(report);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function isOtherRing(file: string): boolean {
  return file.startsWith('integration/') && file !== caseFile;
}

/** What a report says about a test that a row names; a file that no report has was not run. */
function verdict({ file, title }: TestReference, outcomes: readonly TestOutcome[]): string {
  const inFile = outcomes.filter((outcome) => outcome.file === file);
  if (inFile.length === 0) return 'not run';
  const found = inFile.filter((outcome) => matches(outcome.fullName, title));
  if (found.length === 0) return 'no test of this title was run';
  return found.find(({ status }) => status !== 'passed')?.status ?? 'passed';
}

/** A title as it is in the source has %s or $word where the report has a value. */
function matches(fullName: string, title: string): boolean {
  const parts = title.split(/%[sdjo]|\$\w+/);
  return parts.every((part) => fullName.includes(part));
}

const reports = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const text = conformancePage(areas);
if (process.argv.includes('--check')) {
  complain(staticProblems());
  if (readFileSync(page, 'utf8') !== text) complain(['docs/conformance.md is not up to date: npm run docs']);
} else if (process.argv.includes('--page')) {
  writeFileSync(page, text);
} else {
  const outcomes = [...(await unitOutcomes()), ...reports.flatMap(readReport)];
  const verdicts = references.map((reference) => ({ ...reference, verdict: verdict(reference, outcomes) }));
  const failed = verdicts.filter((each) => each.verdict !== 'passed' && each.verdict !== 'not run');
  complain([...staticProblems(), ...failed.map((each) => `row ${each.id}: "${each.test}": ${each.verdict}`)]);
  writeFileSync(page, text);
  const count = (wanted: string) => verdicts.filter((each) => each.verdict === wanted).length;
  process.stdout.write(
    `${count('passed')} passed, ${count('not run')} of other rings not run, ${failed.length} failed\n`,
  );
}
