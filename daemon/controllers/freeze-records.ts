import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { CopyWay, ImageCopies } from '../ports/image-copies.ts';
import type { Logger } from '../ports/logger.ts';
import type { StateStore } from '../ports/state-store.ts';
import { asStorageError } from '../world/storage-error.ts';

type Freeze = Extract<CopyWay, { kind: 'frozen' }>;

/** What is written before a filesystem is frozen, and goes when it is known to be thawed. */
interface FreezeRecord {
  readonly mountPoint: string;
  readonly at: string;
}

export interface FreezeRecordsOptions {
  readonly state: StateStore;
  readonly imageCopies: Pick<ImageCopies, 'thaw'>;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
}

const prefix = 'frozen:';
const retryMs = 5_000;

/**
 * Nothing stays frozen: the child that freezes thaws, also when the daemon dies; this is for the case that both do. The
 * record is durable before the freeze, and every one that is found at a start, or after a failure, is thawed.
 */
export class FreezeRecords {
  readonly #options: FreezeRecordsOptions;
  #cancelRetry: (() => void) | undefined;
  #isStopped = false;

  constructor(options: FreezeRecordsOptions) {
    this.#options = options;
  }

  /** Runs `work`, which may freeze; when it fails, the thaw is seen to. */
  async around<T>({ mountPoint }: Freeze, work: () => Promise<T>): Promise<T> {
    const { state, clock } = this.#options;
    const record: FreezeRecord = { mountPoint, at: clock.timestamp() };
    state.put('daemon', `${prefix}${mountPoint}`, record);
    await state.durable();
    try {
      const result = await work();
      state.remove('daemon', `${prefix}${mountPoint}`);
      return result;
    } catch (thrown) {
      await this.#thaw(record);
      throw thrown;
    }
  }

  /** Everything that a record says may be frozen. */
  async thawAll(): Promise<void> {
    const records = [...this.#options.state.entries('daemon')].flatMap(([key, value]) =>
      key.startsWith(prefix) ? [value as FreezeRecord] : [],
    );
    await Promise.all(records.map((record) => this.#thaw(record)));
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelRetry?.();
  }

  async #thaw({ mountPoint, at }: FreezeRecord): Promise<void> {
    const { state, imageCopies, logger, events, clock } = this.#options;
    try {
      // Its own: whoever gave up the copy must not give up the thaw.
      const outcome = await imageCopies.thaw(mountPoint, new AbortController().signal);
      state.remove('daemon', `${prefix}${mountPoint}`);
      if (outcome === 'thawed') logger.warn('filesystem thawed', { path: mountPoint, frozenSince: at });
    } catch (thrown) {
      const error = asStorageError(thrown, `Cannot thaw the filesystem at "${mountPoint}"`);
      logger.error('filesystem not thawed', { path: mountPoint, error: error.message });
      events.record({
        reason: 'FilesystemNotThawed',
        regarding: `Filesystem/${mountPoint}`,
        message: error.message,
        error,
      });
      if (this.#isStopped) return;
      this.#cancelRetry?.();
      this.#cancelRetry = clock.after(retryMs, () => void this.thawAll());
    }
  }
}
