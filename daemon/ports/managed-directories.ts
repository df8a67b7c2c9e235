/** What is at a path, without following a symlink at its end. */
export type PathKind = 'absent' | 'directory' | 'file' | 'symlink' | 'blockDevice' | 'other';

/**
 * Directories under the root dir. There is no recursive delete: `remove` is rmdir(2) (or unlink of one empty file).
 * Paths outside the root dir throw PermissionDenied. Errors other than ENOENT are never an absence.
 */
export interface ManagedDirectories {
  /** mkdir -p with 0750 on every level made; an existing directory is kept as it is. */
  ensureDirectory(path: string): void;
  /** Makes an empty regular file to bind a device node on; existing empty file is kept. */
  ensureFile(path: string): void;
  /**
   * Makes a mount point: directory mode 0000, immutable where the filesystem can. Throws TargetNotEmpty if it exists
   * and has entries. Call only while nothing is mounted on it.
   */
  seal(path: string): void;
  /** Takes the immutable flag off and removes the empty directory (or empty file); 'absent' if it was not there. */
  remove(path: string): 'removed' | 'absent';
  /** Names in a directory; [] if it does not exist. */
  list(path: string): readonly string[];
  kindOf(path: string): PathKind;
  /** chmod of a directory that we made (emptyDir: 0777). */
  setMode(path: string, mode: number): void;
  /**
   * Removes the contents of one emptyDir directory and the directory itself, entry by entry, never across a mount and
   * never through a symlink, in a killable child. Rejects at the first entry that is on another mount.
   */
  removeTree(path: string, signal: AbortSignal): Promise<void>;
}
