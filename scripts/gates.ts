import { copyFileSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { checkUnit } from './check-unit.ts';
import type { Gate, GateResult } from './gate.ts';
import { type CommandResult, projectRoot, runCommand } from './run-command.ts';

/** Fewer modules than this means that the tool did not look, as it does when it cannot read TypeScript. */
const fewestModules = 30;

function judge({ code, stdout, stderr }: CommandResult): GateResult {
  return code === 0
    ? { state: 'passed' }
    : { state: 'failed', detail: `${stdout}${stderr}`.trim() || `exit code ${code}` };
}

const command =
  (...argv: readonly string[]) =>
  async (): Promise<GateResult> =>
    judge(await runCommand(argv));

interface CruiseReport {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly {
      readonly rule: { readonly name: string };
      readonly from: string;
      readonly to: string;
    }[];
  };
}

async function architecture(): Promise<GateResult> {
  const folders = ['daemon', 'plugins', 'scripts', 'integration'];
  const { stdout, stderr } = await runCommand(['depcruise', ...folders, '--output-type', 'json']);
  if (!stdout.startsWith('{')) return { state: 'failed', detail: stderr };
  const { summary } = JSON.parse(stdout) as CruiseReport;
  if (summary.totalCruised < fewestModules) {
    return { state: 'failed', detail: `looked at ${summary.totalCruised} modules only: the rules were not tried` };
  }
  if (summary.violations.length === 0) return { state: 'passed', detail: `${summary.totalCruised} modules` };
  return {
    state: 'failed',
    detail: summary.violations.map(({ rule, from, to }) => `${from}: ${rule.name}: ${to}`).join('\n'),
  };
}

/**
 * The lock file must install on a machine that has other platform packages than the one that wrote it. The host's npm goes
 * with the host's Node: Debian's does not run under another. In a folder of its own: before 10.5 even a dry run of `npm ci`
 * empties node_modules.
 */
async function lockFile(): Promise<GateResult> {
  const hostPath = (process.env['PATH'] ?? '').split(':').filter((path) => !path.endsWith('/node_modules/.bin'));
  const env = { PATH: hostPath.join(':') };
  const copy = mkdtempSync(join(tmpdir(), 'moored-lock-file-'));
  try {
    for (const name of ['package.json', 'package-lock.json', '.npmrc'])
      copyFileSync(join(projectRoot, name), join(copy, name));
    const options = ['--dry-run', '--ignore-scripts', '--no-audit', '--no-fund'];
    const result = await runCommand(['npm', 'ci', '--prefix', copy, ...options], { env });
    return result.code === 127 ? { state: 'skipped', detail: 'npm is not installed' } : judge(result);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

async function shellSyntax(): Promise<GateResult> {
  const scripts = globSync(['scripts/*', 'scripts/debian/*', '.ci/*'], { cwd: projectRoot, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
    .map(({ parentPath, name }) => relative(projectRoot, join(parentPath, name)));
  const results = await Promise.all(scripts.map((script) => runCommand(['bash', '-n', script])));
  return results.map(judge).find(({ state }) => state === 'failed') ?? { state: 'passed', detail: scripts.join(' ') };
}

/** All gates, the quick and telling ones first. */
export const gates: readonly Gate[] = [
  { name: 'types', says: 'tsc, as strict as it gets', run: command('tsc', '-p', 'tsconfig.json') },
  { name: 'lint', says: 'oxlint with types', run: command('oxlint', '--deny-warnings', '--format=unix') },
  {
    name: 'format',
    says: 'biome: layout and order of imports',
    run: command('biome', 'ci', '--colors=off', '--reporter=summary', '.'),
  },
  { name: 'rules', says: 'house rules', run: command('node', 'scripts/check-rules.ts') },
  { name: 'architecture', says: 'who may import whom', run: architecture },
  { name: 'dead-code', says: 'knip: unused files, exports, packages', run: command('knip', '--no-progress') },
  {
    name: 'docs',
    says: 'docs/troubleshooting.md is what `npm run docs` writes',
    run: command('node', 'integration/docs/troubleshooting.ts', '--check'),
  },
  {
    name: 'conformance',
    says: 'docs/conformance.md is what its rows say, and their tests are there',
    run: command('node', 'integration/conformance/conformance.ts', '--check'),
  },
  { name: 'lock-file', says: 'npm ci would install it', run: lockFile },
  { name: 'shell', says: 'bash reads our scripts', run: shellSyntax },
  { name: 'unit-file', says: 'systemd-analyze verify, forbidden options', run: checkUnit },
];
