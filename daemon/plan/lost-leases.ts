import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { DesiredStateOfWorld } from '../world/desired-state-of-world.ts';
import type { LeaseRelease, PodLease } from '../world/pod-lease.ts';
import { operationKey } from './operation.ts';

/** A mount that was taken away is made again within milliseconds; only when that has failed this often is it lost. */
const enoughFailures = 3;

/**
 * Leases whose pod has lost a volume that it was promised, and does not get it back: whoever relies on the unit would
 * work without its data. A volume that was added to the pod later was not promised and counts as nothing here.
 * @param failuresOf how often an operation of this key has failed in a row
 */
export function lostLeases(
  dsw: DesiredStateOfWorld,
  asw: ActualStateOfWorld,
  leases: readonly PodLease[],
  failuresOf: (key: string) => number,
): readonly LeaseRelease[] {
  if (leases.length === 0) return [];
  const wishes = [...dsw.volumes.values()].flatMap(({ name, pods }) =>
    [...pods.values()].map(({ pod, targetPath }) => ({ name, uid: pod.uid, targetPath })),
  );
  const byPod = Map.groupBy(wishes, ({ uid }) => uid);
  return leases.flatMap(({ unit, pod, targetPaths }): readonly LeaseRelease[] => {
    const lost = (byPod.get(pod.uid) ?? []).find(({ name, targetPath }) => {
      if (!targetPaths.includes(targetPath)) return false;
      if (asw.get(name)?.podStates.get(pod.uid) === 'VolumeMounted') return false;
      return Math.max(failuresOf(name), failuresOf(operationKey(name, pod.uid))) >= enoughFailures;
    });
    return lost === undefined
      ? []
      : [{ unit, pod, reason: `volume "${lost.name}" is lost and cannot be mounted again` }];
  });
}
