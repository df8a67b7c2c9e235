import { writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { type ChildEnd, onChildEnd } from './child-reaper.ts';
import { type Pipe, pipe, posixSpawn } from './posix-spawn.ts';
import { close } from './syscalls.ts';

const outputLimit = 64 * 1024;
/** How long a grandchild (a daemon that a mount helper left behind) may hold our pipes open after the child has ended. */
const pipeGraceMs = 1000;

export interface Program {
  /** Absolute path. */
  readonly path: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Given to stdin, which then ends; without it stdin is empty. */
  readonly input: string | undefined;
  /** When memory runs out it is like any other process: the daemon is killed last (its unit), which a child inherits. */
  readonly isExpendable: boolean;
}

/**
 * A child in the root directory (one that hangs keeps no volume busy by standing in it) and in a session of its own:
 * Ctrl-C on the daemon is not for mkfs, and no tool finds a terminal to ask on.
 */
export class SpawnedChild {
  readonly pid: number;
  /** Resolves when it has ended and its output too, or nobody waits for the output any more. */
  readonly closed: Promise<ChildEnd>;
  readonly #output: { readonly stdout: ChildOutput; readonly stderr: ChildOutput };
  readonly #input: Socket | undefined;
  #hasEnded = false;

  /** Rejects with an Error, with an errno name as `code` where there is one, when nothing was started. */
  static async start(program: Program): Promise<SpawnedChild> {
    return new SpawnedChild(await start(program), program.input ?? '');
  }

  private constructor({ pid, stdout, stderr, stdin }: Started, input: string) {
    this.pid = pid;
    const ended = new Promise<ChildEnd>((resolve) => {
      onChildEnd(pid, (end) => {
        this.#hasEnded = true;
        resolve(end);
      });
    });
    this.#output = { stdout: new ChildOutput(stdout), stderr: new ChildOutput(stderr) };
    this.#input = stdin === undefined ? undefined : inputSocket(stdin, input);
    this.closed = this.#close(ended);
  }

  /** Once true the pid may be somebody else's. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get stdout(): string {
    return this.#output.stdout.text;
  }

  get stderr(): string {
    return this.#output.stderr.text;
  }

  /** Nothing is read or written any more, and the event loop waits for nothing of this child. */
  destroyPipes(): void {
    for (const { socket } of Object.values(this.#output)) socket.destroy();
    this.#input?.destroy();
  }

  async #close(ended: Promise<ChildEnd>): Promise<ChildEnd> {
    const end = await ended;
    const grace = setTimeout(() => this.destroyPipes(), pipeGraceMs);
    await Promise.all(Object.values(this.#output).map(({ closed }) => closed));
    clearTimeout(grace);
    this.destroyPipes();
    return end;
  }
}

/** The first 64 KiB of a pipe; the rest is read and dropped, so that the child never waits for us. */
class ChildOutput {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(readEnd: number) {
    this.socket = new Socket({ fd: readEnd, readable: true, writable: false });
    this.socket.on('data', (chunk: Buffer) => {
      if (this.#length < outputLimit) this.#chunks.push(chunk.subarray(0, outputLimit - this.#length));
      this.#length += chunk.length;
    });
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

function inputSocket(writeEnd: number, input: string): Socket {
  const socket = new Socket({ fd: writeEnd, readable: false, writable: true });
  // A child that does not want all of its input says so by its exit code.
  socket.on('error', () => undefined);
  socket.end(input);
  return socket;
}

/** Of a child that was not waited for yet, so that its pid is its own. */
function resetOomScore(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '0');
  } catch {
    // It has ended, or the kernel refuses: it keeps what it has.
  }
}

/** A started child and our ends of its pipes. */
interface Started {
  readonly pid: number;
  readonly stdout: number;
  readonly stderr: number;
  readonly stdin: number | undefined;
}

async function start({ path, args, environment, input, isExpendable }: Program): Promise<Started> {
  const argv = [path, ...args];
  if (argv.some((argument) => argument.includes('\0'))) throw new Error('there is a NUL in an argument');
  const pipes: Pipe[] = [];
  const newPipe = () => {
    const made = pipe();
    pipes.push(made);
    return made;
  };
  try {
    const stdout = newPipe();
    const stderr = newPipe();
    const stdin = input === undefined ? undefined : newPipe();
    const pid = await posixSpawn({
      path,
      argv,
      environment: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      directory: '/',
      stdin: stdin?.readEnd,
      stdout: stdout.writeEnd,
      stderr: stderr.writeEnd,
    });
    if (isExpendable) resetOomScore(pid);
    for (const end of [stdout.writeEnd, stderr.writeEnd, ...(stdin === undefined ? [] : [stdin.readEnd])]) close(end);
    return { pid, stdout: stdout.readEnd, stderr: stderr.readEnd, stdin: stdin?.writeEnd };
  } catch (error) {
    for (const { readEnd, writeEnd } of pipes) for (const end of [readEnd, writeEnd]) close(end);
    throw error;
  }
}
