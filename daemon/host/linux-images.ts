import { constants, fstatSync } from 'node:fs';
import { basename, dirname } from 'node:path/posix';
import type { Clock } from '../ports/clock.ts';
import type { ImageFacts, ImageSidecar, Images } from '../ports/images.ts';
import { StorageError } from '../world/storage-error.ts';
import { isAllHole } from './blank-image.ts';
import { actOnImage, type Image, imageRefusal } from './image-action.ts';
import { createImage } from './image-creation.ts';
import { ImageDirectory } from './image-directory.ts';
import { openImage } from './image-file.ts';
import { growImage } from './image-growth.ts';
import { readSidecar, type SidecarState, sidecarName, writeSidecar } from './image-sidecar.ts';
import type { KernelFeatures } from './kernel-features.ts';
import { openat2Opener, openatOpener, type PathOpener } from './open-beneath.ts';
import { storageErrorFromErrno } from './storage-error-from-errno.ts';
import { failedWith } from './syscall-error.ts';
import { withFd } from './syscalls.ts';

export interface LinuxImagesOptions {
  readonly features: Pick<KernelFeatures, 'openat2'>;
  /** Below it, directories are made as needed; elsewhere only the one that an image lies in. */
  readonly imagesDirectory: string;
  readonly clock: Pick<Clock, 'timestamp'>;
}

/**
 * Image files with their sidecars. The sidecar comes first and goes last, so that whatever an interruption leaves behind
 * tells whose it is; a file without a sidecar of ours is never written, moved or unlinked.
 */
export class LinuxImages implements Images {
  readonly #imagesDirectory: string;
  readonly #clock: Pick<Clock, 'timestamp'>;
  readonly #opener: PathOpener;

  constructor({ features, imagesDirectory, clock }: LinuxImagesOptions) {
    this.#imagesDirectory = imagesDirectory;
    this.#clock = clock;
    this.#opener = features.openat2 ? openat2Opener : openatOpener;
  }

  create(path: string, sidecar: ImageSidecar): 'created' | 'exists' {
    return actOnImage('create', path, (image) => {
      using directory = this.#ensureDirectory(dirname(path), image);
      if (directory.isWritableByOthers()) {
        const cause = `"${directory.path}" must be root's and writable by root alone`;
        throw imageRefusal('PermissionDenied', image, cause);
      }
      return createImage(directory, image, sidecar);
    });
  }

  freeBytes(directory: string): bigint | undefined {
    return actOnImage('look for room for', `${directory}/image`, () => {
      using there = this.#openIfThere(directory);
      return there?.freeBytes();
    });
  }

  stat(path: string): ImageFacts | undefined {
    const action = `Cannot look at image "${path}"`;
    try {
      return withFd(openImage(path, constants.O_RDONLY, this.#opener, action), (fd) => {
        const { dev, ino, size } = fstatSync(fd, { bigint: true });
        return { device: dev, inode: ino, sizeBytes: size, isAllHole: isAllHole(fd, path) };
      });
    } catch (thrown) {
      if (thrown instanceof StorageError && thrown.code === 'NotFound') return undefined;
      throw storageErrorFromErrno(thrown, action, { source: path });
    }
  }

  grow(path: string, volumeHandle: string, sizeBytes: bigint): 'grown' | 'asLong' {
    return actOnImage('grow', path, (image) => {
      using directory = ImageDirectory.open(dirname(path), this.#opener);
      const sidecar = requireOurs(readSidecar(directory, image.name), volumeHandle, image);
      return growImage(directory, image, { sidecar, sizeBytes });
    });
  }

  moveToTrash(path: string, volumeHandle: string): string {
    return actOnImage('move to trash', path, (image) => {
      using directory = ImageDirectory.open(dirname(path), this.#opener);
      const sidecar = requireOurs(readSidecar(directory, image.name), volumeHandle, image);
      const kind = directory.kindOf(image.name);
      if (kind === 'absent') throw imageRefusal('NotFound', image, 'no such file');
      if (kind !== 'file') throw imageRefusal('FailedPrecondition', image, `it is a ${kind}, wanted a regular file`);
      const trashed = this.#trash(directory, image, sidecar);
      directory.unlink(sidecarName(image.name));
      directory.sync();
      return trashed;
    });
  }

  #trash(directory: ImageDirectory, image: Image, sidecar: ImageSidecar): string {
    using trash = directory.ensureDirectory('.trash', this.#opener);
    const name = freeName(trash, `${image.name}.${compact(this.#clock.timestamp())}`);
    writeSidecar(trash, name, sidecar);
    directory.rename(image.name, trash, name);
    // The new name first: after a power cut between the two, the image has two names rather than none.
    trash.sync();
    directory.sync();
    return `${trash.path}/${name}`;
  }

  replace(path: string, volumeHandle: string): void {
    actOnImage('replace', path, (image) => {
      using directory = ImageDirectory.open(dirname(path), this.#opener);
      const sidecar = requireOurs(readSidecar(directory, image.name), volumeHandle, image);
      // The sidecar stays: cut off here, the next call makes the image that it describes.
      if (directory.kindOf(image.name) === 'file') this.#trash(directory, image, sidecar);
      createImage(directory, image, sidecar);
    });
  }

  remove(path: string, volumeHandle: string): void {
    actOnImage('remove', path, (image) => {
      using directory = this.#openIfThere(dirname(path));
      if (directory === undefined) return;
      const state = readSidecar(directory, image.name);
      const kind = directory.kindOf(image.name);
      if (state.kind === 'absent' && kind === 'absent') return;
      requireOurs(state, volumeHandle, image);
      if (kind !== 'absent') {
        if (kind !== 'file') throw imageRefusal('FailedPrecondition', image, `it is a ${kind}, wanted a regular file`);
        directory.unlink(image.name);
        directory.sync();
      }
      directory.unlink(sidecarName(image.name));
      directory.sync();
    });
  }

  #openIfThere(path: string): ImageDirectory | undefined {
    try {
      return ImageDirectory.open(path, this.#opener);
    } catch (thrown) {
      if (failedWith(thrown, 'ENOENT')) return undefined;
      throw thrown;
    }
  }

  #ensureDirectory(path: string, image: Image): ImageDirectory {
    const there = this.#openIfThere(path);
    if (there !== undefined) return there;
    const parent = dirname(path);
    const isOurs = path === this.#imagesDirectory || path.startsWith(`${this.#imagesDirectory}/`);
    if (!isOurs && path !== dirname(image.path)) throw imageRefusal('NotFound', image, `no such directory "${path}"`);
    using above = this.#ensureDirectory(parent, image);
    return above.ensureDirectory(basename(path), this.#opener);
  }
}

function requireOurs(state: SidecarState, volumeHandle: string, image: Image): ImageSidecar {
  const sidecar = sidecarName(image.path);
  if (state.kind === 'absent') throw imageRefusal('FailedPrecondition', image, `it has no sidecar "${sidecar}"`);
  if (state.kind === 'foreign') throw imageRefusal('FailedPrecondition', image, `"${sidecar}" is ${state.reason}`);
  const found = state.sidecar.volumeHandle;
  if (found === volumeHandle) return state.sidecar;
  throw imageRefusal('FailedPrecondition', image, `its sidecar has volumeHandle "${found}", wanted "${volumeHandle}"`);
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
