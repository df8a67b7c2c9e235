/**
 * One claim's next step (pv_controller.go, syncClaim). Spec and annotations decide, status is an output: the phase is
 * never looked at to choose a way. Pure.
 *
 *   bind-completed        bound here: repaired, grown, or Lost
 *   spec.volumeName       the user named the volume
 *   neither               a volume is looked for (unbound-step.ts), else made (provision-step.ts)
 */

import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { hasFinished, type StoredPod } from '../api/pod.ts';
import { annotations, finalizers } from '../api/well-known.ts';
import { isClaimedBy, mismatch } from '../plan/claim-matching.ts';
import { placementRefusal } from '../plan/pod-placement.ts';
import { bindStep } from './bind-step.ts';
import { lost, pending } from './claim-outcome.ts';
import type { ClaimWorld, ControlStep } from './claim-world.ts';
import { nextExpansionStep } from './expansion-step.ts';
import { finishDeletion } from './finalizer-step.ts';
import { unboundStep } from './unbound-step.ts';

export function nextClaimStep(claim: StoredPersistentVolumeClaim, world: ClaimWorld): ControlStep {
  if (claim.metadata.deletionTimestamp !== undefined) return deletionStep(claim, world);
  if (claim.metadata.annotations?.[annotations.bindCompleted] === 'yes') return boundStep(claim, world);
  if (claim.spec.volumeName !== undefined) return namedStep(claim, claim.spec.volumeName, world);
  return unboundStep(claim, world);
}

/** pvc-protection: the claim stays while a pod names it that is, or may come to be, here. */
function deletionStep(claim: StoredPersistentVolumeClaim, world: ClaimWorld): ControlStep {
  const users = world.podsUsing(claim.metadata).filter((pod) => isHolding(pod, world));
  if (users.length === 0) return finishDeletion(claim, finalizers.pvcProtection);
  const names = users.map((pod) => `${pod.metadata.namespace}/${pod.metadata.name}`).join(', ');
  const message = `claim is being deleted and waits for pod ${names}`;
  return { kind: 'wait', reason: 'ClaimInUse', message, until: 'volumesChange' };
}

/**
 * Finished pods hold unless moored.yaml says otherwise. An unscheduled pod does not (podUsesPVC asks for spec.nodeName). No
 * pod is given a nodeName here: unscheduled is one that this machine may not have, and of which nothing is here. One that
 * waits for its volumes holds, as a pod that has its node would.
 */
function isHolding(pod: StoredPod, world: ClaimWorld): boolean {
  if (hasFinished(pod)) return world.ignoresFinishedPods !== true;
  return world.isHere(pod.metadata.uid) || placementRefusal(pod, world.nodes)?.reason !== 'FailedScheduling';
}

function boundStep(claim: StoredPersistentVolumeClaim, world: ClaimWorld): ControlStep {
  const { volumeName } = claim.spec;
  const volume = volumeName === undefined ? undefined : world.volume(volumeName);
  if (volume === undefined) {
    return lost(claim, 'ClaimLost', `bound claim has lost its volume "${volumeName ?? ''}": its data is not here`);
  }
  const reference = volume.spec.claimRef;
  if (reference === undefined || isClaimedBy(volume, claim)) {
    const binding = bindStep(claim, volume);
    return binding.kind === 'settled' ? nextExpansionStep(claim, volume, world) : binding;
  }
  const other = `${reference.namespace}/${reference.name}`;
  return lost(claim, 'ClaimMisbound', `two claims are bound to volume "${volume.metadata.name}": it is ${other}'s`);
}

/** Of a free volume that the user named all but the selector is checked; one that names the claim too is taken as it is. */
function namedStep(claim: StoredPersistentVolumeClaim, volumeName: string, world: ClaimWorld): ControlStep {
  const volume = world.volume(volumeName);
  if (volume === undefined) return pending(claim, 'FailedBinding', `volume "${volumeName}" not found`);
  const { claimRef } = volume.spec;
  if (claimRef !== undefined) {
    if (isClaimedBy(volume, claim)) return bindStep(claim, volume);
    const { namespace, name } = claimRef;
    return pending(claim, 'FailedBinding', `volume "${volumeName}" is bound to claim ${namespace}/${name}`);
  }
  const why = mismatch(claim, volume);
  if (why === undefined) return bindStep(claim, volume);
  return pending(claim, 'VolumeMismatch', `Cannot bind to volume "${volumeName}": ${why}`);
}
