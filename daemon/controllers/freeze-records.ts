import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { CopyWay, ImageCopies } from '../ports/image-copies.ts';
import type { Logger } from '../ports/logger.ts';
import type { StateStore } from '../ports/state-store.ts';
import type { VolumesInUse } from '../ports/volumes-in-use.ts';
import { asStorageError, StorageError } from '../world/storage-error.ts';

type Freeze = Extract<CopyWay, { kind: 'frozen' }>;

/** What is written before a filesystem is frozen, and goes when it is known to be thawed. */
interface FreezeRecord {
  readonly mountPoint: string;
  /** Missing in a record of an older moored. */
  readonly imagePath?: string;
  readonly at: string;
}

export interface FreezeRecordsOptions {
  readonly state: StateStore;
  readonly imageCopies: Pick<ImageCopies, 'thaw'>;
  readonly volumesInUse: Pick<VolumesInUse, 'mountPointOf'>;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
}

const prefix = 'frozen:';
const retryMs = 5_000;

/**
 * Nothing stays frozen: the child that freezes thaws, also when the daemon dies; this is for the case that both do. The
 * record is durable before the freeze, and every one that is found at a start, or after a failure, is thawed: through any
 * mount of the filesystem, because a freeze is the superblock's, which it keeps alive without any (freeze_super, super.c).
 */
export class FreezeRecords {
  readonly #options: FreezeRecordsOptions;
  #cancelRetry: (() => void) | undefined;
  #isStopped = false;

  constructor(options: FreezeRecordsOptions) {
    this.#options = options;
  }

  /** Runs `work`, which may freeze; when it fails and cannot say that it has thawed (progress uncertain), that is seen to. */
  async around<T>({ mountPoint }: Freeze, imagePath: string, work: () => Promise<T>): Promise<T> {
    const { state, clock } = this.#options;
    const record: FreezeRecord = { mountPoint, imagePath, at: clock.timestamp() };
    const key = `${prefix}${mountPoint}`;
    const isLeftOfOurs = state.entries('daemon').has(key);
    state.put('daemon', key, record);
    await state.durable();
    try {
      const result = await work();
      state.remove('daemon', key);
      return result;
    } catch (thrown) {
      // A freeze of somebody else is not ours to end: thawed is only what may be of a copy that died.
      const isOver = thrown instanceof StorageError && thrown.progress !== 'uncertain';
      if (isOver && !isLeftOfOurs) state.remove('daemon', key);
      else await this.#thaw(record);
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

  async #thaw(record: FreezeRecord): Promise<void> {
    const { mountPoint, at } = record;
    const { state, imageCopies, logger, events, clock } = this.#options;
    try {
      const path = await this.#whereMounted(record);
      // Its own: whoever gave up the copy must not give up the thaw.
      const outcome = await imageCopies.thaw(path, new AbortController().signal);
      state.remove('daemon', `${prefix}${mountPoint}`);
      if (outcome === 'thawed') logger.warn('filesystem thawed', { path, frozenSince: at });
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

  async #whereMounted({ mountPoint, imagePath }: FreezeRecord): Promise<string> {
    if (imagePath === undefined) return mountPoint;
    const found = await this.#options.volumesInUse.mountPointOf(imagePath);
    if (!found.isAttached) return mountPoint;
    if (found.mountPoint !== undefined) return found.mountPoint;
    throw new StorageError(`Cannot thaw the filesystem in "${imagePath}": its device is mounted nowhere`, {
      code: 'FailedPrecondition',
      progress: 'transient',
      source: imagePath,
      hint: 'mount it anywhere, then fsfreeze --unfreeze there',
    });
  }
}
