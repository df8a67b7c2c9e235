/** One pod's next step: its delayed claims get their volumes, or the pod waits with the scheduler's words. Pure. */
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { isTerminated, type StoredPod } from '../api/pod.ts';
import { annotations } from '../api/well-known.ts';
import { schedulePod } from '../plan/volume-scheduling.ts';
import { reserve } from './bind-step.ts';
import { type ClaimWorld, type ControlStep, settled } from './claim-world.ts';

export function nextSchedulingStep(pod: StoredPod, world: ClaimWorld): ControlStep {
  if (isTerminated(pod)) return settled;
  const schedule = schedulePod(pod, world);
  switch (schedule.kind) {
    case 'waits':
      return { kind: 'wait', reason: 'FailedScheduling', message: schedule.message, isToldElsewhere: true };
    case 'refused': {
      const { reason, message, missesSpace } = schedule;
      return { kind: 'wait', reason, message, ...(missesSpace ? { until: 'spaceIsFreed' } : {}) };
    }
    case 'scheduled': {
      const { bindings, provisions } = schedule;
      const node = world.nodes.own.name;
      const objects = [
        ...bindings.flatMap(({ claim, volume }) => reserve(claim, volume) ?? []),
        ...provisions.flatMap((claim) => select(claim, node) ?? []),
      ];
      return objects.length === 0 ? settled : { kind: 'writeTogether', objects };
    }
  }
}

function select(claim: StoredPersistentVolumeClaim, node: string): StoredPersistentVolumeClaim | undefined {
  const { metadata } = claim;
  if (metadata.annotations?.[annotations.selectedNode] === node) return undefined;
  return {
    ...claim,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [annotations.selectedNode]: node } },
  };
}
