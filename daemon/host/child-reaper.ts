import { constants } from 'node:os';
import { waitStatus } from './posix-spawn.ts';
import { failedWith } from './syscall-error.ts';

/** How a child ended: one of the two; neither when somebody else's wait(2) took its status. */
export interface ChildEnd {
  readonly exitCode?: number;
  /** E.g. "SIGKILL". */
  readonly signalName?: string;
}

const onEndOf = new Map<number, (end: ChildEnd) => void>();
let isListening = false;

/**
 * Calls back once the child has ended, in the turn that reaps it: until then its pid is its own, and a signal to it
 * reaches nobody else. SIGCHLD may tell of several children at once, so each of ours is asked; libuv, which listens to
 * it too, waits for the pids of node:child_process only.
 */
export function onChildEnd(pid: number, callback: (end: ChildEnd) => void): void {
  if (!isListening) process.on('SIGCHLD', reapAll);
  isListening = true;
  onEndOf.set(pid, callback);
  // Its signal may have come before it was known here.
  reap(pid, callback);
}

function reapAll(): void {
  for (const [pid, callback] of onEndOf) reap(pid, callback);
}

function reap(pid: number, callback: (end: ChildEnd) => void): void {
  const end = endOf(pid);
  if (end === undefined) return;
  onEndOf.delete(pid);
  callback(end);
}

function endOf(pid: number): ChildEnd | undefined {
  try {
    const status = waitStatus(pid);
    return status === undefined ? undefined : decode(status);
  } catch (thrown) {
    if (failedWith(thrown, 'ECHILD')) return {};
    throw thrown;
  }
}

/** WIFEXITED, WEXITSTATUS and WTERMSIG of wait(2). */
function decode(status: number): ChildEnd {
  const signal = status & 0x7f;
  if (signal === 0) return { exitCode: (status >> 8) & 0xff };
  const known = Object.entries(constants.signals).find(([, number]) => number === signal);
  return { signalName: known?.[0] ?? `signal ${signal}` };
}
