/** Images and copies that are promised their room before they are made or grown. */
import type { ImageCopies, ImageCopyReport, ImageCopyRequest } from '../ports/image-copies.ts';
import type { FilesystemSpace, ImageSidecar, Images } from '../ports/images.ts';
import type { ImagePool } from './image-pool.ts';

export function pooledImages(images: Images, pool: ImagePool): Images {
  return {
    space: (directory): FilesystemSpace | undefined => pool.space(directory),

    create(path: string, sidecar: ImageSidecar) {
      const sizeBytes = BigInt(sidecar.sizeBytes);
      // What is there has its room: an inline volume's image is asked for at each attach.
      if (images.stat(path) !== undefined) return images.create(path, sidecar);
      pool.admit({ verb: 'create', path, sizeBytes, newBytes: sizeBytes });
      return releasedOnFailure(path, pool, () => images.create(path, sidecar));
    },

    grow(path: string, volumeHandle: string, sizeBytes: bigint) {
      const before = images.stat(path)?.sizeBytes ?? 0n;
      if (sizeBytes > before) pool.admit({ verb: 'grow', path, sizeBytes, newBytes: sizeBytes - before });
      return releasedOnFailure(path, pool, () => images.grow(path, volumeHandle, sizeBytes));
    },

    moveToTrash(path: string, volumeHandle: string) {
      const trashed = images.moveToTrash(path, volumeHandle);
      pool.release(path);
      return trashed;
    },

    remove(path: string, volumeHandle: string) {
      images.remove(path, volumeHandle);
      pool.release(path);
    },

    stat: (path) => images.stat(path),
    restore: (trashed, volumeHandle) => images.restore(trashed, volumeHandle),
    ofSameClaim: (path, claim) => images.ofSameClaim(path, claim),
    replace: (path, volumeHandle) => images.replace(path, volumeHandle),
  };
}

/** A new volume is promised all its room, a snapshot takes what is written of it: both leave the reserve. */
export function pooledImageCopies(copies: ImageCopies, pool: ImagePool): ImageCopies {
  return {
    async copy(request: ImageCopyRequest, signal: AbortSignal): Promise<ImageCopyReport> {
      const { target: path, sizeBytes, room } = request;
      const reserveBytes = pool.reserveAt(path.slice(0, path.lastIndexOf('/')));
      if (room === 'written') return copies.copy({ ...request, reserveBytes }, signal);
      pool.admit({ verb: 'copy to', path, sizeBytes, newBytes: sizeBytes });
      return copies.copy({ ...request, reserveBytes }, signal);
    },

    discard(target: string) {
      copies.discard(target);
      pool.release(target);
    },

    progressOf: (target) => copies.progressOf(target),
    thaw: (mountPoint, signal) => copies.thaw(mountPoint, signal),
    renewIdentity: (target, signal) => copies.renewIdentity(target, signal),
    publish: (target, sidecar, options) => copies.publish(target, sidecar, options),
    published: (target, volumeHandle) => copies.published(target, volumeHandle),
    moveToTrash: (target, volumeHandle) => copies.moveToTrash(target, volumeHandle),
  };
}

function releasedOnFailure<T>(path: string, pool: ImagePool, act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    pool.release(path);
    throw thrown;
  }
}
