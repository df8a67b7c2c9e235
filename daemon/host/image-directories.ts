import { basename, dirname } from 'node:path/posix';
import { type Image, imageRefusal } from './image-action.ts';
import { ImageDirectory } from './image-directory.ts';
import type { PathOpener } from './open-beneath.ts';
import { failedWith } from './syscall-error.ts';

export function openImageDirectory(path: string, opener: PathOpener): ImageDirectory | undefined {
  try {
    return ImageDirectory.open(path, opener);
  } catch (thrown) {
    if (failedWith(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

/**
 * The directory of an image, made where it is ours to make: below the root dir's images, the one that the image lies in,
 * and a `.snapshots` with what is below it. Refuses one that somebody else may write to. Throws SyscallError, StorageError.
 */
export function ensureImageDirectory(image: Image, imagesDirectory: string, opener: PathOpener): ImageDirectory {
  const directory = ensure(dirname(image.path), { image, imagesDirectory, opener });
  if (!directory.isWritableByOthers()) return directory;
  directory[Symbol.dispose]();
  throw imageRefusal('PermissionDenied', image, `"${directory.path}" must be root's and writable by root alone`);
}

interface Place {
  readonly image: Image;
  readonly imagesDirectory: string;
  readonly opener: PathOpener;
}

function ensure(path: string, place: Place): ImageDirectory {
  const { image, imagesDirectory, opener } = place;
  const there = openImageDirectory(path, opener);
  if (there !== undefined) return there;
  const isOurs = path === imagesDirectory || path.startsWith(`${imagesDirectory}/`);
  const isSnapshots = [path, dirname(path)].some((one) => basename(one) === '.snapshots');
  if (!isOurs && !isSnapshots && path !== dirname(image.path)) {
    throw imageRefusal('NotFound', image, `no such directory "${path}"`);
  }
  using above = ensure(dirname(path), place);
  return above.ensureDirectory(basename(path), opener);
}
