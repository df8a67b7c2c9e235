import { constants, fstatSync, fsyncSync, ftruncateSync } from 'node:fs';
import type { ImageSidecar } from '../ports/images.ts';
import { isAllHole } from './blank-image.ts';
import { type Image, imageRefusal } from './image-action.ts';
import type { ImageDirectory } from './image-directory.ts';
import { readSidecar, type SidecarState, sidecarName, writeSidecar } from './image-sidecar.ts';
import { requireSpace } from './image-space.ts';
import { fromNode } from './node-errno.ts';
import { withFd } from './syscalls.ts';

/** Makes sidecar and image, or what an interrupted creation left out of the two. Throws SyscallError, StorageError. */
export function createImage(directory: ImageDirectory, image: Image, sidecar: ImageSidecar): 'created' | 'exists' {
  const state = readSidecar(directory, image.name);
  const isThere = directory.kindOf(image.name) !== 'absent';
  requireSameIdentity(state, isThere, sidecar, image);
  if (isThere && sidecar.content === 'directory') return keepDirectory(directory, image);
  if (isThere) return completeImage(directory, image, sidecar);
  requireSpace(directory, image, { asked: BigInt(sidecar.sizeBytes), size: BigInt(sidecar.sizeBytes) });
  if (state.kind === 'absent') writeSidecar(directory, image.name, sidecar);
  if (sidecar.content === 'directory') directory.makeDirectory(image.name);
  else makeImage(directory, image, sidecar);
  return 'created';
}

function keepDirectory(directory: ImageDirectory, image: Image): 'exists' {
  const kind = directory.kindOf(image.name);
  if (kind !== 'directory') throw imageRefusal('AlreadyExists', image, `a ${kind} is there`);
  directory.sync();
  return 'exists';
}

/** An image that is there: kept when it is whole, completed when its creation was interrupted before its size was set. */
function completeImage(directory: ImageDirectory, image: Image, { sizeBytes }: ImageSidecar): 'created' | 'exists' {
  const kind = directory.kindOf(image.name);
  if (kind !== 'file') throw imageRefusal('AlreadyExists', image, `a ${kind} is there`);
  return withFd(directory.openFile(image.name, constants.O_RDWR), (fd) => {
    const { size } = fstatSync(fd, { bigint: true });
    const wanted = BigInt(sizeBytes);
    const isWhole = size === wanted;
    const isBegun = size === 0n || (size < wanted && isAllHole(fd, image.path));
    if (!isWhole && !isBegun) {
      throw imageRefusal('AlreadyExists', image, `it has ${size} bytes, wanted ${sizeBytes}`);
    }
    setSize(fd, sizeBytes, isWhole);
    directory.sync();
    return isWhole ? 'exists' : 'created';
  });
}

function makeImage(directory: ImageDirectory, image: Image, { sizeBytes }: ImageSidecar): void {
  const { O_RDWR, O_CREAT, O_EXCL } = constants;
  withFd(directory.openFile(image.name, O_RDWR | O_CREAT | O_EXCL), (fd) => {
    try {
      setSize(fd, sizeBytes, false);
    } catch (thrown) {
      // E.g. EFBIG: made a moment ago and empty. The sidecar stays for the next attempt.
      directory.unlink(image.name);
      throw thrown;
    }
    directory.sync();
  });
}

/** Also what is whole already is synced: the creation that made it may have ended before it did so. */
function setSize(fd: number, sizeBytes: string, isWhole: boolean): void {
  fromNode(() => {
    if (!isWhole) ftruncateSync(fd, Number(sizeBytes));
    fsyncSync(fd);
  });
}

function requireSameIdentity(state: SidecarState, isThere: boolean, wanted: ImageSidecar, image: Image): void {
  const sidecar = sidecarName(image.path);
  if (state.kind === 'absent') {
    if (isThere) throw imageRefusal('AlreadyExists', image, `a file without sidecar "${sidecar}" is there`);
    return;
  }
  if (state.kind === 'foreign') throw imageRefusal('AlreadyExists', image, `"${sidecar}" is ${state.reason}`);
  for (const field of ['driver', 'volumeHandle', 'sizeBytes'] as const) {
    const found = state.sidecar[field];
    if (found === wanted[field]) continue;
    throw imageRefusal('AlreadyExists', image, `its sidecar has ${field} "${found}", wanted "${wanted[field]}"`);
  }
}
