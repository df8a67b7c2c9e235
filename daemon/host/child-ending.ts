import type { SpawnedChild } from './spawned-child.ts';

/** From SIGTERM to SIGKILL: mkfs and fsck leave things tidier when they end themselves. */
const killAfterMs = 2000;
/** From SIGKILL to giving up: a process in state D dies when its device answers, perhaps never (waitpid(2) would hang). */
const abandonAfterMs = 1000;

/**
 * Ends a child and what it started: signals go to its process group, which it leads. Calls `onAbandoned` when the kernel
 * has not ended it a second after SIGKILL. A group is only signalled until its leader was reaped: from then on the number
 * may be somebody else's.
 */
export class ChildEnding {
  readonly #child: SpawnedChild;
  readonly #onAbandoned: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(child: SpawnedChild, onAbandoned: () => void) {
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
    if (!this.#child.hasEnded) process.kill(-this.#child.pid, signal);
  }
}
