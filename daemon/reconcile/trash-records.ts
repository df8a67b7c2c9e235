import type { Clock } from '../ports/clock.ts';
import type { Images } from '../ports/images.ts';
import type { StateStore } from '../ports/state-store.ts';

/** What moored put into a trash when it deleted a volume: by this and nothing else the trash is emptied. */
export interface TrashRecord {
  readonly path: string;
  readonly volumeHandle: string;
  /** Of the image, as decimal numbers: another file of the name is not meant. */
  readonly device: string;
  readonly inode: string;
  /** RFC 3339. */
  readonly trashedAt: string;
}

const prefix = 'trash';

export class TrashRecords {
  readonly #state: StateStore;
  readonly #images: Pick<Images, 'stat'>;
  readonly #clock: Pick<Clock, 'timestamp'>;

  constructor(state: StateStore, images: Pick<Images, 'stat'>, clock: Pick<Clock, 'timestamp'>) {
    this.#state = state;
    this.#images = images;
    this.#clock = clock;
  }

  /** An image of a deleted volume is in the trash: cut off before this, it stays there. */
  readonly remember = (path: string, volumeHandle: string): void => {
    const facts = this.#images.stat(path);
    if (facts === undefined) return;
    const identity = { device: facts.device.toString(), inode: facts.inode.toString() };
    const record: TrashRecord = { path, volumeHandle, ...identity, trashedAt: this.#clock.timestamp() };
    this.#state.put('daemon', keyOf(path), record);
  };

  list(): readonly TrashRecord[] {
    const entries = [...this.#state.entries('daemon')];
    return entries.flatMap(([key, value]) => (key.startsWith(`${prefix}/`) ? [value as TrashRecord] : []));
  }

  remove(path: string): void {
    this.#state.remove('daemon', keyOf(path));
  }
}

function keyOf(path: string): string {
  return `${prefix}${path}`;
}
