import type { ImageCopies, ImageCopyReport } from '../image-copies.ts';
import { finalError, transientError } from './fake-effects.ts';
import type { FakeImage, FakeKernel } from './fake-kernel.ts';

export function fakeImageCopies(kernel: FakeKernel): ImageCopies {
  const { imageFiles, copies, effects } = kernel;
  return {
    copy: (request, signal) =>
      effects.doAsync<ImageCopyReport>(
        'copyImage',
        request.target,
        () => {
          if (signal.aborted) throw transientError('stopped');
          const { source, target, way } = request;
          const image = imageFiles.get(source);
          if (image === undefined) throw finalError(`Cannot copy image "${source}": no such file`, 'NotFound');
          if (way.kind === 'atomic' && !kernel.canReflink) {
            throw finalError(`Cannot copy image "${source}": it is being written`, 'FailedPrecondition');
          }
          if (way.kind === 'atRest' && isWritten(kernel, image))
            kernel.violation(`copied while it is written: ${source}`);
          if (way.kind === 'frozen' && kernel.top(way.mountPoint) === undefined) {
            throw transientError(`Cannot freeze "${way.mountPoint}"`);
          }
          const sizeBytes = request.sizeBytes > image.sizeBytes ? request.sizeBytes : image.sizeBytes;
          const { sidecar: _sidecar, ...rest } = image;
          copies.set(target, { ...rest, inode: kernel.newId(), sizeBytes });
          return {
            method: kernel.canReflink ? 'reflink' : 'copy',
            sizeBytes,
            takenAt: '2026-01-01T00:00:00.000Z',
            ...(way.kind === 'frozen' ? { frozenMs: 3 } : {}),
          };
        },
        { method: 'copy', sizeBytes: 0n, takenAt: '' },
      ),
    progressOf: ({ source, target }) => {
      const [made, image] = [copies.get(target), imageFiles.get(source)];
      return made === undefined || image === undefined
        ? undefined
        : { doneBytes: image.sizeBytes, totalBytes: image.sizeBytes };
    },
    thaw: (mountPoint) =>
      effects.doAsync<'thawed' | 'notFrozen'>(
        'thaw',
        mountPoint,
        () => (kernel.frozen.delete(mountPoint) ? 'thawed' : 'notFrozen'),
        'thawed',
      ),
    renewIdentity: (target) =>
      effects.doAsync<'renewed' | 'noFilesystem'>(
        'renewIdentity',
        target,
        () => {
          const image = copies.get(target);
          if (image === undefined) throw finalError(`Cannot renew "${target}": there is no copy`, 'NotFound');
          return image.content === 'hole' ? 'noFilesystem' : 'renewed';
        },
        'renewed',
      ),
    publish: (target, sidecar) =>
      effects.do(
        'publishImage',
        target,
        () => {
          const image = copies.get(target);
          if (image === undefined) throw finalError(`Cannot publish "${target}": there is no copy`, 'NotFound');
          if (imageFiles.has(target)) throw finalError(`Cannot publish "${target}": it exists`, 'AlreadyExists');
          imageFiles.set(target, { ...image, sidecar });
          copies.delete(target);
        },
        undefined,
      ),
    published: (target, volumeHandle) => {
      const sidecar = imageFiles.get(target)?.sidecar;
      if (sidecar === undefined) return undefined;
      if (sidecar.volumeHandle === volumeHandle) return sidecar;
      throw finalError(`Cannot look at "${target}": it is another's`, 'FailedPrecondition');
    },
    discard: (target) => void copies.delete(target),
    moveToTrash: (target, volumeHandle) =>
      effects.do<'trashed' | 'absent'>(
        'trashImage',
        target,
        () => {
          const image = imageFiles.get(target);
          if (image === undefined) return 'absent';
          if (image.sidecar?.volumeHandle !== volumeHandle) throw finalError('it is not ours', 'FailedPrecondition');
          kernel.trash.set(`${target}.trash`, image);
          imageFiles.delete(target);
          return 'trashed';
        },
        'trashed',
      ),
  };
}

/** A filesystem on it is mounted. */
function isWritten(kernel: FakeKernel, image: FakeImage): boolean {
  const devices = [...kernel.loops].flatMap(([device, loop]) => (loop.image === image ? [device] : []));
  return kernel.mounts.some(({ source, fsType }) => devices.includes(source) && fsType !== 'devtmpfs');
}
