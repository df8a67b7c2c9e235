/** Claims of generic ephemeral volumes (ephemeral volume controller: handleVolume). Pure. */

import { isOwnedBy } from '../api/owner-reference.ts';
import type { PersistentVolumeClaim, StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { isTerminated, type StoredPod } from '../api/pod.ts';
import { claimOfVolume } from '../api/pod-claims.ts';

export type EphemeralClaimStep =
  | { readonly kind: 'create'; readonly claim: PersistentVolumeClaim; readonly volume: string }
  /** A claim of that name is there and not the pod's: neither used nor touched. */
  | { readonly kind: 'conflict'; readonly message: string };

export function hasEphemeralVolume({ spec }: StoredPod): boolean {
  return spec.volumes?.some(({ ephemeral }) => ephemeral !== undefined) === true;
}

export function ephemeralClaimSteps(
  pod: StoredPod,
  claimNamed: (name: string) => StoredPersistentVolumeClaim | undefined,
): readonly EphemeralClaimStep[] {
  if (isTerminated(pod)) return [];
  const { namespace, name: podName, uid } = pod.metadata;
  return (pod.spec.volumes ?? []).flatMap((volume): readonly EphemeralClaimStep[] => {
    const { ephemeral } = volume;
    const name = claimOfVolume(podName, volume)?.claimName;
    if (ephemeral === undefined || name === undefined) return [];
    const existing = claimNamed(name);
    if (existing !== undefined) {
      if (isOwnedBy(existing.metadata, uid)) return [];
      const message = `ephemeral volume ${volume.name}: claim "${name}" was not created for the pod (pod is not its owner)`;
      return [{ kind: 'conflict', message }];
    }
    const { metadata = {}, spec } = ephemeral.volumeClaimTemplate;
    const { labels, annotations } = metadata;
    const meta = { name, namespace, ...(labels && { labels }), ...(annotations && { annotations }) };
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: meta, spec } as const;
    return [{ kind: 'create', claim, volume: volume.name }];
  });
}
