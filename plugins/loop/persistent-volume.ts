import type { StoredPersistentVolume } from '../../daemon/api/persistent-volume.ts';
import type { ResolvedVolume, VolumeSpec } from '../../daemon/ports/volume-plugin.ts';
import type { DiskLayout } from '../../daemon/world/disk-layout.ts';
import { parseMountOptions } from '../../daemon/world/mount-options.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import type { DeviceMount } from '../../daemon/world/volume-recipe.ts';
import { csiDevicePath, csiGlobalMountPath, csiTargetPath, csiVolumeName } from './csi-paths.ts';
import { driverName } from './driver-name.ts';
import { fsTypeOf } from './fs-type.ts';

type PersistentVolumeUse = Extract<VolumeSpec, { kind: 'persistentVolume' }>;

/** `spec.csi` with attribute {path}: an image file or block device, used as it is, formatted only if proven blank. */
export function resolvePersistentVolume(use: PersistentVolumeUse, layout: DiskLayout): ResolvedVolume {
  const { volume, pod } = use;
  const source = volume.spec.csi;
  const path = source?.volumeAttributes?.['path'];
  if (source === undefined || path === undefined) {
    throw new StorageError(`Cannot resolve volume "${volume.metadata.name}": csi.volumeAttributes.path is missing`, {
      code: 'InvalidArgument',
    });
  }
  const options = parseMountOptions(volume.spec.mountOptions ?? []);
  const readOnlyVolume = (source.readOnly ?? false) || options.readOnly || isReadOnlyMany(volume);
  const readOnly = readOnlyVolume || use.readOnly;
  const specName = volume.metadata.name;
  const isOwned = volume.metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === driverName;
  const { volumeHandle } = source;
  const attachment = { kind: 'image', path, readOnly: readOnlyVolume, isOwned, volumeHandle } as const;
  const name = csiVolumeName(source.volumeHandle);
  if (volume.spec.volumeMode === 'Block') {
    return {
      name,
      specName,
      recipe: { attachment, globalMountPath: '' },
      targetPath: csiDevicePath(layout, pod.uid, specName),
      mount: { kind: 'deviceBind', readOnly },
    };
  }
  const deviceMount: DeviceMount = {
    fsType: fsTypeOf(source.fsType),
    readOnly: readOnlyVolume,
    options: [...options.flags, ...options.options],
  };
  return {
    name,
    specName,
    recipe: { attachment, deviceMount, globalMountPath: csiGlobalMountPath(layout, source.volumeHandle) },
    targetPath: csiTargetPath(layout, pod.uid, specName),
    mount: { kind: 'bind', readOnly },
  };
}

function isReadOnlyMany(volume: StoredPersistentVolume): boolean {
  return volume.spec.accessModes.every((mode) => mode === 'ReadOnlyMany');
}
