/**
 * The rings of tests, from what needs nothing to what needs most; what scripts/test runs after its set-up:
 *   node scripts/test-rings.ts [check|unit|sandbox|container]…
 * A ring that this host cannot run is reported as skipped with the reason. The last line counts all of them.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { containerArguments } from './container.ts';
import { containerObstacle, podmanObstacle, sandboxObstacle } from './obstacles.ts';
import { projectRoot, runCommand, seconds } from './run-command.ts';

interface RingResult {
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly note: string;
}

/** The part that we read of what `vitest --reporter=json` writes. */
interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

const reports = join(projectRoot, '.cache/reports');
/** Escape sequences are for a person at a terminal, not for the file that a CI run writes. */
const plainOutput = process.stdout.isTTY ? {} : { NO_COLOR: '1' };
const none = { passed: 0, failed: 0, skipped: 0 };

/** A skipped ring counts as one skipped test, so that the last line never hides it. */
const skippedRing = (note: string): RingResult => ({ ...none, state: 'skipped', skipped: 1, note });
const failedRing = (note: string): RingResult => ({ ...none, state: 'failed', failed: 1, note });

function readReport(path: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}

function resultOf(code: number, report: VitestReport | undefined): RingResult {
  if (report === undefined) return failedRing(`exit code ${code} and no report`);
  const { numPassedTests: passed, numFailedTests: failed } = report;
  const counts = { passed, failed, skipped: report.numPendingTests + report.numTodoTests };
  if (code !== 0 && failed === 0)
    return { ...counts, state: 'failed', failed: 1, note: `exit code ${code}: see above` };
  if (passed + failed === 0) return failedRing('no test ran');
  return { ...counts, state: failed === 0 ? 'passed' : 'failed', note: '' };
}

/** Runs one project of vitest, below `prefix`, and reads its counts. */
async function vitest(ring: string, project: string, prefix: readonly string[]): Promise<RingResult> {
  const report = join(reports, `${ring}.json`);
  rmSync(report, { force: true });
  const node = join(projectRoot, 'node_modules/.bin/node');
  const program = [node, join(projectRoot, 'node_modules/vitest/vitest.mjs'), 'run', '--project', project];
  const reporters = ['--configLoader=native', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { code } = await runCommand([...prefix, ...program, ...reporters], { inherit: true, env: plainOutput });
  return resultOf(code, readReport(report));
}

const inSandbox = [join(projectRoot, 'node_modules/.bin/node'), 'scripts/in-sandbox.ts'];

async function checkRing(): Promise<RingResult> {
  const { code } = await runCommand(['node', 'scripts/check.ts'], { inherit: true });
  return code === 0 ? { ...none, state: 'passed', note: 'all gates' } : failedRing('see the gates above');
}

async function sandboxRing(): Promise<RingResult> {
  const obstacle = sandboxObstacle();
  return obstacle === undefined ? vitest('sandbox', 'sandbox', inSandbox) : skippedRing(obstacle);
}

async function containerRing(): Promise<RingResult> {
  const missing = await podmanObstacle();
  if (missing !== undefined) return skippedRing(missing);
  const runArguments = await containerArguments();
  const obstacle = await containerObstacle(runArguments);
  if (obstacle !== undefined) return skippedRing(obstacle);
  return vitest('container', 'sandbox', ['podman', 'run', ...runArguments, ...inSandbox]);
}

const rings: Readonly<Record<string, () => Promise<RingResult>>> = {
  check: checkRing,
  unit: () => vitest('unit', 'unit', []),
  sandbox: sandboxRing,
  container: containerRing,
};

async function runRings(names: readonly string[]): Promise<readonly RingResult[]> {
  const rows: string[] = [];
  const results: RingResult[] = [];
  for (const name of names) {
    process.stdout.write(`\n== ${name}\n`);
    const start = performance.now();
    const result = (await rings[name]?.()) ?? failedRing('no such ring');
    const { state, passed, failed, skipped, note } = result;
    const counts = [passed, failed, skipped].map((count) => String(count).padStart(8)).join('');
    rows.push(
      `${name.padEnd(10)} ${state.padEnd(8)} ${seconds(performance.now() - start).padStart(8)}${counts}  ${note}`,
    );
    results.push(result);
  }
  process.stdout.write(`\nRING       RESULT       TIME  PASSED  FAILED SKIPPED\n${rows.join('\n')}\n\n`);
  return results;
}

const sum = (results: readonly RingResult[], key: 'passed' | 'failed' | 'skipped'): number =>
  results.reduce((total, result) => total + result[key], 0);

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name in rings));
if (unknown.length > 0) {
  process.stderr.write(`No ring "${unknown.join(' ')}": there are ${Object.keys(rings).join(' ')}\n`);
  process.exitCode = 2;
} else {
  mkdirSync(reports, { recursive: true });
  const results = await runRings(names.length > 0 ? names : Object.keys(rings));
  process.exitCode = results.some(({ state }) => state === 'failed') ? 1 : 0;
  process.stdout.write(
    `${sum(results, 'passed')} passed, ${sum(results, 'failed')} failed, ${sum(results, 'skipped')} skipped\n`,
  );
}
