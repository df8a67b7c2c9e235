import type { ChildOptions, ChildProcesses, ChildResult } from '../ports/child-processes.ts';
import { StorageError } from '../world/storage-error.ts';
import { ChildEnding } from './child-ending.ts';
import { confiningWords } from './confined-command.ts';
import { confinementLevel } from './confinement.ts';
import { findTool, installCommand, toolDirectories } from './find-tool.ts';
import { type Program, SpawnedChild } from './spawned-child.ts';

const defaultDeadlineMs = 120_000;
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

/**
 * Children by posix_spawn(3). Not by node:child_process, which forks: with 100 MB of RSS a child costs the daemon 2.0-2.5
 * ms of CPU there, most of it for page tables, and 0.2-0.3 ms here (means of 200 children, two cores).
 */
export class SpawnedChildProcesses implements ChildProcesses {
  async run(tool: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
    const path = findTool(tool);
    if (path === undefined) throw toolMissing(tool);
    const command = [tool, ...args].join(' ');
    if (options.signal.aborted) throw aborted(command, 'before it was started', 'transient');
    const child = await SpawnedChild.start(await programOf(path, args, options)).catch((error: unknown) => {
      throw notStarted(command, error instanceof Error ? error : new Error(String(error)));
    });
    const result = await runChild(child, options, command);
    if (isNotConfined(result, options)) throw notStarted(command, new Error(result.stderr.trim()));
    return result;
  }
}

async function programOf(path: string, args: readonly string[], options: ChildOptions): Promise<Program> {
  const { input, confinement, deadlineMs = defaultDeadlineMs } = options;
  const plain = { path, args, environment, input, isExpendable: confinement !== undefined };
  if (confinement === undefined) return plain;
  const [tool = '', ...words] = confiningWords(await confinementLevel(), confinement, Math.ceil(deadlineMs / 1000));
  const confining = findTool(tool);
  return confining === undefined ? plain : { ...plain, path: confining, args: [...words, path, ...args] };
}

/** They end with 1 or 127 when they cannot do what they are told, and 1 is an answer of most tools. */
function isNotConfined({ exitCode, stderr }: ChildResult, { confinement }: ChildOptions): boolean {
  return confinement !== undefined && exitCode !== 0 && /^(setpriv|prlimit): /.test(stderr);
}

function runChild(child: SpawnedChild, options: ChildOptions, command: string): Promise<ChildResult> {
  const { signal, deadlineMs = defaultDeadlineMs } = options;
  const { promise, resolve, reject } = Promise.withResolvers<ChildResult>();
  const startedAt = performance.now();
  const ending = new ChildEnding(child, () => abandon());
  const deadline = setTimeout(() => end(deadlineExceeded(command, deadlineMs)), deadlineMs);
  signal.addEventListener('abort', onAbort);
  let ended: StorageError | undefined;
  if (signal.aborted) onAbort();

  void child.closed.then(({ exitCode, signalName }) => {
    stopWaiting();
    const { stdout, stderr } = child;
    if (ended !== undefined) reject(ended);
    else if (exitCode === undefined) reject(killed(command, signalName));
    else resolve({ exitCode, stdout, stderr, durationMs: performance.now() - startedAt });
  });
  return promise;

  function onAbort(): void {
    end(aborted(command, 'while it ran', 'uncertain'));
  }

  function end(reason: StorageError): void {
    if (ended !== undefined) return;
    ended = reason;
    ending.start();
  }

  /** The daemon may go on, and end, while this one still hangs. */
  function abandon(): void {
    stopWaiting();
    reject(unkillable(command, child.pid, ended));
    child.destroyPipes();
  }

  function stopWaiting(): void {
    clearTimeout(deadline);
    ending.cancel();
    signal.removeEventListener('abort', onAbort);
  }
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

function killed(command: string, signalName: string | undefined): StorageError {
  const message = `Cannot run "${command}": ended by ${signalName ?? 'a signal'} from outside moored`;
  return new StorageError(message, { code: 'Internal', progress: 'uncertain' });
}

function unkillable(command: string, pid: number, reason: StorageError | undefined): StorageError {
  const before = reason?.message ?? `Cannot run "${command}"`;
  return new StorageError(`${before}; process ${pid} does not die, it waits in the kernel for its device`, {
    code: reason?.code ?? 'DeadlineExceeded',
    progress: 'uncertain',
    pid,
    hint: `cat /proc/${pid}/stack; dmesg | tail`,
    cause: reason,
  });
}
