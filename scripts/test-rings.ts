/**
 * The rings of tests, from what needs nothing to what needs most; what scripts/test runs after its set-up:
 *   node scripts/test-rings.ts [check|unit|model|fuzz|sandbox|reliability|container|vm]…
 * A ring that this host cannot run is reported as skipped with the reason. The last line counts all of them.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { containerArguments } from './container.ts';
import { vmRing } from './guest/vm-ring.ts';
import { containerObstacle, podmanObstacle, sandboxObstacle } from './obstacles.ts';
import {
  failedRing,
  none,
  plainOutput,
  type RingResult,
  reports,
  resultOf,
  skippedRing,
  vitestArguments,
} from './ring-result.ts';
import { projectRoot, runCommand, seconds } from './run-command.ts';

/** Runs one project of vitest, below `prefix`, and reads its counts. */
async function vitest(ring: string, project: string, prefix: readonly string[]): Promise<RingResult> {
  const node = join(projectRoot, 'node_modules/.bin/node');
  const argv = [...prefix, node, ...vitestArguments(project, ring)];
  const { code } = await runCommand(argv, { inherit: true, env: plainOutput });
  return resultOf(code, ring);
}

const inSandbox = [join(projectRoot, 'node_modules/.bin/node'), 'scripts/in-sandbox.ts'];

async function checkRing(): Promise<RingResult> {
  const { code } = await runCommand(['node', 'scripts/check.ts'], { inherit: true });
  return code === 0 ? { ...none, state: 'passed', note: 'all gates' } : failedRing('see the gates above');
}

/** Seconds: enough for some thousand manifests and some hundred crowds of clients. */
const fuzzSeconds = 40;

/** From one seed: whether a change passes is not left to chance. `npm run fuzz` takes another one each time. */
async function fuzzRing(): Promise<RingResult> {
  const node = join(projectRoot, 'node_modules/.bin/node');
  const options = ['--seconds', `${fuzzSeconds}`, '--seed', '1'];
  const { code, stdout, stderr } = await runCommand([node, 'integration/fuzz/fuzz.ts', ...options]);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  const counts = stdout.split('\n').filter((line) => line.endsWith(' findings'));
  const note = counts.map((line) => line.replace(/, seeds.*, /, ', ')).join('; ');
  return code === 0 && counts.length === 2
    ? { ...none, state: 'passed', passed: 2, note }
    : failedRing(note || 'see above');
}

async function sandboxRing(project: string): Promise<RingResult> {
  const obstacle = sandboxObstacle();
  return obstacle === undefined ? vitest(project, project, inSandbox) : skippedRing(obstacle);
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
  model: () => vitest('model', 'model', []),
  fuzz: fuzzRing,
  sandbox: () => sandboxRing('sandbox'),
  reliability: () => sandboxRing('reliability'),
  container: containerRing,
  vm: vmRing,
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
