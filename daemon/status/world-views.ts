import type { AswVolume, DswVolume } from '../control/protocol.ts';
import { operationKey } from '../plan/operation.ts';
import { findVolumeDrift } from '../world/drift.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import type { PodMount } from '../world/volume-recipe.ts';
import type { DaemonSnapshot } from './daemon-snapshot.ts';

function isReadOnly(mount: PodMount): boolean {
  return 'readOnly' in mount && mount.readOnly;
}

export function dswView({ dsw }: DaemonSnapshot): readonly DswVolume[] {
  return [...dsw.volumes.values()].map((volume) => ({
    name: volume.name,
    plugin: volume.plugin,
    globalMountPath: volume.recipe.globalMountPath,
    pods: [...volume.pods.values()].map(({ pod, targetPath, mount }) => ({
      ...pod,
      targetPath,
      readOnly: isReadOnly(mount),
    })),
  }));
}

export function aswView(snapshot: DaemonSnapshot): readonly AswVolume[] {
  const drifted = driftedKeys(snapshot);
  return [...snapshot.asw.volumes.values()].map(({ record, deviceMountState, podStates }) => ({
    name: record.name,
    plugin: record.plugin,
    devicePath: record.attached?.devicePath ?? '',
    globalMountPath: record.recipe.globalMountPath,
    deviceMountState: drifted.has(record.name) ? 'DeviceMountUncertain' : deviceMountState,
    pods: Object.values(record.pods).map(({ pod, targetPath, mount }) => ({
      namespace: pod.namespace,
      name: pod.name,
      uid: pod.uid,
      targetPath,
      mountState: drifted.has(operationKey(record.name, pod.uid))
        ? 'VolumeMountUncertain'
        : (podStates.get(pod.uid) ?? 'VolumeMountUncertain'),
      readOnly: isReadOnly(mount),
    })),
  }));
}

/** What the table no longer shows although no pass has seen that yet: a status is never better than mountinfo. */
export function driftedKeys(
  { asw, mounts }: DaemonSnapshot,
  names: Iterable<UniqueVolumeName> = asw.volumes.keys(),
): ReadonlySet<string> {
  const volumes = [...names].flatMap((name) => asw.get(name) ?? []);
  const drifts = volumes.flatMap((volume) => findVolumeDrift(volume, mounts));
  return new Set(drifts.map(({ volumeName, podUid }) => operationKey(volumeName, podUid)));
}
