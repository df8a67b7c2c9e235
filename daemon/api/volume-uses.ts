import type { VolumeMode } from './persistent-volume.ts';
import type { Container, StoredPod, Volume } from './pod.ts';

/** A volume that a container of the pod uses, and as what. */
export interface VolumeUse {
  readonly volume: Volume;
  readonly mode: VolumeMode;
}

/**
 * The volumes that count: those that some container (init and ephemeral ones too) mounts or maps, as in the kubelet
 * (GetPodVolumeNames). A pod without any container is a moored pod for host services: all its volumes count.
 */
export function volumeUsesOf(pod: StoredPod): readonly VolumeUse[] {
  const known = usesByPod.get(pod);
  if (known !== undefined) return known;
  const uses = findVolumeUses(pod);
  usesByPod.set(pod, uses);
  return uses;
}

/** Asked for by each view and each pass; a stored pod never changes, it is replaced. */
const usesByPod = new WeakMap<StoredPod, readonly VolumeUse[]>();

function findVolumeUses({ spec }: StoredPod): readonly VolumeUse[] {
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
  const mounted = namesIn(containers, 'volumeMounts');
  const mapped = namesIn(containers, 'volumeDevices');
  return (spec.volumes ?? []).flatMap((volume): readonly VolumeUse[] => {
    if (mapped.has(volume.name)) return [{ volume, mode: 'Block' }];
    if (mounted.has(volume.name) || containers.length === 0) return [{ volume, mode: 'Filesystem' }];
    return [];
  });
}

function namesIn(containers: readonly Container[], list: 'volumeMounts' | 'volumeDevices'): ReadonlySet<string> {
  return new Set(containers.flatMap((container) => (container[list] ?? []).map((use) => use.name)));
}
