/** The shipped daemon under load: many manifests at once, and times by the kernel's mount table. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { PodView } from '../../daemon/control/protocol.ts';
import type { ManifestText } from '../bench/bench-manifests.ts';
import { FreshFilesystem } from '../bench/fresh-filesystem.ts';
import { cpuMs } from '../bench/process-usage.ts';
import { dist } from '../support/daemon-client.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { DaemonView } from '../support/daemon-view.ts';
import { eventually } from '../support/eventually.ts';
import { classFile } from './crowd.ts';

/** A daemon on a filesystem of its own: what is left of it when `use` is done is an error. */
export async function onFreshDaemon<T>(use: (daemon: LoadDaemon) => Promise<T>): Promise<T> {
  await using filesystem = new FreshFilesystem(undefined);
  const daemon = new LoadDaemon(filesystem.path);
  try {
    await daemon.start();
    daemon.declare([classFile]);
    const result = await use(daemon);
    await daemon.dispose();
    return result;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    await daemon.kill('SIGKILL');
    throw error;
  }
}

/** Says that something never happens, not how fast it should. */
const deadlineMs = 600_000;

const probe = fileURLToPath(new URL('in-daemon/resource-probe.ts', import.meta.url));

/** A step that all of a crowd has made. */
export interface Convergence {
  readonly ms: number;
  /** Of the daemon with its children, until nothing runs any more. */
  readonly cpuMs: number;
}

export class LoadDaemon extends DaemonProcess {
  readonly view = new DaemonView(this);
  readonly probeFile = join(this.base, 'probe.json');
  readonly #staging = join(this.base, 'staging');
  readonly #logFile = join(this.base, 'moored.log');
  /** A directory for a CPU profile; it makes the daemon slower. */
  readonly #profile: string | undefined;

  constructor(parent: string, profile = process.env['MOORED_LOAD_PROFILE']) {
    super(parent);
    this.#profile = profile;
    mkdirSync(this.#staging, { mode: 0o755 });
  }

  /** The end of it: a long campaign logs more than a message should hold. */
  override get log(): string {
    return readFileSync(this.#logFile, 'utf8').slice(-20_000);
  }

  override start(): Promise<this> {
    return super.start(deadlineMs);
  }

  override spawn(): ChildProcess {
    const log = openSync(this.#logFile, 'a');
    const profiling = this.#profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${this.#profile}`];
    const program = ['--import', probe, ...profiling, join(dist, 'moored.js')];
    const child = spawn(process.execPath, [...program, ...this.directoryFlags], {
      stdio: ['ignore', log, log],
      env: { ...process.env, MOORED_LOAD_PROBE: this.probeFile },
    });
    closeSync(log);
    return child;
  }

  /** Written first, then renamed into place: the clock starts with the first rename. */
  declare(files: readonly ManifestText[]): void {
    for (const { name, text } of files) writeFileSync(join(this.#staging, name), text, { mode: 0o644 });
    for (const { name } of files) renameSync(join(this.#staging, name), join(this.manifestDir, name));
  }

  withdraw(files: readonly ManifestText[]): void {
    for (const { name } of files) rmSync(join(this.manifestDir, name));
  }

  /** Declares all and waits until the kernel has so many mounts of the daemon, and the daemon calls every pod Ready. */
  async mountAll(files: readonly ManifestText[], pods: number, mountCount: number): Promise<Convergence> {
    const before = cpuMs(this.pid);
    const start = performance.now();
    this.declare(files);
    if (mountCount > 0) await this.mountCountIs(mountCount);
    else await this.ready(pods);
    const ms = performance.now() - start;
    await this.quiet();
    const converged = { ms, cpuMs: cpuMs(this.pid) - before };
    await this.ready(pods);
    return converged;
  }

  /** Withdraws all and waits until no mount and no volume is left. For 300 ms of the time a removed file may come back. */
  async unmountAll(files: readonly ManifestText[]): Promise<Convergence> {
    const before = cpuMs(this.pid);
    const start = performance.now();
    this.withdraw(files);
    if (this.mountCount() > 0) await this.mountCountIs(0);
    else await this.ready(0);
    const ms = performance.now() - start;
    await this.emptied();
    return { ms, cpuMs: cpuMs(this.pid) - before };
  }

  /** Mounts below the root dir. */
  mountCount(): number {
    return occurrences(readFileSync('/proc/self/mountinfo', 'latin1'), ` ${this.rootDir}/`);
  }

  /** The table is read in a quarter of the time at most: each reading holds the kernel's lock on it. */
  async mountCountIs(wanted: number): Promise<void> {
    const end = performance.now() + deadlineMs;
    for (;;) {
      const start = performance.now();
      const count = this.mountCount();
      if (count === wanted) return;
      const now = performance.now();
      if (now > end)
        throw new Error(`There are ${count} mounts, wanted ${wanted}, after ${deadlineMs} ms\n${this.log}`);
      await sleep(Math.max(2, 3 * (now - start)));
    }
  }

  /** Waits until no operation runs or waits for another try. */
  async quiet(): Promise<void> {
    await eventually(async () => {
      const { operations } = await this.view.client.get('operations');
      return operations.length === 0 || `${operations.length} operations: ${operations[0]?.lastError ?? ''}`;
    }, deadlineMs);
  }

  /** Waits until exactly so many pods are there, each of them Ready. */
  async ready(count: number): Promise<readonly PodView[]> {
    let pods: readonly PodView[] = [];
    await eventually(async () => {
      // A daemon that has no turn for a client on a busy machine is late and not wrong: its stall is counted.
      const reply = await this.view.client.get('pods').catch(String);
      if (typeof reply === 'string') return reply;
      pods = reply.items;
      const ready = pods.filter(({ status }) => status.phase === 'Ready').length;
      return (ready === count && pods.length === count) || `${ready} of ${pods.length} pods are Ready, wanted ${count}`;
    }, deadlineMs);
    return pods;
  }

  /** Waits until nothing is left of any pod or volume. */
  async emptied(): Promise<void> {
    await this.ready(0);
    await eventually(async () => {
      const { volumes } = await this.view.client.get('asw');
      return volumes.length === 0 || `${volumes.length} volumes are left`;
    }, deadlineMs);
    await this.quiet();
  }
}

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++;
  return count;
}
