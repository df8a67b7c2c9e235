/** The built daemon as a child, with directories of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DaemonClient, dist } from './daemon-client.ts';
import { eventually } from './eventually.ts';
import { mountsBelow } from './kernel-facts.ts';

export class DaemonProcess extends DaemonClient {
  readonly base: string;
  readonly manifestDir: string;
  readonly rootDir: string;
  readonly runDir: string;
  /** For the next start; none unless a test sets it. */
  configFile: string | undefined;
  #child: ChildProcess | undefined;
  #log = '';

  /** @param parent directory for its own */
  constructor(parent = process.env['MOORED_TEST_DIR']) {
    super();
    if (parent === undefined) throw new Error('Cannot run: MOORED_TEST_DIR is not set, use npm run test:sandbox');
    this.base = mkdtempSync(join(parent, 'daemon-'));
    chmodSync(this.base, 0o755);
    this.manifestDir = join(this.base, 'manifests');
    this.rootDir = join(this.base, 'root');
    this.runDir = join(this.base, 'run');
    mkdirSync(this.manifestDir, { mode: 0o755 });
  }

  protected get directoryFlags(): readonly string[] {
    return ['--manifest-dir', this.manifestDir, '--root-dir', this.rootDir, '--run-dir', this.runDir];
  }

  get stateDir(): string {
    return join(this.rootDir, 'state');
  }

  /** All that the daemon has logged so far, over all its starts. */
  override get log(): string {
    return this.#log;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('Cannot tell the pid: the daemon is not running');
    return pid;
  }

  /** Starts and waits until the worlds are rebuilt. */
  async start(deadlineMs = 30_000): Promise<this> {
    const child = this.spawn();
    this.#child = child;
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`The daemon ended with ${child.exitCode}:\n${this.log}`);
      const { code, stderr } = await this.ctl('get', 'manifests');
      return code === 0 || `moorctl: ${stderr}`;
    }, deadlineMs);
    return this;
  }

  /** A daemon process that is not waited for. */
  spawn(): ChildProcess {
    const config = this.configFile === undefined ? [] : ['--config', this.configFile];
    const args = [...this.directoryFlags, ...config, '--log-level', 'debug'];
    const child = spawn(process.execPath, [join(dist, 'moored.js'), ...args], {
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

  /** Ends the test: looks whether the status is honest, drains and stops; what is left is a leak and fails. */
  async dispose(): Promise<void> {
    if (this.#child === undefined) await this.start();
    const lie = await this.honest().then(() => undefined, String);
    const { code, stderr } = await this.ctl('drain');
    await this.kill('SIGTERM');
    if (code !== 0) throw new Error(`moorctl drain: ${stderr}\n${this.#log}`);
    const left = mountsBelow(this.base);
    if (lie !== undefined) throw new Error(`${lie}\n${this.#log}`);
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
