/** The built daemon as a child, with directories of its own, and its client. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AswVolume, OperationView, PodView, RecordedEvent } from '../../daemon/control/protocol.ts';
import { eventually } from './eventually.ts';
import { mountsBelow } from './kernel-facts.ts';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class DaemonProcess {
  readonly base: string;
  readonly manifestDir: string;
  readonly rootDir: string;
  readonly runDir: string;
  #child: ChildProcess | undefined;
  #log = '';

  constructor() {
    const parent = process.env['MOORED_TEST_DIR'];
    if (parent === undefined) throw new Error('Cannot run: MOORED_TEST_DIR is not set, use npm run test:sandbox');
    this.base = mkdtempSync(join(parent, 'daemon-'));
    chmodSync(this.base, 0o755);
    this.manifestDir = join(this.base, 'manifests');
    this.rootDir = join(this.base, 'root');
    this.runDir = join(this.base, 'run');
    mkdirSync(this.manifestDir, { mode: 0o755 });
  }

  get stateDir(): string {
    return join(this.rootDir, 'state');
  }

  /** All that the daemon has logged so far, over all its starts. */
  get log(): string {
    return this.#log;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('Cannot tell the pid: the daemon is not running');
    return pid;
  }

  /** Starts and waits until the worlds are rebuilt. */
  async start(): Promise<this> {
    const child = this.spawn();
    this.#child = child;
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`The daemon ended with ${child.exitCode}:\n${this.#log}`);
      const { code, stderr } = await this.ctl('get', 'manifests');
      return code === 0 || `moorctl: ${stderr}`;
    });
    return this;
  }

  /** A daemon process that is not waited for. */
  spawn(): ChildProcess {
    const args = ['--manifest-dir', this.manifestDir, '--root-dir', this.rootDir, '--run-dir', this.runDir];
    const child = spawn(process.execPath, [join(dist, 'moored.js'), ...args, '--log-level', 'debug'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer) => {
      this.#log += chunk.toString();
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    return child;
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  /** Waits until the process has ended by itself. */
  async ended(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    await eventually(() => child === undefined || child.exitCode !== null || child.signalCode !== null || 'it runs');
  }

  async restart(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.kill(signal);
    await this.start();
  }

  /** Puts a manifest in place by rename, as editors and configuration tools do. */
  apply(name: string, text: string): void {
    const temporary = join(this.base, `${name}.new`);
    writeFileSync(temporary, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o644 });
    renameSync(temporary, join(this.manifestDir, name));
  }

  remove(name: string): void {
    rmSync(join(this.manifestDir, name));
  }

  ctl(...args: readonly string[]): Promise<Finished> {
    const socket = join(this.runDir, 'moored.sock');
    return new Promise((resolve) => {
      execFile(
        process.execPath,
        [join(dist, 'moorctl.js'), '--socket', socket, ...args],
        { env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
      );
    });
  }

  /** `get KIND -o json`. */
  async json<T>(...args: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await this.ctl('get', ...args, '-o', 'json');
    if (code !== 0) throw new Error(`moorctl get ${args.join(' ')}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  async asw(): Promise<readonly AswVolume[]> {
    return (await this.json<{ volumes: readonly AswVolume[] }>('asw')).volumes;
  }

  async events(): Promise<readonly RecordedEvent[]> {
    return (await this.json<{ events: readonly RecordedEvent[] }>('events')).events;
  }

  async operations(): Promise<readonly OperationView[]> {
    return (await this.json<{ operations: readonly OperationView[] }>('operations')).operations;
  }

  async pod(name: string): Promise<PodView> {
    return this.json<PodView>('pods', name);
  }

  /** Waits for `moorctl wait` to say so; fails with its reason. */
  async mounted(pod: string): Promise<void> {
    const { code, stderr } = await this.ctl('wait', `pod/${pod}`, '--for=mounted', '--timeout', '30s');
    if (code !== 0) throw new Error(`pod ${pod} is not mounted: ${stderr}\n${this.#log}`);
  }

  async unmounted(pod: string): Promise<void> {
    const { code, stderr } = await this.ctl('wait', `pod/${pod}`, '--for=unmounted', '--timeout', '30s');
    if (code !== 0) throw new Error(`pod ${pod} is not unmounted: ${stderr}\n${this.#log}`);
  }

  /** Waits for an event with this reason. */
  async event(reason: string): Promise<void> {
    await eventually(async () => {
      const events = await this.events();
      const seen = events.map((event) => `${event.reason}: ${event.message}`).join('\n');
      return events.some((event) => event.reason === reason) || `no event ${reason} in:\n${seen}`;
    });
  }

  /** Waits until the pod is not ready for a reason that matches. */
  async condition(pod: string, why: RegExp): Promise<void> {
    await eventually(async () => {
      const found = await this.ctl('get', 'pods', pod, '-o', 'json');
      if (found.code !== 0) return found.stderr;
      const [condition] = (JSON.parse(found.stdout) as PodView).status.conditions;
      const isSo = condition?.status === 'False' && why.test(condition.message);
      return isSo || `the condition is ${condition?.status}: ${condition?.message}`;
    });
  }

  /** Waits until no volume is in the actual state of world and no object is still ending. */
  async gone(): Promise<void> {
    await eventually(async () => {
      const volumes = (await this.asw()).map(({ name }) => name);
      const claims = await this.json<{ items: readonly { metadata: { deletionTimestamp?: string } }[] }>('pods,pvc');
      const ending = claims.items.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
      return (
        (volumes.length === 0 && ending.length === 0) || `left: ${volumes.join(', ')} and ${ending.length} objects`
      );
    });
  }

  async path(pod: string, volume: string): Promise<string> {
    const { code, stdout, stderr } = await this.ctl('path', `pod/${pod}`, volume);
    if (code !== 0) throw new Error(`moorctl path: ${stderr}`);
    return stdout.trim();
  }

  /** Ends the test: drains and stops; what is left is a leak and fails. */
  async dispose(): Promise<void> {
    if (this.#child === undefined) await this.start();
    const { code, stderr } = await this.ctl('drain');
    await this.kill('SIGTERM');
    if (code !== 0) throw new Error(`moorctl drain: ${stderr}\n${this.#log}`);
    const left = mountsBelow(this.base);
    if (left.length > 0) throw new Error(`Mounts are left after drain:\n${left.map((mount) => mount.line).join('\n')}`);
  }

  /** The lines of the log that are errors, for oracles. */
  errors(): readonly string[] {
    return this.#log.split('\n').filter((line) => line.includes('"level":"error"'));
  }

  readState(path: string): string {
    return readFileSync(join(this.stateDir, path), 'utf8');
  }
}
