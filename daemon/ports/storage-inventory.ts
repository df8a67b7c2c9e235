import type { Inventory } from '../world/inventory.ts';

/**
 * What lies in the directories that moored fills. Looking is bounded, follows no link and crosses no mount. All failures
 * are StorageErrors; a directory that cannot be read is in `incomplete` and never an empty one.
 */
export interface StorageInventory {
  /** @param imageDirectories beside the root dir's own: those that classes name */
  list(imageDirectories: readonly string[]): Inventory;
  /**
   * Moves a directory or file below the root dir into its quarantine, by one rename on one filesystem: whatever is in it
   * stays as it is. Refuses a mount point (Busy), and what lies on another filesystem (ForeignMount).
   * @param name in the quarantine; what is there already is not replaced (AlreadyExists)
   * @returns the new path
   */
  quarantine(path: string, name: string): string;
  /** Unlinks one unfinished sidecar in the quarantine. */
  unlinkTemporary(path: string): void;
  /** Unlinks one image in a trash, then its sidecar; refuses what is not in a trash or has no sidecar of ours. */
  unlinkTrashed(path: string): void;
}
