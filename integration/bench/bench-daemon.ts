import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlClient } from '../../daemon/control/control-client.ts';
import type { PodView } from '../../daemon/control/protocol.ts';
import { eventually } from '../support/eventually.ts';
import type { ManifestText } from './bench-manifests.ts';
import { cpuMs, ownCpuMs } from './process-usage.ts';

/** Which program is measured. */
export interface Build {
  /** Directory with moored.js. */
  readonly dist: string;
  /** Directory for a CPU profile of the daemon. */
  readonly profile: string | undefined;
}

/** The built daemon as users run it: its log goes to a file, its client asks over the socket. */
export class BenchDaemon implements AsyncDisposable {
  readonly rootDir: string;
  readonly client: ControlClient;
  readonly #manifestDir: string;
  readonly #staging: string;
  readonly #log: string;
  readonly #child: ChildProcess;

  static async start(build: Build, directory: string): Promise<BenchDaemon> {
    const daemon = new BenchDaemon(build, directory);
    await eventually(async () => {
      if (daemon.#child.exitCode !== null) throw new Error(`moored has ended: ${readFileSync(daemon.#log, 'utf8')}`);
      return daemon.client.version().then(
        ({ ready }) => ready,
        (error: unknown) => String(error),
      );
    });
    return daemon;
  }

  private constructor({ dist, profile }: Build, directory: string) {
    this.rootDir = join(directory, 'root');
    this.#manifestDir = join(directory, 'manifests');
    this.#staging = join(directory, 'staging');
    this.#log = join(directory, 'moored.log');
    for (const path of [this.#manifestDir, this.#staging]) mkdirSync(path, { mode: 0o755 });
    const runDir = join(directory, 'run');
    this.client = new ControlClient(join(runDir, 'moored.sock'));
    const flags = ['--manifest-dir', this.#manifestDir, '--root-dir', this.rootDir, '--run-dir', runDir];
    const log = openSync(this.#log, 'w');
    const nodeFlags = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    this.#child = spawn(process.execPath, [...nodeFlags, join(dist, 'moored.js'), ...flags], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Written where the daemon does not look yet. */
  stage(files: readonly ManifestText[]): void {
    for (const { name, text } of files) writeFileSync(join(this.#staging, name), text, { mode: 0o644 });
  }

  /** Makes a staged file visible, as a configuration tool does. */
  reveal(name: string): void {
    renameSync(join(this.#staging, name), join(this.#manifestDir, name));
  }

  hide(name: string): void {
    rmSync(join(this.#manifestDir, name));
  }

  /** Waits until no operation runs or waits. */
  async quiet(): Promise<void> {
    await eventually(async () => {
      const { operations } = await this.client.get('operations');
      return operations.length === 0 || `${operations.length} operations: ${operations[0]?.lastError ?? ''}`;
    }, 60_000);
  }

  /** Waits until nothing is left of any pod; between two operations of the last volume there is none to be seen. */
  async emptied(): Promise<void> {
    await eventually(async () => {
      const { volumes } = await this.client.get('asw');
      return volumes.length === 0 || `${volumes.length} volumes are left`;
    }, 60_000);
    await this.ready(0);
  }

  /** Waits until there are so many pods, each of them Ready. */
  async ready(count: number): Promise<readonly PodView[]> {
    let pods: readonly PodView[] = [];
    await eventually(async () => {
      pods = (await this.client.get('pods')).items;
      const ready = pods.filter(isReady).length;
      return (ready === count && pods.length === count) || `${ready} of ${pods.length} pods are Ready`;
    }, 60_000);
    return pods;
  }

  /** Waits until the pod is Ready, without asking more often than something changes. @param since revision before it */
  async podReady(name: string, since: number): Promise<void> {
    for (let revision = since; ; ) {
      ({ revision } = await this.client.changes(revision));
      const [pod] = (await this.client.get('pods', { name })).items;
      if (pod !== undefined && isReady(pod)) return;
    }
  }

  /** CPU since its start with all children, ms. */
  cpuMs(): number {
    return cpuMs(this.pid);
  }

  /** Percent of a core over `ms`, once what was put off (the checkpoint of the state dir begins after 5 s) is done. */
  async idlePercent(ms: number): Promise<number> {
    await sleep(6000);
    for (let tries = 0; tries < 30 && (await this.#ownCpuOver(1000)) > 5; tries++);
    return (100 * (await this.#ownCpuOver(ms))) / ms;
  }

  async #ownCpuOver(ms: number): Promise<number> {
    const before = ownCpuMs(this.pid);
    await sleep(ms);
    return ownCpuMs(this.pid) - before;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode !== null || !this.#child.kill('SIGTERM')) return;
    await ended;
  }
}

function isReady({ status }: PodView): boolean {
  return status.phase === 'Ready';
}
