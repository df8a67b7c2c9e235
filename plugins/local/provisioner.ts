import { localProvisioner as provisionerName } from '../../daemon/api/local-provisioner.ts';
import type { PersistentVolumeSpec } from '../../daemon/api/persistent-volume.ts';
import { bytesOf, parseQuantity } from '../../daemon/api/quantity.ts';
import type { StorageClassSpec } from '../../daemon/api/storage-class.ts';
import type { ImageSidecar } from '../../daemon/ports/images.ts';
import type { ProvisionedVolume, ProvisionRequest, VolumePlugin } from '../../daemon/ports/volume-plugin.ts';
import type { DiskLayout } from '../../daemon/world/disk-layout.ts';
import { parseMountOptions } from '../../daemon/world/mount-options.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';

/** Room for what the trash adds to a file name of at most 255 bytes. */
const longestName = 200;

/** local.moored.dev: directories of a class. What it makes is a `local` volume, and local-volume's from there on. */
export const localProvisioner: VolumePlugin = {
  name: provisionerName,

  canSupport: () => false,

  resolve() {
    throw new StorageError(`Cannot use "${provisionerName}" as a driver: it is a provisioner`, {
      code: 'InvalidArgument',
    });
  },

  provision: provisionDirectory,
  // Asked for the room there is, also of a class that `provision` refuses.
  provisionDirectory: ({ parameters }) => parameters?.['directory'] ?? '/',

  provisionedImage({ metadata, spec }) {
    const isOurs = metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === provisionerName;
    return isOurs && spec.local !== undefined ? { path: spec.local.path, volumeHandle: metadata.name } : undefined;
  },
};

/** A class says where: below the root dir a `local` volume is refused. */
function baseDirectory({ parameters }: StorageClassSpec, { rootDir }: DiskLayout): string {
  const directory = parameters?.['directory'] ?? '';
  if (!directory.startsWith('/')) throw refused(directory, 'want parameters.directory, an absolute path');
  if (`${directory}/`.startsWith(`${rootDir}/`) || `${rootDir}/`.startsWith(`${directory}/`)) {
    throw refused(directory, `it has to do with "${rootDir}", which is moored's own`);
  }
  return directory;
}

/** `<directory>/<namespace>/<claim>-<uid>`, with its sidecar beside it. */
function provisionDirectory(request: ProvisionRequest, layout: DiskLayout): ProvisionedVolume {
  const { claim, storageClass, now, hostname } = request;
  const { namespace, name, uid } = claim.metadata;
  const { mountOptions = [], reclaimPolicy } = storageClass.spec;
  const directory = baseDirectory(storageClass.spec, layout);
  if (claim.spec.volumeMode === 'Block') throw refused(directory, 'a directory is no device (volumeMode Block)');
  const [option] = parseMountOptions(mountOptions).options;
  if (option !== undefined) throw refused(directory, `mount option "${option}" is of a filesystem, not of a bind`);
  const volumeName = `pvc-${uid}`;
  const path = `${directory}/${namespace}/${name.slice(0, longestName - uid.length - 1)}-${uid}`;
  const { storage } = claim.spec.resources.requests;
  const onThisNode = { key: 'kubernetes.io/hostname', operator: 'In', values: [hostname] } as const;
  const spec: PersistentVolumeSpec = {
    capacity: { storage },
    accessModes: claim.spec.accessModes,
    volumeMode: 'Filesystem',
    storageClassName: storageClass.metadata.name,
    persistentVolumeReclaimPolicy: reclaimPolicy ?? 'Retain',
    ...(mountOptions.length > 0 ? { mountOptions } : {}),
    local: { path },
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onThisNode] }] } },
  };
  const sidecar: ImageSidecar = {
    apiVersion: 'moored.dev/v1',
    driver: provisionerName,
    volumeHandle: volumeName,
    claim: { namespace, name, uid },
    content: 'directory',
    sizeBytes: bytesOf(parseQuantity(storage)).toString(),
    fsType: '',
    createdAt: now,
    persistentVolume: { name: volumeName, spec },
  };
  return { volumeName, image: { path, sidecar }, spec, isCapacityEnforced: false };
}

function refused(directory: string, cause: string): StorageError {
  return new StorageError(`Cannot provision below "${directory}": ${cause}`, { code: 'InvalidArgument' });
}
