import { basename } from 'node:path/posix';
import type { ImageSidecar } from '../ports/images.ts';
import { pathBeforeTrash } from '../world/trash-name.ts';
import { type Image, imageRefusal } from './image-action.ts';
import { requireKind } from './image-content.ts';
import type { ImageDirectory } from './image-directory.ts';
import { readSidecar, sidecarName, writeSidecar } from './image-sidecar.ts';

/**
 * Moves an image out of its trash, back to where it was. The sidecar comes first and goes last, as on the way in, so that
 * whatever an interruption leaves behind tells whose it is. Nothing is replaced. Throws SyscallError, StorageError.
 */
export function restoreImage(
  trash: ImageDirectory,
  directory: ImageDirectory,
  { image, sidecar }: { readonly image: Image; readonly sidecar: ImageSidecar },
): string {
  const path = pathBeforeTrash(image.path);
  if (path === undefined) throw imageRefusal('InvalidArgument', image, 'its name does not say where it was');
  const name = basename(path);
  const kind = trash.kindOf(image.name);
  requireKind(kind, sidecar, image);
  const there = directory.kindOf(name);
  if (there !== 'absent') throw imageRefusal('AlreadyExists', image, `a ${there} is at "${directory.path}/${name}"`);
  const before = readSidecar(directory, name);
  const isOurs = before.kind === 'ours' && before.sidecar.volumeHandle === sidecar.volumeHandle;
  if (before.kind !== 'absent' && !isOurs) {
    throw imageRefusal('AlreadyExists', image, `"${directory.path}/${sidecarName(name)}" is another image's`);
  }
  writeSidecar(directory, name, sidecar);
  trash.rename(image.name, directory, name);
  directory.sync();
  trash.sync();
  trash.unlink(sidecarName(image.name));
  trash.sync();
  return `${directory.path}/${name}`;
}
