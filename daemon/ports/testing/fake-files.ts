import type { Images } from '../images.ts';
import type { ManagedDirectories, PathKind } from '../managed-directories.ts';
import type { VolumeRecycler } from '../volume-recycler.ts';
import { finalError } from './fake-effects.ts';
import type { FakeImage, FakeKernel } from './fake-kernel.ts';

export function fakeDirectories(kernel: FakeKernel): ManagedDirectories {
  const { entries, effects } = kernel;
  const list = (path: string): readonly string[] =>
    [...entries.keys()].flatMap((entry) => {
      const isInside = entry.startsWith(`${path}/`) && !entry.slice(path.length + 1).includes('/');
      return isInside ? [entry.slice(path.length + 1)] : [];
    });
  return {
    list,
    ensureDirectory: (path) => {
      for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
        if (!entries.has(at)) entries.set(at, { kind: 'directory', mode: 0o750, isSealed: false });
      }
    },
    ensureFile: (path) => {
      if (!entries.has(path)) entries.set(path, { kind: 'file', mode: 0o600, isSealed: false });
    },
    seal: (path) =>
      effects.do(
        'seal',
        path,
        () => {
          if (kernel.top(path) !== undefined) throw finalError(`Cannot seal "${path}": it is a mount point`, 'Busy');
          if (list(path).length > 0) throw finalError(`Cannot seal "${path}": not empty`, 'TargetNotEmpty');
          entries.set(path, { kind: 'directory', mode: 0, isSealed: true });
        },
        undefined,
      ),
    remove: (path) => {
      if (!entries.has(path)) return 'absent';
      return effects.do<'removed' | 'absent'>(
        'remove',
        path,
        () => {
          if (kernel.top(path) !== undefined) throw finalError(`Cannot remove "${path}": it is a mount point`, 'Busy');
          if (list(path).length > 0) throw finalError(`Cannot remove "${path}": not empty`, 'TargetNotEmpty');
          entries.delete(path);
          return 'removed';
        },
        'removed',
      );
    },
    kindOf: (path): PathKind => entries.get(path)?.kind ?? 'absent',
    setMode: (path, mode) => {
      const entry = entries.get(path);
      if (entry === undefined) throw finalError(`Cannot change the mode of "${path}": no such directory`, 'NotFound');
      entry.mode = mode;
      effects.entries.push(`setMode ${path}`);
    },
    removeTree: (path) =>
      effects.doAsync(
        'removeTree',
        path,
        () => {
          const below = kernel.mounts.find(
            ({ mountPoint }) => mountPoint === path || mountPoint.startsWith(`${path}/`),
          );
          if (below !== undefined)
            throw finalError(`Cannot remove "${path}": mount at ${below.mountPoint}`, 'ForeignMount');
          for (const entry of [...entries.keys()]) {
            if (entry === path || entry.startsWith(`${path}/`)) entries.delete(entry);
          }
        },
        undefined,
      ),
  };
}

export function fakeRecycler({ entries, effects, mounts }: FakeKernel): VolumeRecycler {
  return {
    empty: (path) =>
      effects.doAsync(
        'empty',
        path,
        () => {
          const below = mounts.find(({ mountPoint }) => mountPoint.startsWith(`${path}/`));
          if (below !== undefined)
            throw finalError(`Cannot empty "${path}": mount at ${below.mountPoint}`, 'ForeignMount');
          for (const entry of [...entries.keys()]) if (entry.startsWith(`${path}/`)) entries.delete(entry);
        },
        undefined,
      ),
  };
}

export function fakeImages(kernel: FakeKernel): Images {
  const { imageFiles, effects } = kernel;
  const isAttached = (image: FakeImage): boolean => [...kernel.loops.values()].some((loop) => loop.image === image);
  const moveAway = (path: string, image: FakeImage): string => {
    const trashed = `${path}.trash${kernel.trash.size === 0 ? '' : `-${kernel.trash.size}`}`;
    kernel.trash.set(trashed, image);
    imageFiles.delete(path);
    return trashed;
  };
  return {
    space: () => undefined,
    create: (path, sidecar) =>
      effects.do<'created' | 'exists'>(
        'createImage',
        path,
        () => {
          const known = imageFiles.get(path);
          if (known?.sidecar?.volumeHandle === sidecar.volumeHandle) return 'exists';
          if (known !== undefined) throw finalError(`Cannot create "${path}": it exists`, 'AlreadyExists');
          const sizeBytes = BigInt(sidecar.sizeBytes);
          imageFiles.set(path, { inode: kernel.newId(), sizeBytes, content: 'hole', sidecar });
          return 'created';
        },
        'created',
      ),
    stat: (path) => {
      const image = imageFiles.get(path);
      if (image === undefined) return undefined;
      const { inode, sizeBytes, content } = image;
      return { device: 2049n, inode, sizeBytes, isAllHole: content === 'hole' };
    },
    grow: (path, volumeHandle, sizeBytes) =>
      effects.do<'grown' | 'asLong'>(
        'growImage',
        path,
        () => {
          const image = imageFiles.get(path);
          if (image === undefined) throw finalError(`Cannot grow "${path}": no such file`, 'NotFound');
          if (image.sidecar?.volumeHandle !== volumeHandle) {
            throw finalError(`Cannot grow "${path}": it is not ours`, 'FailedPrecondition');
          }
          if (image.sizeBytes >= sizeBytes) return 'asLong';
          image.sizeBytes = sizeBytes;
          image.sidecar = { ...image.sidecar, sizeBytes: sizeBytes.toString() };
          return 'grown';
        },
        'grown',
      ),
    moveToTrash: (path, volumeHandle) =>
      effects.do(
        'trashImage',
        path,
        () => {
          const image = imageFiles.get(path);
          if (image === undefined) throw finalError(`Cannot move "${path}" to trash: no such file`, 'NotFound');
          if (image.sidecar?.volumeHandle !== volumeHandle) {
            throw finalError(`Cannot move "${path}" to trash: it is not ours`, 'FailedPrecondition');
          }
          if (isAttached(image)) kernel.violation(`moved an attached image to the trash ${path}`);
          return moveAway(path, image);
        },
        `${path}.trash`,
      ),
    restore: (trashed, volumeHandle) =>
      effects.do(
        'restoreImage',
        trashed,
        () => {
          const image = imageFiles.get(trashed);
          const path = trashed.replace(/\.trash.*$/, '');
          if (image?.sidecar?.volumeHandle !== volumeHandle) {
            throw finalError(`Cannot restore "${trashed}": it is not ours`, 'FailedPrecondition');
          }
          if (imageFiles.has(path))
            throw finalError(`Cannot restore "${trashed}": "${path}" is there`, 'AlreadyExists');
          imageFiles.delete(trashed);
          imageFiles.set(path, image);
          return path;
        },
        trashed,
      ),
    ofSameClaim: (path, { namespace, name, uid }) => {
      const directory = path.slice(0, path.lastIndexOf('/') + 1);
      return [...imageFiles].flatMap(([other, { sidecar, content }]) => {
        const owner = sidecar?.claim;
        const isSame = owner?.namespace === namespace && owner.name === name && owner.uid !== uid;
        const isBeside = other.startsWith(directory) && other.endsWith('.img');
        return isSame && isBeside && content !== 'hole' ? [other] : [];
      });
    },
    replace: (path, volumeHandle) =>
      effects.do(
        'replaceImage',
        path,
        () => {
          const image = imageFiles.get(path);
          if (image?.sidecar?.volumeHandle !== volumeHandle) {
            throw finalError(`Cannot replace "${path}": it is not ours`, 'FailedPrecondition');
          }
          if (isAttached(image)) kernel.violation(`replaced an attached image ${path}`);
          if (kernel.everMounted.has(image.inode) || image.data !== undefined) {
            kernel.violation(`replaced an image with data ${path}`);
          }
          moveAway(path, image);
          imageFiles.set(path, { ...image, inode: kernel.newId(), content: 'hole' });
        },
        undefined,
      ),
    remove: (path, volumeHandle) =>
      effects.do(
        'removeImage',
        path,
        () => {
          const image = imageFiles.get(path);
          if (image === undefined) return;
          if (image.sidecar?.volumeHandle !== volumeHandle) {
            throw finalError(`Cannot remove "${path}": it is not ours`, 'FailedPrecondition');
          }
          if (isAttached(image)) kernel.violation(`removed an attached image ${path}`);
          imageFiles.delete(path);
        },
        undefined,
      ),
  };
}
