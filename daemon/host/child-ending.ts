import type { ChildProcess } from 'node:child_process';

/** From SIGTERM to SIGKILL: mkfs and fsck leave things tidier when they end themselves. */
const killAfterMs = 2000;
/** From SIGKILL to giving up: a process in state D dies when its device answers, perhaps never (waitpid(2) would hang). */
const abandonAfterMs = 1000;

/**
 * Ends a child and what it started: signals go to its process group, which it leads (`detached`). Calls `onAbandoned`
 * when the kernel has not ended it a second after SIGKILL. A group is only signalled until its leader was reaped: from
 * then on the number may be somebody else's.
 */
export class ChildEnding {
  readonly #child: ChildProcess;
  readonly #onAbandoned: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(child: ChildProcess, onAbandoned: () => void) {
    this.#child = child;
    this.#onAbandoned = onAbandoned;
  }

  /** Sends SIGTERM, and what follows if that is not enough. */
  start(): void {
    this.#kill('SIGTERM');
    this.#timer = setTimeout(() => {
      this.#kill('SIGKILL');
      this.#timer = setTimeout(this.#onAbandoned, abandonAfterMs);
    }, killAfterMs);
  }

  /** The child has ended. */
  cancel(): void {
    clearTimeout(this.#timer);
  }

  #kill(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, signal);
    } catch (error) {
      // ESRCH: it ended, and Node has not told us yet.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}
