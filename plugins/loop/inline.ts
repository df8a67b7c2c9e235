import type { InlineCsiVolumeSource } from '../../daemon/api/pod.ts';
import { bytesOf, parseQuantity } from '../../daemon/api/quantity.ts';
import type { ResolvedVolume } from '../../daemon/ports/volume-plugin.ts';
import type { DiskLayout } from '../../daemon/world/disk-layout.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import type { PodReference } from '../../daemon/world/volume-record.ts';
import { csiGlobalMountPath, csiTargetPath, csiVolumeName, inlineVolumeHandle } from './csi-paths.ts';
import { fsTypeOf } from './fs-type.ts';
import { imageName } from './image-name.ts';

interface InlineVolume {
  readonly pod: PodReference;
  readonly volumeName: string;
  readonly source: InlineCsiVolumeSource;
}

/** `volumes[].csi` with attributes {size, fsType}: an image of its own that lives as long as the pod. */
export function resolveInline({ pod, volumeName, source }: InlineVolume, layout: DiskLayout): ResolvedVolume {
  const attributes = source.volumeAttributes ?? {};
  const size = attributes['size'];
  if (size === undefined) {
    throw new StorageError(`Cannot resolve volume "${volumeName}": csi.volumeAttributes.size is missing`, {
      code: 'InvalidArgument',
    });
  }
  const volumeHandle = inlineVolumeHandle(pod.uid, volumeName);
  return {
    name: csiVolumeName(volumeHandle),
    specName: volumeName,
    recipe: {
      attachment: {
        kind: 'image',
        path: `${layout.imagesDir()}/${pod.namespace}/${imageName(pod.name, `.${volumeName}-${pod.uid}`)}`,
        readOnly: false,
        isOwned: true,
        volumeHandle,
        create: { sizeBytes: bytesOf(parseQuantity(size)).toString() },
      },
      deviceMount: { fsType: fsTypeOf(attributes['fsType'] ?? source.fsType), readOnly: false, options: [] },
      globalMountPath: csiGlobalMountPath(layout, volumeHandle),
    },
    targetPath: csiTargetPath(layout, pod.uid, volumeName),
    mount: { kind: 'bind', readOnly: source.readOnly ?? false },
  };
}
