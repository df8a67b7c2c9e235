import { freezeLimitMs } from '../../daemon/api/loop-driver.ts';
import type { StoredPersistentVolume } from '../../daemon/api/persistent-volume.ts';
import type { SnapshotSupport, VolumeSource } from '../../daemon/ports/volume-plugin.ts';
import type { DiskLayout } from '../../daemon/world/disk-layout.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import { csiVolumeName } from './csi-paths.ts';
import { driverName } from './driver-name.ts';
import { fsTypeOf } from './fs-type.ts';
import { imageName } from './image-name.ts';

/** How long writers may be kept waiting, where blocks cannot be shared and the class says nothing. */
const defaultLimitMs = 10_000;

/** `<images>/.snapshots/<namespace>/<snapshot>-<uid>.img`, on the filesystem of the volume's image wherever that is. */
export const loopSnapshots: SnapshotSupport = {
  sourceOf(volume) {
    const { csi, volumeMode } = volume.spec;
    const imagePath = csi?.volumeAttributes?.['path'];
    if (csi === undefined || imagePath === undefined || imagePath.startsWith('/dev/')) {
      const cause =
        imagePath === undefined ? 'it has no path' : `"${imagePath}" is a block device, wanted an image file`;
      throw new StorageError(`Cannot copy volume "${volume.metadata.name}": ${cause}`, { code: 'Unimplemented' });
    }
    const fsType = volumeMode === 'Block' ? '' : fsTypeOf(csi.fsType);
    return {
      name: csiVolumeName(csi.volumeHandle),
      imagePath,
      volumeHandle: csi.volumeHandle,
      fsType,
      isOwned: isOwned(volume),
    };
  },

  newHandle({ namespace, name, uid }, source, layout) {
    const place = `${namespace}/${imageName(name, `-${uid}`).slice(0, -'.img'.length)}`;
    const images = imagesOf(source, layout);
    return images === layout.imagesDir() ? place : `${images}/.snapshots/${place}`;
  },

  pathOf: (handle, layout) =>
    handle.startsWith('/') ? `${handle}.img` : `${layout.imagesDir()}/.snapshots/${handle}.img`,

  optionsOf: ({ consistency, freezeLimit }) => ({
    isFrozen: consistency !== 'crash',
    limitMs: (freezeLimit === undefined ? undefined : freezeLimitMs(freezeLimit)) ?? defaultLimitMs,
  }),
};

/** A class may have a directory of its own, on another filesystem: blocks are shared within one only. */
function imagesOf({ imagePath, isOwned: isOurs }: VolumeSource, layout: DiskLayout): string {
  const own = layout.imagesDir();
  if (!isOurs || imagePath.startsWith(`${own}/`)) return own;
  const [, directory = own] = /^(.+)\/[^/]+\/[^/]+$/.exec(imagePath) ?? [];
  return directory;
}

function isOwned({ metadata }: StoredPersistentVolume): boolean {
  return metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === driverName;
}
