/**
 * Children by node:child_process. Not by execa 10: a child costs the daemon 3.1-3.6 ms of CPU there and 0.8-1.3 ms here
 * (medians of 200 children, 65 MB of RSS, two cores), 6.0-6.7 ms against 2.0-3.5 ms of wall time, and the import another
 * 45 MB and 130-200 ms. What execa adds (shells, pipes, templates) is what a daemon that runs mkfs must not have.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { ChildOptions, ChildProcesses, ChildResult } from '../ports/child-processes.ts';
import { StorageError } from '../world/storage-error.ts';
import { ChildEnding } from './child-ending.ts';
import { findTool, installCommand, toolDirectories } from './find-tool.ts';

const defaultDeadlineMs = 120_000;
const outputLimit = 64 * 1024;
/** How long a grandchild (a daemon that a mount helper left behind) may hold our pipes open after the child has ended. */
const pipeGraceMs = 1000;

/**
 * All that a child gets to know. English messages are parsed; blkid shall keep no cache of what devices once held; mount(8)
 * since 2.39 uses move_mount(2), which does not follow the /proc/<pid>/fd link that is our target: mount(2) does.
 */
const environment = {
  PATH: toolDirectories.join(':'),
  LC_ALL: 'C',
  BLKID_FILE: '/dev/null',
  LIBMOUNT_FORCE_MOUNT2: 'always',
};

export class SpawnedChildProcesses implements ChildProcesses {
  async run(tool: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
    const path = findTool(tool);
    if (path === undefined) throw toolMissing(tool);
    const command = [tool, ...args].join(' ');
    if (options.signal.aborted) throw aborted(command, 'before it was started', 'transient');
    return runChild(start(path, args, command, options.input), options, command);
  }
}

function runChild(child: ChildProcess, options: ChildOptions, command: string): Promise<ChildResult> {
  const { signal, deadlineMs = defaultDeadlineMs } = options;
  const { promise, resolve, reject } = Promise.withResolvers<ChildResult>();
  const startedAt = performance.now();
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const ending = new ChildEnding(child, () => abandon());
  const deadline = setTimeout(() => end(deadlineExceeded(command, deadlineMs)), deadlineMs);
  signal.addEventListener('abort', onAbort);
  let pipeGrace: NodeJS.Timeout | undefined;
  let ended: StorageError | undefined;

  child.on('error', (error) => settle(() => reject(notStarted(command, error))));
  child.once('exit', () => {
    pipeGrace = setTimeout(() => destroyPipes(child), pipeGraceMs);
  });
  child.once('close', (exitCode, signalName) =>
    settle(() => {
      if (ended !== undefined) reject(ended);
      else if (exitCode === null) reject(killed(command, signalName));
      else resolve({ exitCode, stdout: stdout(), stderr: stderr(), durationMs: performance.now() - startedAt });
    }),
  );
  return promise;

  function onAbort(): void {
    end(aborted(command, 'while it ran', 'uncertain'));
  }

  function end(reason: StorageError): void {
    if (ended !== undefined) return;
    ended = reason;
    ending.start();
  }

  function abandon(): void {
    settle(() => reject(unkillable(command, child.pid, ended)));
    destroyPipes(child);
    // The daemon may end while this one still hangs.
    child.unref();
  }

  function settle(how: () => void): void {
    clearTimeout(deadline);
    clearTimeout(pipeGrace);
    ending.cancel();
    signal.removeEventListener('abort', onAbort);
    how();
  }
}

/** In a session of its own: Ctrl-C on the daemon is not for mkfs, and no tool finds a terminal to ask on. */
function start(path: string, args: readonly string[], command: string, input: string | undefined): ChildProcess {
  const stdin = input === undefined ? 'ignore' : 'pipe';
  // The root directory: a child that hangs keeps no volume busy by standing in it.
  const place = { cwd: '/', env: environment, detached: true } as const;
  try {
    const child = spawn(path, [...args], { ...place, stdio: [stdin, 'pipe', 'pipe'] });
    // A child that does not want all of its input says so by its exit code.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    return child;
  } catch (error) {
    // Node throws some failures (an argument list too long, a NUL in it) and emits the others.
    throw notStarted(command, error instanceof Error ? error : new Error(String(error)));
  }
}

function collect(stream: Readable | null): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (length < outputLimit) chunks.push(chunk.subarray(0, outputLimit - length));
    length += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function destroyPipes(child: ChildProcess): void {
  for (const stream of child.stdio) stream?.destroy();
}

function toolMissing(tool: string): StorageError {
  const hint = installCommand(tool);
  return new StorageError(`Cannot run "${tool}": not found in ${toolDirectories.join(', ')}`, {
    code: 'Unimplemented',
    progress: 'transient',
    operation: tool,
    ...(hint === undefined ? {} : { hint }),
  });
}

function notStarted(command: string, cause: Error): StorageError {
  const errno = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const isShortage = ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'].includes(errno);
  return new StorageError(`Cannot run "${command}": ${cause.message}`, {
    code: isShortage ? 'ResourceExhausted' : 'Internal',
    progress: 'transient',
    ...(errno === '' ? {} : { errno }),
    cause,
  });
}

function aborted(command: string, when: string, progress: 'transient' | 'uncertain'): StorageError {
  return new StorageError(`Cannot run "${command}": stopped by moored ${when}`, { code: 'Aborted', progress });
}

function deadlineExceeded(command: string, deadlineMs: number): StorageError {
  const message = `Cannot run "${command}": not finished after ${deadlineMs / 1000} s`;
  return new StorageError(message, { code: 'DeadlineExceeded', progress: 'uncertain' });
}

function killed(command: string, signalName: string | null): StorageError {
  const message = `Cannot run "${command}": ended by ${signalName ?? 'a signal'} from outside moored`;
  return new StorageError(message, { code: 'Internal', progress: 'uncertain' });
}

function unkillable(command: string, pid: number | undefined, reason: StorageError | undefined): StorageError {
  const before = reason?.message ?? `Cannot run "${command}"`;
  return new StorageError(`${before}; process ${pid ?? ''} does not die, it waits in the kernel for its device`, {
    code: reason?.code ?? 'DeadlineExceeded',
    progress: 'uncertain',
    hint: `cat /proc/${pid ?? ''}/stack; dmesg | tail`,
    cause: reason,
  });
}
