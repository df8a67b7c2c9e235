import type { VolumePlugin } from '../../daemon/ports/volume-plugin.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import { driverName } from './driver-name.ts';
import { resolveInline } from './inline.ts';
import { resolvePersistentVolume } from './persistent-volume.ts';
import { imageDirectory, provisionLoopImage } from './provision.ts';
import { loopSnapshots } from './snapshots.ts';

/** loop.moored.dev: a filesystem or a raw device in an image file, or on a block device that exists already. */
export const loopPlugin: VolumePlugin = {
  name: driverName,

  canSupport: (spec) =>
    (spec.kind === 'inline' ? spec.volume.csi?.driver : spec.volume.spec.csi?.driver) === driverName,

  resolve(spec, layout) {
    if (spec.kind === 'persistentVolume') return resolvePersistentVolume(spec, layout);
    const source = spec.volume.csi;
    if (source === undefined) {
      throw new StorageError(`Cannot resolve volume "${spec.volume.name}": no csi source`, { code: 'InvalidArgument' });
    }
    return resolveInline({ pod: spec.pod, volumeName: spec.volume.name, source }, layout);
  },

  provision: provisionLoopImage,

  provisionDirectory: imageDirectory,
  snapshots: loopSnapshots,

  provisionedImage({ metadata, spec: { csi } }) {
    const path = csi?.volumeAttributes?.['path'];
    const isOurs = metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === driverName;
    return isOurs && path !== undefined ? { path, volumeHandle: csi?.volumeHandle ?? '' } : undefined;
  },
};
