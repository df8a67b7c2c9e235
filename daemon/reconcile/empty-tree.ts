import type { ManagedDirectories } from '../ports/managed-directories.ts';
import { StorageError } from '../world/storage-error.ts';

/** pods/<uid>/volumes/<plugin>/<volume>/mount has five levels. */
const deepest = 16;

/**
 * Removes directories that have nothing but directories in them, the deepest first, each by rmdir(2). The first file ends
 * it: whoever wrote that decides about it.
 *
 * @throws StorageError TargetNotEmpty naming the entry; what was removed until then stays removed
 */
export function removeEmptyTree(path: string, directories: ManagedDirectories, depth = 0): void {
  for (const name of directories.list(path)) {
    const entry = `${path}/${name}`;
    const kind = directories.kindOf(entry);
    if (kind !== 'directory') throw kept(entry, `it is a ${kind}`);
    if (depth === deepest) throw kept(entry, `it is nested deeper than ${deepest} levels`);
    removeEmptyTree(entry, directories, depth + 1);
  }
  directories.remove(path);
}

function kept(entry: string, cause: string): StorageError {
  const hint = 'look at it, keep what is worth it, and remove it by hand';
  return new StorageError(`Cannot remove "${entry}": ${cause}, and moored removes empty directories only; ${hint}`, {
    code: 'TargetNotEmpty',
    target: entry,
    hint,
  });
}
