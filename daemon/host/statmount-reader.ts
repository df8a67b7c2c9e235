import { MountTable } from '../world/mount-table.ts';
import { inCoverOrder } from './cover-order.ts';
import type { MountTableReader } from './mount-table-reader.ts';
import { isSameIds, listMountIds, type MountReading, readMount } from './statmount.ts';

/** Mounts read in one go by `readRest`: about a millisecond. */
const PORTION = 128;

/**
 * The table from listmount(2) and statmount(2), for machines with thousands of mounts of other people. All ids come with
 * one call (0.1 us each). Read one by one (7 us each) are the mounts that are new, and those below the managed root,
 * because a remount or a move keeps the id; the other ones are left to `readRest`.
 */
export class StatmountReader implements MountTableReader {
  readonly leavesRest = true;
  readonly #managedRoot: string;
  readonly #readings = new Map<bigint, MountReading>();
  readonly #managed = new Set<bigint>();
  #ids: BigUint64Array = new BigUint64Array();
  #table = new MountTable([]);

  constructor(managedRoot: string) {
    this.#managedRoot = managedRoot;
  }

  read(): MountTable {
    const ids = listMountIds();
    const unsure = new Set(this.#managed);
    if (!isSameIds(ids, this.#ids)) {
      const known = new Set(this.#ids);
      for (const id of ids) if (!known.delete(id)) unsure.add(id);
      for (const gone of known) unsure.add(gone);
      this.#ids = ids;
    }
    return this.#readAgain(unsure);
  }

  async readRest(pause: () => Promise<void>): Promise<MountTable> {
    const ids = [...this.#readings.keys()];
    for (let start = 0; start < ids.length; start += PORTION) {
      if (start > 0) await pause();
      this.#readAgain(ids.slice(start, start + PORTION).filter((id) => this.#readings.has(id)));
    }
    return this.#table;
  }

  /** Unique ids make equal readings proof of no change: then the table stays the same object. */
  #readAgain(ids: Iterable<bigint>): MountTable {
    let isChanged = false;
    for (const id of ids) {
      const before = this.#readings.get(id);
      const reading = readMount(id, before);
      if (reading === before) continue;
      isChanged = true;
      this.#take(id, reading);
    }
    if (isChanged) this.#table = new MountTable(inCoverOrder([...this.#readings.values()].map(({ info }) => info)));
    return this.#table;
  }

  #take(id: bigint, reading: MountReading | undefined): void {
    if (reading === undefined) this.#readings.delete(id);
    else this.#readings.set(id, reading);
    const mountPoint = reading?.info.mountPoint ?? '';
    if (`${mountPoint}/`.startsWith(`${this.#managedRoot}/`)) this.#managed.add(id);
    else this.#managed.delete(id);
  }
}
