import type { MountTable } from '../world/mount-table.ts';

/** One way to read the kernel's mount table. */
export interface MountTableReader {
  /**
   * Reads the table; the same object as last time when it can prove that nothing changed. `afterChange`: the kernel
   * told of a change.
   */
  read(afterChange: boolean): MountTable;
  /** Whether `read` may have left changed options or places of old mounts unread, for `readRest` to find. */
  readonly leavesRest: boolean;
  /** Reads what `read` left out, in small portions; `pause` is awaited between two. */
  readRest(pause: () => Promise<void>): Promise<MountTable>;
}
