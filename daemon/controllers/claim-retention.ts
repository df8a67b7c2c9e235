/** Who owns a claim of a StatefulSet, by its persistentVolumeClaimRetentionPolicy (claimOwnerMatchesSetAndPod). Pure. */

import type { OwnerReference } from '../api/meta.ts';
import { controllerOf, isOwnedBy, ownerReference } from '../api/owner-reference.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredPod } from '../api/pod.ts';
import type { StoredStatefulSet } from '../api/stateful-set.ts';
import { ordinalOf, ordinalsOf } from './stateful-set-objects.ts';

interface Owners {
  readonly set: boolean;
  readonly pod: boolean;
}

/** Another controller manages the claim: the policy is not ours to apply. */
export function hasForeignController(claim: StoredPersistentVolumeClaim, set: StoredStatefulSet): boolean {
  const controller = controllerOf(claim.metadata);
  return controller !== undefined && controller.uid !== set.metadata.uid;
}

/** The claim with the owners that the policy wants, undefined when it has them. */
export function withOwners(
  claim: StoredPersistentVolumeClaim,
  set: StoredStatefulSet,
  pod: StoredPod,
): StoredPersistentVolumeClaim | undefined {
  const wanted = hasForeignController(claim, set) ? { set: false, pod: false } : wantedOwners(set, pod);
  const is = { set: isOwnedBy(claim.metadata, set.metadata.uid), pod: isOwnedBy(claim.metadata, pod.metadata.uid) };
  if (is.set === wanted.set && is.pod === wanted.pod) return undefined;
  const others = (claim.metadata.ownerReferences ?? []).filter(
    ({ uid }) => uid !== set.metadata.uid && uid !== pod.metadata.uid,
  );
  const { ownerReferences: _, ...metadata } = claim.metadata;
  const owners: readonly OwnerReference[] = [
    ...others,
    ...(wanted.set ? [ownerReference(set)] : []),
    ...(wanted.pod ? [ownerReference(pod)] : []),
  ];
  return { ...claim, metadata: owners.length === 0 ? metadata : { ...metadata, ownerReferences: owners } };
}

/** A claim of a pod that is scaled away goes with the pod, any other with the set, each if the policy says Delete. */
function wantedOwners(set: StoredStatefulSet, pod: StoredPod): Owners {
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const ordinal = ordinalOf(set, pod.metadata.name) ?? 0;
  const { start, end } = ordinalsOf(set);
  const goesWithPod = whenScaled === 'Delete' && (ordinal < start || ordinal >= end);
  return { set: whenDeleted === 'Delete' && !goesWithPod, pod: goesWithPod };
}

/** The claim belongs to a pod of this name that is not there any more, and is about to go (hasStaleOwnerRef). */
export function hasStaleOwner(
  { metadata }: StoredPersistentVolumeClaim,
  podName: string,
  podUid: string | undefined,
): boolean {
  return (metadata.ownerReferences ?? []).some(
    ({ kind, name, uid }) => kind === 'Pod' && name === podName && uid !== podUid,
  );
}
