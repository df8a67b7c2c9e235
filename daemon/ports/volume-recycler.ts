/** Empties directories of volumes with policy Recycle: what is in them is removed, they themselves stay. */
export interface VolumeRecycler {
  /**
   * Entry by entry and by descriptor, never through a symlink and never across a mount, in portions. Rejects at the first
   * entry that is on another mount, when the path is no directory or has a symlink in it, and when the signal aborts;
   * what was removed until then stays removed.
   */
  empty(path: string, signal: AbortSignal): Promise<void>;
}
