/** A daemon that can be told where to die, with directories of its own and a client in this process. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ControlClient } from '../../daemon/control/control-client.ts';
import type { AswVolume, PodView } from '../../daemon/control/protocol.ts';
import { eventually } from '../support/eventually.ts';
import { loopDevices, mountsBelow } from '../support/kernel-facts.ts';

export interface Where {
  /** "<step> before" or "<step> after" */
  readonly crashAt?: string;
  /** A file that gets every step. */
  readonly record?: string;
}

/** Of a guest's slow processor too. */
const deadlineMs = 90_000;
/** Each question is work for both on the one processor of a guest. */
const pauseMs = 50;

export class CrashingDaemon {
  readonly base: string;
  readonly rootDir: string;
  readonly manifestDir: string;
  readonly stateDir: string;
  readonly #program: string;
  readonly client: ControlClient;
  #child: ChildProcess | undefined;
  #log = '';

  constructor(program: string, name: string) {
    const parent = process.env['MOORED_TEST_DIR'];
    if (parent === undefined) throw new Error('Cannot run: MOORED_TEST_DIR is not set, use npm run matrix');
    this.#program = program;
    this.base = mkdtempSync(join(parent, `${name}-`));
    chmodSync(this.base, 0o755);
    this.manifestDir = join(this.base, 'manifests');
    this.rootDir = join(this.base, 'root');
    this.stateDir = join(this.base, 'state');
    mkdirSync(this.manifestDir, { mode: 0o755 });
    this.client = new ControlClient(join(this.base, 'run/moored.sock'));
  }

  /** The end of the log, for the report of a failure. */
  get log(): string {
    return this.#log.slice(-6_000);
  }

  get isUp(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  start({ crashAt, record }: Where = {}): void {
    const { base, manifestDir, rootDir, stateDir } = this;
    const args = ['--manifest-dir', manifestDir, '--root-dir', rootDir, '--state-dir', stateDir];
    const env = {
      ...process.env,
      NODE_COMPILE_CACHE: join(base, '../compile-cache'),
      ...(crashAt === undefined ? {} : { MOORED_CRASH_AT: crashAt }),
      ...(record === undefined ? {} : { MOORED_CRASH_RECORD: record }),
    };
    this.#log += `-- start, to die at: ${crashAt ?? 'nothing'}\n`;
    const child = spawn(process.execPath, [this.#program, ...args, '--run-dir', join(base, 'run')], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer): void => {
      this.#log = `${this.#log}${chunk.toString()}`.slice(-60_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    this.#child = child;
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isUp) return;
    const ended = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await ended;
  }

  /** Ends it in order. Returns its exit code. */
  async stop(): Promise<number | null> {
    const child = this.#child;
    await this.kill('SIGTERM');
    return child?.exitCode ?? null;
  }

  /** Waits until it holds or the daemon has died; a daemon that ends in another way than by SIGKILL is a failure. */
  async until(what: string, holds: () => Promise<boolean | string> | boolean | string): Promise<'held' | 'died'> {
    let outcome: 'held' | 'died' = 'held';
    await eventually(
      async () => {
        if (!this.isUp) {
          if (this.#child?.signalCode !== 'SIGKILL') throw new Error(`the daemon ended with ${this.#child?.exitCode}`);
          outcome = 'died';
          return true;
        }
        const answer = await Promise.resolve(holds()).catch((error: unknown) => String(error));
        return answer === true || `${what}: ${String(answer)}`;
      },
      deadlineMs,
      pauseMs,
    );
    return outcome;
  }

  apply(name: string, text: string): void {
    const temporary = join(this.base, `${name}.new`);
    writeFileSync(temporary, text.endsWith('\n') ? text : `${text}\n`, { mode: 0o644 });
    renameSync(temporary, join(this.manifestDir, name));
  }

  remove(name: string): void {
    rmSync(join(this.manifestDir, name));
  }

  async pods(): Promise<readonly PodView[]> {
    return (await this.client.get('pods')).items;
  }

  async asw(): Promise<readonly AswVolume[]> {
    return (await this.client.get('asw')).volumes;
  }

  async operations(): Promise<string> {
    return JSON.stringify(await this.client.get('operations'));
  }

  /** All pods are ready and are these. */
  async areReady(names: readonly string[]): Promise<boolean | string> {
    const pods = await this.pods();
    const ready = pods.filter(({ status }) => status.phase === 'Ready').map(({ metadata }) => metadata.name);
    return ready.sort().join() === [...names].sort().join() || `ready: ${ready.join()}, ${await this.operations()}`;
  }

  /** Every snapshot is taken, and nothing is being copied. */
  async areCopied(): Promise<boolean | string> {
    const snapshots = (await this.client.get('volumesnapshots')).items;
    const { operations } = await this.client.get('operations');
    const waiting = snapshots.filter(({ status }) => status?.readyToUse !== true);
    const isCopying = operations.some(({ copy }) => copy !== undefined);
    return (waiting.length === 0 && !isCopying) || `${JSON.stringify(waiting)}, ${JSON.stringify(operations)}`;
  }

  /** Nothing is left of any pod, in the daemon's mind and in the kernel. */
  async isEmpty(): Promise<boolean | string> {
    const [pods, volumes] = [await this.pods(), await this.asw()];
    if (pods.length + volumes.length > 0) {
      return `${pods.length} pods, ${volumes.length} volumes: ${await this.operations()}`;
    }
    const left = mountsBelow(this.rootDir).map(({ line }) => line);
    const loops = [...loopDevices().values()].filter((path) => path.startsWith(`${this.base}/`));
    const podsDir = join(this.rootDir, 'pods');
    const directories = existsSync(podsDir) ? readdirSync(podsDir) : [];
    const all = [...left, ...loops, ...directories];
    return all.length === 0 || `left: ${all.join(' ')}`;
  }

  readSteps(record: string): readonly string[] {
    return readFileSync(record, 'utf8').trim().split('\n');
  }
}
