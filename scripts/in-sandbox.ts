/**
 * Runs a command in a mount namespace of its own and fails when it leaves something behind:
 *   node scripts/in-sandbox.ts vitest run --project sandbox
 * The command finds a fresh ext4 filesystem at $MOORED_TEST_DIR. It lies under /run, because the daemon refuses manifests
 * below a directory that others may write to, such as /tmp.
 */
import { mkdirSync, mkdtempSync, rmdirSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sandboxObstacle } from './obstacles.ts';
import { projectRoot, runCommand } from './run-command.ts';
import { endLeftovers, loopDevices, mountPoints, processesInOurNamespace } from './sandbox-leftovers.ts';

const self = join(projectRoot, 'scripts/in-sandbox.ts');
const gibibyte = 2 ** 30;

async function must(...argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(argv);
  if (code !== 0) throw new Error(`Cannot run "${argv.join(' ')}": ${stderr.trim()}`);
  return stdout.trim();
}

/**
 * An ext4 filesystem in memory: fast, empty, with the file flags and holes of a real disk. The tmpfs below it vanishes with
 * the namespace, however that ends, and so does the loop device: detaching it while it is mounted only marks it autoclear.
 */
async function mountScratch(base: string): Promise<string> {
  const image = join(base, 'disk.img');
  const scratch = join(base, 'disk');
  await must('mount', '-t', 'tmpfs', '-o', 'mode=0755,size=80%', 'moored-sandbox', base);
  writeFileSync(image, '');
  truncateSync(image, 16 * gibibyte);
  mkdirSync(scratch);
  await must('mkfs.ext4', '-q', '-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard', image);
  const device = await must('losetup', '--find', '--show', image);
  // `blockdev --setro` outlives a detach, so that a device may be read-only from the day before.
  await must('blockdev', '--setrw', device);
  await must('mount', '-t', 'ext4', '-o', 'noinit_itable', device, scratch);
  await must('losetup', '--detach', device);
  rmdirSync(join(scratch, 'lost+found'));
  return scratch;
}

/** The second half, already in the new namespace. */
async function inside(base: string, command: readonly string[]): Promise<number> {
  const scratch = await mountScratch(base);
  const mountsBefore = mountPoints();
  const loopsBefore = loopDevices();
  const { code } = await runCommand(command, { inherit: true, env: { MOORED_TEST_DIR: scratch } });

  const ours = (path: string): boolean => path.startsWith(`${base}/`);
  const newLoops = loopDevices().filter(({ name }) => loopsBefore.every((before) => before.name !== name));
  const processes = processesInOurNamespace();
  const leaked = [
    ...processes.map(({ pid, commandLine }) => `process ${pid}: ${commandLine}`),
    ...mountPoints()
      .filter((path) => !mountsBefore.includes(path))
      .map((path) => `mount: ${path}`),
    ...newLoops
      .filter(({ file }) => ours(file) || process.env['CI'] === 'true')
      .map(({ name, file }) => `${name}: ${file}`),
  ];
  if (leaked.length > 0) process.stderr.write(`Left behind by "${command.join(' ')}":\n  ${leaked.join('\n  ')}\n`);
  await endLeftovers(
    processes,
    newLoops.filter(({ file }) => ours(file)),
  );
  return code === 0 && leaked.length > 0 ? 1 : code;
}

/** Whether the host is as before: the kernel detaches the loop device a moment after its last mount has gone. */
async function hostHasTraceOf(base: string): Promise<string | undefined> {
  const name = basename(base);
  const trace = (): string | undefined =>
    loopDevices().find(({ file }) => file.includes(name))?.name ?? mountPoints().find((path) => path.includes(name));
  for (let tries = 0; tries < 50 && trace() !== undefined; tries += 1) await sleep(100);
  return trace();
}

async function outside(command: readonly string[]): Promise<number> {
  const base = mkdtempSync('/run/moored-sandbox-');
  const namespace = ['unshare', '--mount', '--propagation', 'private'];
  const { code } = await runCommand([...namespace, 'node', self, '--inside', base, ...command], { inherit: true });
  const trace = await hostHasTraceOf(base);
  if (trace === undefined) rmdirSync(base);
  else process.stderr.write(`Left behind on the host by "${command.join(' ')}": ${trace}\n`);
  return code === 0 && trace !== undefined ? 1 : code;
}

const [first, base = '', ...rest] = process.argv.slice(2);
const reason = sandboxObstacle();
if (first === undefined) {
  process.stderr.write('Usage: node scripts/in-sandbox.ts COMMAND [ARGUMENT…]\n');
  process.exitCode = 2;
} else if (reason !== undefined) {
  process.stderr.write(`Cannot make a sandbox: ${reason}\n`);
  process.exitCode = 77;
} else {
  process.exitCode = first === '--inside' ? await inside(base, rest) : await outside(process.argv.slice(2));
}
