import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { CommandResult } from '../run-command.ts';
import { OutputReader } from './output-reader.ts';

export interface GuestOptions {
  /** Copy-on-write file over the image's disk, made when it is not there. Without it the disk ends with the guest. */
  readonly disk?: string;
  /** Of the guest, in MiB. */
  readonly memory?: number;
  /** How long a boot may take before it counts as failed. Generous: a busy machine is no broken one. */
  readonly bootTimeoutMs?: number;
}

export interface RunOptions {
  /** Gets the output as it comes, which is then not part of the result. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', bytes: Buffer) => void;
  /** The guest is killed when the command takes longer. */
  readonly timeoutMs?: number;
}

interface RunningCommand {
  readonly number: number;
  readonly output: { stdout: Buffer[]; stderr: Buffer[] };
  readonly options: RunOptions;
  readonly ended: Set<string>;
  readonly finish: (code: number) => void;
  readonly fail: (error: Error) => void;
}

/** io_uring, which Node uses where it is, panics this kernel: "Bad page map", then a fault in exit_mmap. */
const settings = ['lsm=capability', 'systemd.show_status=0', 'sysctl.kernel.io_uring_disabled=2'];

/** Ends a guest and its scratch directory when we are gone, however that came: then the guard's stdin ends. */
const guard = 'cat > /dev/null; kill -KILL -- "-$1"; rm -rf -- "$2"';

/** The processors that we may use: a guest has one, and the kernel and its processes are fastest when they share it. */
function someProcessor(): string {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const processors = list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return String(processors[Math.floor(Math.random() * processors.length)]);
}

/** The guest's memory is a file that must be mapped executable: /dev/shm, where it is large enough. */
function memoryDirectory(memory: number, otherwise: string): string {
  const { bavail, bsize } = statfsSync('/dev/shm');
  return bavail * bsize > 2 * memory * 2 ** 20 ? '/dev/shm' : otherwise;
}

/** A booted Debian, systemd and all, as a group of processes. It has no network but its own loopback. */
export class Guest {
  readonly #process: ChildProcess;
  readonly #closed: Promise<void>;
  #console = '';
  #running: RunningCommand | undefined;
  #commands = 0;

  private constructor(image: string, scratch: string, options: GuestOptions) {
    const { memory = 1024, disk = join(scratch, 'disk.cow') } = options;
    const lines = ['con=null', 'con0=null,fd:1', 'ssl=null', 'ssl0=null,fd:3', 'ssl1=null,fd:4', 'ssl2=fd:5,null'];
    const disks = [`ubd0=${disk},${join(image, 'root.img')}`, 'root=/dev/ubda', 'rw'];
    // For the kernel alone: another suite's libc does not fit the programs of this host.
    const kernel = [
      'env',
      'LD_LIBRARY_PATH=.',
      './linux',
      `mem=${memory}M`,
      ...disks,
      ...lines,
      `uml_dir=${scratch}`,
      'quiet',
      ...settings,
    ];
    this.#process = spawn('taskset', ['--cpu-list', someProcessor(), ...kernel], {
      cwd: image,
      detached: true,
      env: { TMPDIR: memoryDirectory(memory, scratch), PATH: '/usr/bin:/bin' },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    });
    const guardian = spawn('sh', ['-c', guard, 'sh', String(this.#process.pid), scratch], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    guardian.stdin.on('error', () => undefined);
    for (const line of [1, 2]) this.#line(line).on('data', (bytes: Buffer) => void (this.#console += bytes.toString()));
    this.#read(3, 'stdout');
    this.#read(4, 'stderr');
    this.#line(5).on('error', () => undefined);
    // "close" and not "exit": every process of the group holds these lines, and the disk is free when all of them are gone.
    this.#closed = new Promise((resolve) => {
      this.#process.on('error', (error) => void (this.#console += error.message));
      this.#process.on('close', () => {
        guardian.kill('SIGKILL');
        rmSync(scratch, { recursive: true, force: true });
        this.#running?.fail(new Error(`The guest has ended. Its console says:\n${this.#console.trim()}`));
        resolve();
      });
    });
  }

  /** Boots and waits until systemd has nothing more to start. */
  static async boot(image: string, options: GuestOptions = {}): Promise<Guest> {
    const guest = new Guest(image, mkdtempSync(join(tmpdir(), 'moored-guest-')), options);
    await guest.#command({ timeoutMs: options.bootTimeoutMs ?? 180_000 });
    return guest;
  }

  /** Runs a script of bash and waits for its end. Rejects when the guest ends before. One command at a time. */
  run(script: string, options: RunOptions = {}): Promise<CommandResult> {
    const result = this.#command(options);
    this.#line(5).write(`${this.#commands - 1} ${Buffer.from(script).toString('base64')}\n`);
    return result;
  }

  /** Makes a folder of the host visible in the guest, at the same path. */
  async share(path: string, mode: 'ro' | 'rw'): Promise<void> {
    const quoted = `'${path.replaceAll("'", `'\\''`)}'`;
    const { code, stderr } = await this.run(
      `mkdir -p ${quoted}; mount -t hostfs -o ${mode},hostfs=${quoted} none ${quoted}`,
    );
    if (code !== 0) throw new Error(`Cannot share "${path}" with the guest: ${stderr.trim()}`);
  }

  /** Ends the guest at once, as when its plug is pulled: what it had not written to its disk is lost. */
  async powerCut(): Promise<void> {
    this.kill();
    await this.#closed;
  }

  /** Shuts down as `systemctl poweroff` does. */
  async shutDown(): Promise<void> {
    this.#line(5).write(`${this.#commands} ${Buffer.from('systemctl poweroff 2> /dev/null').toString('base64')}\n`);
    await this.#closed;
  }

  kill(): void {
    const { pid } = this.#process;
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // ESRCH: it has ended by itself.
    }
  }

  #line(number: number): Duplex {
    return this.#process.stdio[number as 3] as Duplex;
  }

  #read(line: number, stream: 'stdout' | 'stderr'): void {
    const onOutput = (bytes: Buffer): void => {
      const command = this.#running;
      if (command?.options.onOutput !== undefined) command.options.onOutput(stream, bytes);
      else command?.output[stream].push(bytes);
    };
    const onEnd = (number: number, code: number): void => {
      const command = this.#running;
      if (command?.number === number && command.ended.add(stream).size === 2) command.finish(code);
    };
    const reader = new OutputReader(onOutput, onEnd);
    this.#line(line).on('data', (bytes: Buffer) => reader.feed(bytes));
  }

  #command(options: RunOptions): Promise<CommandResult> {
    const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
    if (this.#running !== undefined) throw new Error('Cannot run two commands at once in a guest');
    const timer = setTimeout(
      () => {
        this.#console += `\nKilled after ${options.timeoutMs} ms`;
        this.kill();
      },
      options.timeoutMs ?? 2 ** 31 - 1,
    );
    const end = (): void => {
      clearTimeout(timer);
      this.#running = undefined;
    };
    const output: RunningCommand['output'] = { stdout: [], stderr: [] };
    this.#running = {
      number: this.#commands,
      output,
      options,
      ended: new Set(),
      finish: (code) => {
        end();
        resolve({ code, stdout: String(Buffer.concat(output.stdout)), stderr: String(Buffer.concat(output.stderr)) });
      },
      fail: (error) => {
        end();
        reject(error);
      },
    };
    this.#commands += 1;
    return promise;
  }
}
