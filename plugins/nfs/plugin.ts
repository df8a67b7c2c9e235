import type { NfsVolumeSource } from '../../daemon/api/nfs.ts';
import type { VolumePlugin, VolumeSpec } from '../../daemon/ports/volume-plugin.ts';
import { nfsSource } from '../../daemon/world/nfs-source.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import { uniqueVolumeNameFromPod } from '../../daemon/world/unique-volume-name.ts';
import type { NfsPodMount } from '../../daemon/world/volume-recipe.ts';
import { parseNfsMountOptions } from './mount-options.ts';

const pluginName = 'kubernetes.io/nfs';

/** nfs: an export that is there already. As upstream, each pod gets a mount of its own (pkg/volume/nfs). */
export const nfsPlugin: VolumePlugin = {
  name: pluginName,

  canSupport: (spec) => sourceOf(spec) !== undefined,

  resolve(spec, layout) {
    const specName = specNameOf(spec);
    const source = sourceOf(spec);
    if (source === undefined) throw refused(specName, 'it has no nfs source');
    if (spec.kind === 'persistentVolume' && spec.volume.spec.volumeMode === 'Block') {
      throw refused(specName, 'volumeMode Block, and an NFS export is no block device');
    }
    return {
      name: uniqueVolumeNameFromPod(pluginName, spec.pod.uid, specName),
      specName,
      recipe: { globalMountPath: '' },
      targetPath: layout.podVolumeDir(spec.pod.uid, pluginName, specName),
      mount: podMount(spec, source),
    };
  },
};

function sourceOf(spec: VolumeSpec): NfsVolumeSource | undefined {
  return spec.kind === 'inline' ? spec.volume.nfs : spec.volume.spec.nfs;
}

function specNameOf(spec: VolumeSpec): string {
  return spec.kind === 'inline' ? spec.volume.name : spec.volume.metadata.name;
}

function podMount(spec: VolumeSpec, source: NfsVolumeSource): NfsPodMount {
  const mountOptions = spec.kind === 'inline' ? [] : (spec.volume.spec.mountOptions ?? []);
  const { options, readOnly } = parseNfsMountOptions(mountOptions);
  const server = source.server.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  return {
    kind: 'nfs',
    server,
    source: nfsSource(server, source.path),
    readOnly: readOnly || (source.readOnly ?? false) || isReadOnlyUse(spec),
    options,
  };
}

/** The claim is used read-only, or nobody may write to the volume. */
function isReadOnlyUse(spec: VolumeSpec): boolean {
  if (spec.kind === 'inline') return false;
  return spec.readOnly || spec.volume.spec.accessModes.every((mode) => mode === 'ReadOnlyMany');
}

function refused(specName: string, cause: string): StorageError {
  return new StorageError(`Cannot resolve volume "${specName}": ${cause}`, { code: 'InvalidArgument' });
}
