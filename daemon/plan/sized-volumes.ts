import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import { parseQuantity } from '../api/quantity.ts';

/** A volume with its capacity, which is read once. */
export interface Sized {
  readonly volume: StoredPersistentVolume;
  readonly milli: bigint;
}

export function sized(volume: StoredPersistentVolume): Sized {
  return { volume, milli: parseQuantity(volume.spec.capacity.storage).milli };
}

/** By capacity, then by name. */
export function compareSized(a: Sized, b: Sized): number {
  if (a.milli !== b.milli) return a.milli < b.milli ? -1 : 1;
  if (a.volume.metadata.name === b.volume.metadata.name) return 0;
  return a.volume.metadata.name < b.volume.metadata.name ? -1 : 1;
}

/** Volumes in the order of their capacities: found by halving, put in and taken out in place. */
export class SizedVolumes {
  readonly #sorted: Sized[] = [];

  add(volume: StoredPersistentVolume): void {
    const added = sized(volume);
    this.#sorted.splice(
      this.#first((other) => compareSized(other, added) >= 0),
      0,
      added,
    );
  }

  delete(volume: StoredPersistentVolume): void {
    const gone = sized(volume);
    const index = this.#first((other) => compareSized(other, gone) >= 0);
    if (this.#sorted[index]?.volume.metadata.name === volume.metadata.name) this.#sorted.splice(index, 1);
  }

  /** The smallest of at least this capacity that fits. */
  smallest(milli: bigint, fits: (volume: StoredPersistentVolume) => boolean): Sized | undefined {
    const sorted = this.#sorted;
    for (let index = this.#first((other) => other.milli >= milli); index < sorted.length; index++) {
      const candidate = sorted[index];
      if (candidate !== undefined && fits(candidate.volume)) return candidate;
    }
    return undefined;
  }

  /** Index of the first for which it holds; it holds for all after that. */
  #first(holds: (candidate: Sized) => boolean): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const candidate = this.#sorted[middle];
      if (candidate === undefined || holds(candidate)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
