import type { EventRecorder } from '../ports/events.ts';
import type { DesiredStateOfWorld, PodVolumeError } from '../world/desired-state-of-world.ts';

/**
 * Tells of each volume of a pod that cannot be resolved, once, and again only when it is for another cause. A claim that is
 * not bound yet is no failure of the pod: the claim has events of its own.
 */
export function reportUnresolved(before: DesiredStateOfWorld, now: DesiredStateOfWorld, events: EventRecorder): void {
  for (const [uid, errors] of now.errors) {
    const known = new Set((before.errors.get(uid) ?? []).map(textOf));
    for (const unresolved of errors) {
      const { pod, reason, error } = unresolved;
      if (reason === 'ClaimNotBound' || known.has(textOf(unresolved))) continue;
      events.record({ reason, regarding: `Pod/${pod.namespace}/${pod.name}`, message: error.message, error });
    }
  }
}

function textOf({ volume, reason, error }: PodVolumeError): string {
  return [volume, reason, error.message].join('\n');
}
