import { constants, fstatSync } from 'node:fs';
import { basename, dirname } from 'node:path/posix';
import type { Clock } from '../ports/clock.ts';
import type { FilesystemSpace, ImageFacts, ImageSidecar, Images } from '../ports/images.ts';
import { StorageError } from '../world/storage-error.ts';
import { isAllHole } from './blank-image.ts';
import { actOnImage, imageRefusal } from './image-action.ts';
import { directoryFacts, requireKind } from './image-content.ts';
import { createImage } from './image-creation.ts';
import { ensureImageDirectory, openImageDirectory } from './image-directories.ts';
import { ImageDirectory } from './image-directory.ts';
import { openImage } from './image-file.ts';
import { growImage } from './image-growth.ts';
import { trashName } from './image-inventory.ts';
import { restoreImage } from './image-restoration.ts';
import { readSidecar, requireOurs, sidecarName } from './image-sidecar.ts';
import { moveImageToTrash } from './image-trash.ts';
import { imagesOfClaim } from './images-of-claim.ts';
import type { KernelFeatures } from './kernel-features.ts';
import { openat2Opener, openatOpener, type PathOpener } from './open-beneath.ts';
import { storageErrorFromErrno } from './storage-error-from-errno.ts';
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
      using directory = ensureImageDirectory(image, this.#imagesDirectory, this.#opener);
      return createImage(directory, image, sidecar);
    });
  }

  space(directory: string): FilesystemSpace | undefined {
    return actOnImage('look for room for', `${directory}/image`, () => {
      using there = openImageDirectory(directory, this.#opener);
      return there?.space();
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
      const isOther = thrown instanceof StorageError && thrown.code === 'FailedPrecondition';
      const directory = isOther ? directoryFacts(path, this.#opener) : undefined;
      if (directory !== undefined) return directory;
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
      requireKind(kind, sidecar, image);
      const trashed = moveImageToTrash(directory, image, {
        sidecar,
        opener: this.#opener,
        now: this.#clock.timestamp(),
      });
      directory.unlink(sidecarName(image.name));
      directory.sync();
      return trashed;
    });
  }

  restore(trashed: string, volumeHandle: string): string {
    return actOnImage('restore', trashed, (image) => {
      const place = dirname(trashed);
      if (basename(place) !== trashName) throw imageRefusal('PermissionDenied', image, 'it is not in a trash');
      using trash = ImageDirectory.open(place, this.#opener);
      using directory = ImageDirectory.open(dirname(place), this.#opener);
      const sidecar = requireOurs(readSidecar(trash, image.name), volumeHandle, image);
      return restoreImage(trash, directory, { image, sidecar });
    });
  }

  ofSameClaim(path: string, claim: NonNullable<ImageSidecar['claim']>): readonly string[] {
    return actOnImage('look beside', path, ({ path: wanted }) => {
      using directory = openImageDirectory(dirname(wanted), this.#opener);
      const others = directory === undefined ? [] : imagesOfClaim(directory, claim);
      return others.filter((other) => this.stat(other)?.isAllHole === false);
    });
  }

  replace(path: string, volumeHandle: string): void {
    actOnImage('replace', path, (image) => {
      using directory = ImageDirectory.open(dirname(path), this.#opener);
      const sidecar = requireOurs(readSidecar(directory, image.name), volumeHandle, image);
      // The sidecar stays: cut off here, the next call makes the image that it describes.
      if (directory.kindOf(image.name) === 'file') {
        moveImageToTrash(directory, image, { sidecar, opener: this.#opener, now: this.#clock.timestamp() });
      }
      createImage(directory, image, sidecar);
    });
  }

  remove(path: string, volumeHandle: string): void {
    actOnImage('remove', path, (image) => {
      using directory = openImageDirectory(dirname(path), this.#opener);
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
}
