import type { EmptyDirVolumeSource } from '../../daemon/api/pod.ts';
import { bytesOf, parseQuantity } from '../../daemon/api/quantity.ts';
import type { ResolvedVolume, VolumePlugin, VolumeSpec } from '../../daemon/ports/volume-plugin.ts';
import type { DiskLayout } from '../../daemon/world/disk-layout.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import { uniqueVolumeNameFromPod } from '../../daemon/world/unique-volume-name.ts';
import type { PodMount } from '../../daemon/world/volume-recipe.ts';

const pluginName = 'kubernetes.io/empty-dir';

/** emptyDir: a directory, or with medium Memory a tmpfs, that begins and ends with its pod. */
export const emptyDirPlugin: VolumePlugin = {
  name: pluginName,

  canSupport: (spec) => spec.kind === 'inline' && spec.volume.emptyDir !== undefined,

  resolve(spec: VolumeSpec, layout: DiskLayout): ResolvedVolume {
    const volume = spec.kind === 'inline' ? spec.volume : undefined;
    if (spec.kind !== 'inline' || volume?.emptyDir === undefined) {
      const name = volume?.name ?? (spec.kind === 'persistentVolume' ? spec.volume.metadata.name : '');
      throw new StorageError(`Cannot resolve volume "${name}": it is not an emptyDir`, { code: 'InvalidArgument' });
    }
    const specName = spec.volume.name;
    return {
      name: uniqueVolumeNameFromPod(pluginName, spec.pod.uid, specName),
      specName,
      recipe: { globalMountPath: '' },
      targetPath: layout.podVolumeDir(spec.pod.uid, pluginName, specName),
      mount: podMount(volume.emptyDir),
    };
  },
};

function podMount(source: EmptyDirVolumeSource): PodMount {
  if (source.medium !== 'Memory') return { kind: 'directory' };
  if (source.sizeLimit === undefined) return { kind: 'tmpfs' };
  return { kind: 'tmpfs', sizeBytes: bytesOf(parseQuantity(source.sizeLimit)).toString() };
}
