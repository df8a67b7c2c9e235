/**
 * Binding in upstream's order, four writes, each of which may be the last before a crash: volume spec, volume status,
 * claim spec, claim status. Each call gives the first that is outstanding, so any prefix is continued.
 */

import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { annotations } from '../api/well-known.ts';
import { attributesClassOf, isClaimedBy } from '../plan/claim-matching.ts';
import { type ControlStep, settled } from './claim-world.ts';

export function bindStep(claim: StoredPersistentVolumeClaim, volume: StoredPersistentVolume): ControlStep {
  const object = nextBindWrite(claim, volume);
  return object === undefined ? settled : { kind: 'write', object };
}

function nextBindWrite(
  claim: StoredPersistentVolumeClaim,
  volume: StoredPersistentVolume,
): StoredPersistentVolume | StoredPersistentVolumeClaim | undefined {
  const reserved = reserve(claim, volume);
  if (reserved !== undefined) return reserved;
  if (volume.status?.phase !== 'Bound') return { ...volume, status: { phase: 'Bound' } };
  const { volumeName } = claim.spec;
  const isCompleted = claim.metadata.annotations?.[annotations.bindCompleted] === 'yes';
  if (volumeName !== volume.metadata.name || !isCompleted) return claimSpecWrite(claim, volume);
  if (claim.status?.phase !== 'Bound') return claimStatusWrite(claim, volume);
  return undefined;
}

/** The volume with the claim in it: from then on it is nobody else's. Undefined when it is so already. */
export function reserve(
  claim: StoredPersistentVolumeClaim,
  volume: StoredPersistentVolume,
): StoredPersistentVolume | undefined {
  if (volume.spec.claimRef?.uid === claim.metadata.uid) return undefined;
  const { namespace, name, uid } = claim.metadata;
  const wasReserved = isClaimedBy(volume, claim);
  const marks = wasReserved ? {} : { [annotations.boundByController]: 'yes' };
  return {
    ...volume,
    metadata: { ...volume.metadata, annotations: { ...volume.metadata.annotations, ...marks } },
    spec: { ...volume.spec, claimRef: { namespace, name, uid } },
  };
}

function claimSpecWrite(
  claim: StoredPersistentVolumeClaim,
  volume: StoredPersistentVolume,
): StoredPersistentVolumeClaim {
  const marks = {
    [annotations.bindCompleted]: 'yes',
    ...(claim.spec.volumeName === undefined ? { [annotations.boundByController]: 'yes' } : {}),
  };
  return {
    ...claim,
    metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, ...marks } },
    spec: { ...claim.spec, volumeName: volume.metadata.name },
  };
}

function claimStatusWrite(
  claim: StoredPersistentVolumeClaim,
  volume: StoredPersistentVolume,
): StoredPersistentVolumeClaim {
  const { accessModes, capacity } = volume.spec;
  // A filesystem that is still to be grown has the size of before (upstream: updateClaimStatus).
  const storage = volume.metadata.annotations?.[annotations.preResizeCapacity] ?? capacity.storage;
  const attributesClass = attributesClassOf(volume);
  const current = attributesClass === '' ? {} : { currentVolumeAttributesClassName: attributesClass };
  return { ...claim, status: { phase: 'Bound', accessModes, capacity: { storage }, ...current } };
}
