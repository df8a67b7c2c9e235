import { constants, fstatSync, fsyncSync, ftruncateSync } from 'node:fs';
import type { ImageSidecar } from '../ports/images.ts';
import { type Image, imageRefusal } from './image-action.ts';
import type { ImageDirectory } from './image-directory.ts';
import { writeSidecar } from './image-sidecar.ts';
import { requireSpace } from './image-space.ts';
import { fromNode } from './node-errno.ts';
import { withFd } from './syscalls.ts';

/**
 * Makes an image longer, only ever longer. The image first and its sidecar after it: whatever cuts this off, the sidecar
 * never says more than is there, and the next call does the rest. Throws SyscallError, StorageError.
 */
export function growImage(
  directory: ImageDirectory,
  image: Image,
  { sidecar, sizeBytes }: { readonly sidecar: ImageSidecar; readonly sizeBytes: bigint },
): 'grown' | 'asLong' {
  const kind = directory.kindOf(image.name);
  if (kind === 'absent') throw imageRefusal('NotFound', image, 'no such file');
  if (kind !== 'file') throw imageRefusal('FailedPrecondition', image, `it is a ${kind}, wanted a regular file`);
  const { isGrown, size } = withFd(directory.openFile(image.name, constants.O_RDWR), (fd) => {
    const before = fstatSync(fd, { bigint: true });
    if (before.size >= sizeBytes) return { isGrown: false, size: before.size };
    const written = before.blocks * 512n;
    requireSpace(directory, image, { asked: sizeBytes > written ? sizeBytes - written : 0n, size: sizeBytes });
    fromNode(() => {
      ftruncateSync(fd, Number(sizeBytes));
      fsyncSync(fd);
    });
    return { isGrown: true, size: sizeBytes };
  });
  if (BigInt(sidecar.sizeBytes) < size) {
    writeSidecar(directory, image.name, { ...sidecar, sizeBytes: size.toString() });
  }
  return isGrown ? 'grown' : 'asLong';
}
