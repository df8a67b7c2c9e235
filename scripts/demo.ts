/**
 * The demo: every step is a real one, on a real loop device; a step whose result is not as promised ends it. Runs inside
 * scripts/in-sandbox.ts, which lends the namespace and the directory, and fails when anything is left behind.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const base = process.env['MOORED_TEST_DIR'];
if (base === undefined) throw new Error('Cannot run the demo: start it with scripts/demo');
const directories = { manifests: join(base, 'manifests'), root: join(base, 'root'), run: join(base, 'run') };
const socket = join(directories.run, 'moored.sock');

const manifest = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: { name: fast }
provisioner: loop.moored.dev
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: data }
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: fast
  resources: { requests: { storage: 64Mi } }
---
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  containers:
    - name: web
      image: nginx
      volumeMounts: [{ name: data, mountPath: /var/www }]
  volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }]
`;

let daemon: ChildProcess | undefined;
let number = 0;

async function step(title: string, work: () => string | Promise<string>): Promise<void> {
  number += 1;
  const start = performance.now();
  const result = await work();
  const time = `${((performance.now() - start) / 1000).toFixed(2)} s`;
  process.stdout.write(`\n${number}/7 ${title}  [${time}]\n${result.trimEnd().replaceAll(/^/gm, '    ')}\n`);
}

function must(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`The demo failed: ${what}`);
}

function run(tool: string, ...args: readonly string[]): string {
  return execFileSync(tool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function moorctl(...args: readonly string[]): string {
  return run(process.execPath, 'dist/moorctl.js', '--socket', socket, ...args);
}

async function eventually(isSo: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 30_000;
  for (; !isSo(); await sleep(10)) must(performance.now() < end, `${what} within 30 s`);
}

async function startDaemon(): Promise<void> {
  const { manifests, root, run: runDir } = directories;
  const args = ['--manifest-dir', manifests, '--root-dir', root, '--run-dir', runDir, '--log-level', 'warn'];
  daemon = spawn(process.execPath, ['dist/moored.js', ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  await eventually(() => isAnswering(), 'the daemon answers');
}

function isAnswering(): boolean {
  try {
    moorctl('get', 'manifests');
    return true;
  } catch {
    return false;
  }
}

async function endDaemon(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const child = daemon;
  daemon = undefined;
  if (child === undefined || child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

function ourMounts(): string {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(` ${directories.root}/`))
    .join('\n');
}

function images(): readonly string[] {
  const directory = join(directories.root, 'images/default');
  return readdirSync(directory)
    .filter((name) => name.endsWith('.img'))
    .map((name) => join(directory, name));
}

function sha256(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Writes until the filesystem is full; gives the MiB that went in. */
function fill(path: string): number {
  const file = openSync(path, 'w');
  const mebibyte = Buffer.alloc(2 ** 20, 1);
  try {
    for (let written = 0; written < 100; written += 1) writeSync(file, mebibyte);
  } catch (error) {
    must((error as NodeJS.ErrnoException).code === 'ENOSPC', `writing ends with ENOSPC, not ${String(error)}`);
    return Math.floor(readFileSync(path).length / 2 ** 20);
  } finally {
    closeSync(file);
    rmSync(path);
  }
  throw new Error('The demo failed: 100 MiB went into a volume of 64Mi');
}

async function demo(): Promise<void> {
  mkdirSync(directories.manifests);
  await startDaemon();
  let path = '';
  let checksum = '';

  await step('web.yaml (class, claim of 64Mi, pod) is dropped into the directory and becomes a mount', () => {
    writeFileSync(join(directories.manifests, '.web.yaml'), manifest, { mode: 0o644 });
    renameSync(join(directories.manifests, '.web.yaml'), join(directories.manifests, 'web.yaml'));
    moorctl('wait', 'pod/web', '--for=mounted', '--timeout', '30s');
    return moorctl('get', 'pods,pvc,pv,volumes');
  });

  await step('the kernel agrees', () => {
    path = moorctl('path', 'pod/web', 'data').trim();
    return run('findmnt', '--output', 'TARGET,SOURCE,FSTYPE,OPTIONS', '--mountpoint', path);
  });

  await step('the size is real: writing past the claim is ENOSPC', () => `ENOSPC after ${fill(join(path, 'big'))} MiB`);

  await step('kill -9 of the daemon: the mount stays', async () => {
    writeFileSync(join(path, 'data.bin'), randomBytes(4 * 2 ** 20));
    checksum = sha256(join(path, 'data.bin'));
    const before = ourMounts();
    await endDaemon('SIGKILL');
    must(ourMounts() === before && before !== '', 'every mount is as it was');
    return `sha256 of the data: ${checksum}`;
  });

  await step('restart: same mount ids, same data, nothing done again', async () => {
    const before = ourMounts();
    await startDaemon();
    moorctl('wait', 'pod/web', '--for=mounted', '--timeout', '30s');
    must(ourMounts() === before, 'every mount has the id it had');
    must(sha256(join(path, 'data.bin')) === checksum, 'the checksum is equal');
    return 'mountinfo is equal line by line; the checksum is equal';
  });

  await step('web.yaml is removed: unmounted, detached, and the data is kept', async () => {
    rmSync(join(directories.manifests, 'web.yaml'));
    moorctl('wait', 'pod/web', '--for=unmounted', '--timeout', '30s');
    await eventually(
      () => ourMounts() === '' && !run('losetup', '--all').includes(directories.root),
      'nothing is left',
    );
    must(images().length === 1, 'the image is kept');
    return `no mount, no loop device; kept: ${images().join(' ').replace(directories.root, '/var/lib/moored')}`;
  });

  await step('the claim is used again: the data is found again', () => {
    writeFileSync(join(directories.manifests, 'again.yaml'), manifest, { mode: 0o644 });
    moorctl('wait', 'pod/web', '--for=mounted', '--timeout', '30s');
    must(sha256(join(moorctl('path', 'pod/web', 'data').trim(), 'data.bin')) === checksum, 'the checksum is equal');
    moorctl('drain');
    must(ourMounts() === '', 'drain leaves no mount');
    return 'the checksum is equal; drained';
  });
}

try {
  await demo();
  process.stdout.write('\nAll of it was real, and nothing of it is left.\n');
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await endDaemon('SIGTERM');
}
