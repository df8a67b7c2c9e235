/**
 * Empties the trash of what moored deleted, once `trash.grace` of moored.yaml is over; without that setting nothing is ever
 * removed by itself. File by file, by our own record.
 */
import { expiredTrash } from '../plan/trash-expiry.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Images } from '../ports/images.ts';
import type { Logger } from '../ports/logger.ts';
import type { StorageInventory } from '../ports/storage-inventory.ts';
import { StorageError } from '../world/storage-error.ts';
import type { FullOrphanList } from './orphan-collection.ts';
import type { TrashRecord, TrashRecords } from './trash-records.ts';

const lookEveryMs = 3_600_000;

/** While nothing may be called an orphan for certain, as before the manifests were read; then less and less often. */
const firstHeldRetryMs = 5_000;

export interface TrashEmptyingOptions {
  readonly records: TrashRecords;
  readonly images: Pick<Images, 'stat'>;
  readonly inventory: Pick<StorageInventory, 'unlinkTrashed'>;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly graceMs: number;
  readonly look: () => Promise<FullOrphanList>;
}

export class TrashEmptying {
  readonly #options: TrashEmptyingOptions;
  #cancel: (() => void) | undefined;
  #isStopped = false;

  constructor(options: TrashEmptyingOptions) {
    this.#options = options;
  }

  /** Looks now, and each hour. */
  async start(heldRetryMs = firstHeldRetryMs): Promise<void> {
    if (this.#isStopped) return;
    const isHeld = (await this.#empty()) === 'held';
    if (this.#isStopped) return;
    const delayMs = isHeld ? Math.min(heldRetryMs, lookEveryMs) : lookEveryMs;
    const nextHeldRetryMs = isHeld ? delayMs * 2 : firstHeldRetryMs;
    this.#cancel = this.#options.clock.after(delayMs, () => void this.start(nextHeldRetryMs));
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  async #empty(): Promise<'looked' | 'held'> {
    const { records, clock, graceMs, look, logger } = this.#options;
    if (records.list().length === 0) return 'looked';
    const { orphans, held } = await look();
    if (held !== '') return 'held';
    const now = Date.parse(clock.timestamp());
    for (const record of expiredTrash(records.list(), orphans, { now, graceMs })) {
      try {
        this.#remove(record);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        logger.warn('trash kept', { path: record.path, error: error.message });
      }
    }
    return 'looked';
  }

  #remove({ path, device, inode, volumeHandle }: TrashRecord): void {
    const { images, inventory, records, events, logger } = this.#options;
    const facts = images.stat(path);
    if (facts?.inode.toString() !== inode || facts.device.toString() !== device) {
      logger.warn('trash kept', { path, error: 'it is another file than was put there' });
      return;
    }
    inventory.unlinkTrashed(path);
    records.remove(path);
    logger.info('trash emptied', { path, volume: volumeHandle });
    events.record({ reason: 'TrashEmptied', regarding: `Path/${path}`, message: `volume ${volumeHandle} is gone` });
  }
}
