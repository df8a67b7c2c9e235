import type { MountTable } from '../world/mount-table.ts';

/** The kernel's mount table of this mount namespace. */
export interface MountTableSource {
  /** The table as last read; may be older than the kernel's by one change. */
  current(): MountTable;
  /**
   * A table whose reading began after this call; concurrent callers share one reading. Rejects if the kernel's table
   * cannot be read: an unreadable table is never an empty one.
   */
  refresh(): Promise<MountTable>;
  /** Called after each change of the kernel's table, with the new reading. Returns the unsubscribe. */
  onChange(listener: (table: MountTable) => void): () => void;
}
