/** Copies of images, few at once and in the order in which they were asked for; how far each is. */
import type { ObjectKey } from '../api/meta.ts';
import type { Clock } from '../ports/clock.ts';
import type { CopyProgress, ImageCopies } from '../ports/image-copies.ts';
import { StorageError } from '../world/storage-error.ts';

export interface QueuedCopy {
  /** What it is made for: a claim or a snapshot. */
  readonly key: ObjectKey;
  /** The volume that is read for a snapshot, or the one that is made. */
  readonly volume: string;
  readonly source: string;
  readonly target: string;
}

export interface CopyState extends QueuedCopy {
  readonly state: 'running' | 'waiting';
  /** RFC 3339: when it began, or from when on it waits for its turn. */
  readonly since: string;
  readonly message: string;
  /** undefined before there is a file. */
  readonly progress?: CopyProgress;
}

export interface CopyQueueOptions {
  readonly imageCopies: Pick<ImageCopies, 'progressOf'>;
  readonly clock: Pick<Clock, 'timestamp'>;
  /** How many run at once. */
  readonly copyLimit: number;
}

interface Turn {
  readonly since: string;
  readonly come: () => void;
}

/**
 * Each copy has a child that reads and writes as fast as the disk can: many at once are no faster together, and take the
 * page cache from the pods. While one waits nothing is held and nothing is frozen for it.
 */
export class CopyQueue {
  readonly #options: CopyQueueOptions;
  /** Since when. */
  readonly #running = new Map<QueuedCopy, string>();
  readonly #waiting = new Map<QueuedCopy, Turn>();

  constructor(options: CopyQueueOptions) {
    this.#options = options;
  }

  /** @throws StorageError Aborted when it is given up before its turn */
  async run<T>(copy: QueuedCopy, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const { clock, copyLimit } = this.#options;
    if (this.#running.size < copyLimit) this.#running.set(copy, clock.timestamp());
    else await this.#turn(copy, signal);
    try {
      if (signal.aborted) throw givenUp(copy);
      return await work();
    } finally {
      this.#running.delete(copy);
      this.#beginNext();
    }
  }

  /** Those that run, then those that wait, in their order. */
  get all(): readonly CopyState[] {
    return [
      ...[...this.#running].map(([copy, since]) => this.#runningState(copy, since)),
      ...[...this.#waiting].map(([copy, { since }], ahead) => this.#waitingState(copy, since, ahead)),
    ];
  }

  async #turn(copy: QueuedCopy, signal: AbortSignal): Promise<void> {
    const { promise, resolve: come } = Promise.withResolvers<void>();
    this.#waiting.set(copy, { since: this.#options.clock.timestamp(), come });
    const giveUp = (): void => {
      this.#waiting.delete(copy);
      come();
    };
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
    await promise;
    signal.removeEventListener('abort', giveUp);
  }

  /** In the same turn, so that nobody takes the place of the one that waited. */
  #beginNext(): void {
    const { clock, copyLimit } = this.#options;
    const [first] = this.#waiting;
    if (first === undefined || this.#running.size >= copyLimit) return;
    const [copy, { come }] = first;
    this.#waiting.delete(copy);
    this.#running.set(copy, clock.timestamp());
    come();
  }

  #runningState(copy: QueuedCopy, since: string): CopyState {
    const progress = this.#options.imageCopies.progressOf(copy);
    const far = progress === undefined ? '' : `: ${formatProgress(progress)} are on the disk`;
    const message = `its data is being copied${far}`;
    return { ...copy, state: 'running', since, message, ...(progress === undefined ? {} : { progress }) };
  }

  #waitingState(copy: QueuedCopy, since: string, ahead: number): CopyState {
    const running = [...this.#running.keys()].map(({ key }) => key).join(', ');
    const before = ahead === 0 ? 'it is the next' : `${ahead} before it`;
    const message = `its data is to be copied: ${before}, and ${this.#options.copyLimit} run at once, now for ${running}`;
    return { ...copy, state: 'waiting', since, message };
  }
}

/** With the blocks that the two share, which are there at once. */
function formatProgress({ doneBytes, totalBytes }: CopyProgress): string {
  return `${doneBytes >> 20n}Mi of ${totalBytes >> 20n}Mi`;
}

function givenUp({ source }: QueuedCopy): StorageError {
  return new StorageError(`Cannot copy image "${source}": given up before its turn`, {
    code: 'Aborted',
    progress: 'transient',
  });
}
