/** What lies where a sidecar says that a volume's data is: an image file, or a directory. */
import { constants, fstatSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path/posix';
import type { ImageFacts, ImageSidecar } from '../ports/images.ts';
import type { FileKind } from './file-status.ts';
import { type Image, imageRefusal } from './image-action.ts';
import { openImageDirectory } from './image-directories.ts';
import { readSidecar } from './image-sidecar.ts';
import { fromNode } from './node-errno.ts';
import type { PathOpener } from './open-beneath.ts';
import { withFd } from './syscalls.ts';

/** @throws StorageError FailedPrecondition when it is not what the sidecar says */
export function requireKind(kind: FileKind | 'absent', { content }: Pick<ImageSidecar, 'content'>, image: Image): void {
  const wanted = content ?? 'file';
  if (kind === wanted) return;
  const want = wanted === 'file' ? 'a regular file' : 'a directory';
  throw imageRefusal('FailedPrecondition', image, `it is ${kind === 'absent' ? kind : `a ${kind}`}, wanted ${want}`);
}

/** Of a directory that has a sidecar of ours and is what it says; undefined for anything else. */
export function directoryFacts(path: string, opener: PathOpener): ImageFacts | undefined {
  const name = basename(path);
  using directory = openImageDirectory(dirname(path), opener);
  if (directory?.kindOf(name) !== 'directory') return undefined;
  const state = readSidecar(directory, name);
  if (state.kind !== 'ours' || state.sidecar.content !== 'directory') return undefined;
  const sizeBytes = BigInt(state.sidecar.sizeBytes);
  return withFd(directory.openFile(name, constants.O_RDONLY | constants.O_DIRECTORY), (fd) => {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    const isAllHole = fromNode(() => readdirSync(`/proc/self/fd/${fd}`)).length === 0;
    return { device: dev, inode: ino, sizeBytes, isAllHole };
  });
}
