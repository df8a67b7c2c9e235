import { constants } from 'node:fs';
import type { ImageSidecar } from '../ports/images.ts';
import type { Image } from './image-action.ts';
import type { ImageDirectory } from './image-directory.ts';
import { sidecarName, writeSidecar } from './image-sidecar.ts';
import { makeMutable } from './inode-flags.ts';
import type { PathOpener } from './open-beneath.ts';
import { withFd } from './syscalls.ts';

interface Trashing {
  readonly sidecar: ImageSidecar;
  readonly opener: PathOpener;
  /** RFC 3339. */
  readonly now: string;
}

/** Into `.trash/` of the image's own directory, with a sidecar there; its old one stays. @returns the new path */
export function moveImageToTrash(directory: ImageDirectory, image: Image, { sidecar, opener, now }: Trashing): string {
  // A snapshot is sealed.
  withFd(directory.openFile(image.name, constants.O_RDONLY), makeMutable);
  using trash = directory.ensureDirectory('.trash', opener);
  const name = freeName(trash, `${image.name}.${compact(now)}`);
  writeSidecar(trash, name, sidecar);
  directory.rename(image.name, trash, name);
  // The new name first: after a power cut between the two, the image has two names rather than none.
  trash.sync();
  directory.sync();
  return `${trash.path}/${name}`;
}

/** Two images of one name within a millisecond: rename(2) would replace the first. */
function freeName(trash: ImageDirectory, wanted: string): string {
  let name = wanted;
  for (let count = 2; trash.kindOf(name) !== 'absent' || trash.kindOf(sidecarName(name)) !== 'absent'; count += 1) {
    name = `${wanted}-${count}`;
  }
  return name;
}

/** "2026-01-02T03:04:05.678Z" without the characters that need quoting. */
function compact(timestamp: string): string {
  return timestamp.replaceAll(/[-:]/g, '');
}
