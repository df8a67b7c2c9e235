/** The claims of a pod as the scheduler sorts them (plugin volumebinding, PreFilter). Pure. */

import { isOwnedBy } from '../api/owner-reference.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredPod } from '../api/pod.ts';
import { claimOfVolume, type PodClaim } from '../api/pod-claims.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import { annotations } from '../api/well-known.ts';
import { classOfClaim } from './claim-matching.ts';

export interface ClaimsOfPod {
  readonly all: readonly StoredPersistentVolumeClaim[];
  /** Bound wholly, and to this volume. */
  readonly bound: readonly { readonly claim: StoredPersistentVolumeClaim; readonly volumeName: string }[];
  /** Those that wait for the pod. */
  readonly delayed: readonly StoredPersistentVolumeClaim[];
}

export type PodClaims =
  | { readonly kind: 'ready'; readonly claims: ClaimsOfPod }
  /** No node would do before this is otherwise. */
  | { readonly kind: 'unready'; readonly message: string };

interface ClaimsWorld {
  claim(namespace: string, name: string): StoredPersistentVolumeClaim | undefined;
  storageClass(name: string): StoredStorageClass | undefined;
}

export function claimsOfPod(pod: StoredPod, world: ClaimsWorld): PodClaims {
  const all: StoredPersistentVolumeClaim[] = [];
  for (const volume of pod.spec.volumes ?? []) {
    const wanted = claimOfVolume(pod.metadata.name, volume);
    if (wanted === undefined) continue;
    const claim = world.claim(pod.metadata.namespace, wanted.claimName);
    if (claim === undefined) return { kind: 'unready', message: missing(wanted) };
    const message = unusable(claim, wanted, pod);
    if (message !== undefined) return { kind: 'unready', message };
    if (!all.includes(claim)) all.push(claim);
  }
  const bound = all.flatMap((claim) => (isBound(claim) ? { claim, volumeName: claim.spec.volumeName ?? '' } : []));
  const unbound = all.filter((claim) => !isBound(claim));
  const delayed = unbound.filter((claim) => isDelayed(claim, world));
  if (delayed.length < unbound.length) {
    return { kind: 'unready', message: 'pod has unbound immediate PersistentVolumeClaims' };
  }
  return { kind: 'ready', claims: { all, bound, delayed } };
}

function missing({ claimName, isEphemeral }: PodClaim): string {
  return isEphemeral
    ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${claimName}"`
    : `persistentvolumeclaim "${claimName}" not found`;
}

function unusable(
  { metadata, spec, status }: StoredPersistentVolumeClaim,
  { isEphemeral }: PodClaim,
  pod: StoredPod,
): string | undefined {
  if (isEphemeral && !isOwnedBy(metadata, pod.metadata.uid)) {
    return `PVC ${metadata.namespace}/${metadata.name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`;
  }
  if (status?.phase === 'Lost') {
    return `persistentvolumeclaim "${metadata.name}" bound to non-existent persistentvolume "${spec.volumeName ?? ''}"`;
  }
  return metadata.deletionTimestamp === undefined
    ? undefined
    : `persistentvolumeclaim "${metadata.name}" is being deleted`;
}

function isBound({ metadata, spec }: StoredPersistentVolumeClaim): boolean {
  return spec.volumeName !== undefined && metadata.annotations?.[annotations.bindCompleted] !== undefined;
}

/** One that the user bound to a volume himself waits for nobody. */
function isDelayed(claim: StoredPersistentVolumeClaim, world: ClaimsWorld): boolean {
  const storageClass = world.storageClass(classOfClaim(claim) ?? '');
  return claim.spec.volumeName === undefined && storageClass?.spec.volumeBindingMode === 'WaitForFirstConsumer';
}
