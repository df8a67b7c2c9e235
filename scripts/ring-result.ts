/** What a ring of tests came to, and how vitest's report is counted into it. */
import { readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { projectRoot, seconds } from './run-command.ts';

export interface RingResult {
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly note: string;
}

/** The part that we read of what `vitest --reporter=json` writes; times in milliseconds. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly unknown[];
  }[];
}

export const reports = join(projectRoot, '.cache/reports');
/** Escape sequences are for a person at a terminal, not for the file that a CI run writes. */
export const plainOutput: NodeJS.ProcessEnv = process.stdout.isTTY ? {} : { NO_COLOR: '1' };
export const none = { passed: 0, failed: 0, skipped: 0 };

/** A skipped ring counts as one skipped test, so that the last line never hides it. */
export const skippedRing = (note: string): RingResult => ({ ...none, state: 'skipped', skipped: 1, note });
export const failedRing = (note: string): RingResult => ({ ...none, state: 'failed', failed: 1, note });

/** The argv, without Node, that runs one project of vitest and writes its report; an old report is removed first. */
export function vitestArguments(project: string, report: string, files: readonly string[] = []): readonly string[] {
  const path = join(reports, `${report}.json`);
  rmSync(path, { force: true });
  const program = [join(projectRoot, 'node_modules/vitest/vitest.mjs'), 'run', '--project', project, ...files];
  return [...program, '--configLoader=native', '--reporter=default', '--reporter=json', `--outputFile.json=${path}`];
}

function readReport(name: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(join(reports, `${name}.json`), 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}

/** @param code what vitest, or the sandbox or guest around it, ended with */
export function resultOf(code: number, name: string): RingResult {
  const report = readReport(name);
  if (report === undefined) return failedRing(`exit code ${code} and no report`);
  const { numPassedTests: passed, numFailedTests: failed } = report;
  const counts = { passed, failed, skipped: report.numPendingTests + report.numTodoTests };
  if (code !== 0 && failed === 0)
    return { ...counts, state: 'failed', failed: 1, note: `exit code ${code}: see above` };
  if (passed + failed === 0) return failedRing('no test ran');
  return { ...counts, state: failed === 0 ? 'passed' : 'failed', note: '' };
}

/** One line a test file: its result, its time and how many tests it has. */
export function fileLines(name: string): readonly string[] {
  return (readReport(name)?.testResults ?? []).map((file) => {
    const columns = [file.status.padEnd(8), seconds(file.endTime - file.startTime).padStart(8)];
    const tests = `${String(file.assertionResults.length).padStart(4)} tests`;
    return `${columns.join(' ')} ${tests}  ${relative(projectRoot, file.name)}`;
  });
}

/** Several runs of one ring as one result: it failed when one failed, and passed when something passed. */
export function mergeResults(results: readonly RingResult[]): RingResult {
  const sum = (key: 'passed' | 'failed' | 'skipped'): number => results.reduce((total, each) => total + each[key], 0);
  const state = (['failed', 'passed'] as const).find((wanted) => results.some((each) => each.state === wanted));
  const notes = results.map(({ note }) => note).filter((note) => note !== '');
  const counts = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
  return { ...counts, state: state ?? 'skipped', note: notes.join('; ') };
}
