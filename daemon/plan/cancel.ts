import type { DesiredStateOfWorld } from '../world/desired-state-of-world.ts';
import { type Operation, podUidOf } from './operation.ts';

/**
 * Running operations on the way up that nobody wants any more: a mount that hangs, or a long mkfs, would else hold its
 * key until its deadline (the kubelet's never end). The same proof is asked for as for an unmount: every source was read,
 * and no pod that may want the volume is unresolved.
 */
export function operationsToCancel(dsw: DesiredStateOfWorld, running: readonly Operation[]): readonly Operation[] {
  if (!dsw.complete) return [];
  return running.filter((operation) => {
    if (!goesUp(operation)) return false;
    const podUid = podUidOf(operation);
    const volume = dsw.volumes.get(operation.volumeName);
    if (podUid !== '') return volume?.pods.has(podUid) !== true && !dsw.errors.has(podUid);
    return volume === undefined && dsw.errors.size === 0;
  });
}

function goesUp({ kind }: Operation): boolean {
  return kind === 'attachVolume' || kind === 'mountDevice' || kind === 'mountVolume' || kind === 'expandVolume';
}
