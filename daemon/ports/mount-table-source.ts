import type { MountTable } from '../world/mount-table.ts';

/** The kernel's mount table of this mount namespace. */
export interface MountTableSource {
  /** The table as last read; may be older than the kernel's by one change. */
  current(): MountTable;
  /**
   * The table as it was after this call: a reading that began since, shared by concurrent callers, or the last one when
   * the kernel, asked after this call, knows of no change since it. Rejects if the kernel's table cannot be read: an
   * unreadable table is never an empty one.
   */
  refresh(): Promise<MountTable>;
  /** Called after each change of the kernel's table, with the new reading. Returns the unsubscribe. */
  onChange(listener: (table: MountTable) => void): () => void;
}
