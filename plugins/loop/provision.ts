import type { PersistentVolumeSpec } from '../../daemon/api/persistent-volume.ts';
import { bytesOf, parseQuantity } from '../../daemon/api/quantity.ts';
import type { StorageClassSpec } from '../../daemon/api/storage-class.ts';
import type { ImageSidecar } from '../../daemon/ports/images.ts';
import type { ProvisionedVolume, ProvisionRequest } from '../../daemon/ports/volume-plugin.ts';
import type { DiskLayout } from '../../daemon/world/disk-layout.ts';
import { parseMountOptions } from '../../daemon/world/mount-options.ts';
import { driverName } from './driver-name.ts';
import { fsTypeOf } from './fs-type.ts';
import { imageName } from './image-name.ts';

export function imageDirectory({ parameters }: StorageClassSpec, layout: DiskLayout): string {
  return parameters?.['directory'] ?? layout.imagesDir();
}

/** A class's new volume: `<directory>/<namespace>/<claim>-<uid>.img`, readable in a file listing. */
export function provisionLoopImage(request: ProvisionRequest, layout: DiskLayout): ProvisionedVolume {
  const { claim, storageClass, now } = request;
  const { namespace, name, uid } = claim.metadata;
  const parameters = storageClass.spec.parameters ?? {};
  const fsType = fsTypeOf(parameters['csi.storage.k8s.io/fstype'] ?? parameters['fsType']);
  const mountOptions = storageClass.spec.mountOptions ?? [];
  parseMountOptions(mountOptions);
  const directory = imageDirectory(storageClass.spec, layout);
  const volumeName = `pvc-${uid}`;
  const path = `${directory}/${namespace}/${imageName(name, `-${uid}`)}`;
  const sizeBytes = bytesOf(parseQuantity(claim.spec.resources.requests.storage)).toString();
  const volumeMode = claim.spec.volumeMode ?? 'Filesystem';
  const spec: PersistentVolumeSpec = {
    capacity: { storage: claim.spec.resources.requests.storage },
    accessModes: claim.spec.accessModes,
    volumeMode,
    storageClassName: storageClass.metadata.name,
    // Upstream's default for a class is Delete; here data is kept unless the class says so.
    persistentVolumeReclaimPolicy: storageClass.spec.reclaimPolicy ?? 'Retain',
    ...(mountOptions.length > 0 ? { mountOptions } : {}),
    csi: { driver: driverName, volumeHandle: volumeName, fsType, volumeAttributes: { path } },
  };
  const sidecar: ImageSidecar = {
    apiVersion: 'moored.dev/v1',
    driver: driverName,
    volumeHandle: volumeName,
    claim: { namespace, name, uid },
    sizeBytes,
    fsType: volumeMode === 'Block' ? '' : fsType,
    createdAt: now,
    persistentVolume: { name: volumeName, spec },
  };
  return { volumeName, image: { path, sidecar }, spec };
}
