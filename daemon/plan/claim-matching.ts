/** Whether a volume is a claim's, or fits it: the persistent volume controller's rules for one pair. Pure. */

import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { compareQuantities, parseQuantity } from '../api/quantity.ts';
import { annotations } from '../api/well-known.ts';

/** The beta annotation beats the field, as upstream (GetPersistentVolumeClaimClass). */
export function classOfClaim(claim: StoredPersistentVolumeClaim): string | undefined {
  return claim.metadata.annotations?.[annotations.betaStorageClass] ?? claim.spec.storageClassName;
}

/** The same of a volume (GetPersistentVolumeClass); '' is none. */
export function classOfVolume(volume: StoredPersistentVolume): string {
  return volume.metadata.annotations?.[annotations.betaStorageClass] ?? volume.spec.storageClassName ?? '';
}

/** Reserved for the claim by name, or by name and uid (IsVolumeBoundToClaim). */
export function isClaimedBy(volume: StoredPersistentVolume, claim: StoredPersistentVolumeClaim): boolean {
  const reference = volume.spec.claimRef;
  return (
    reference !== undefined &&
    reference.namespace === claim.metadata.namespace &&
    reference.name === claim.metadata.name &&
    (reference.uid === undefined || reference.uid === claim.metadata.uid)
  );
}

/** Why a volume that the claim names does not fit it, or undefined (checkVolumeSatisfyClaim): all but the selector. */
export function mismatch(claim: StoredPersistentVolumeClaim, volume: StoredPersistentVolume): string | undefined {
  const misfit = reservationMismatch(claim, volume);
  if (misfit !== undefined) return misfit;
  const wanted = classOfClaim(claim) ?? '';
  const given = classOfVolume(volume);
  return given === wanted ? undefined : `class is "${given}", wanted "${wanted}"`;
}

/** The same of a volume that an administrator reserved for the claim: neither its class nor its labels count. */
export function reservationMismatch(
  claim: StoredPersistentVolumeClaim,
  volume: StoredPersistentVolume,
): string | undefined {
  const { spec } = claim;
  if (volume.metadata.deletionTimestamp !== undefined) return 'it is being deleted';
  if (hasOtherVolumeMode(claim, volume)) {
    return `volumeMode is ${modeOf(volume)}, wanted ${modeOf(claim)}`;
  }
  const request = spec.resources.requests.storage;
  const capacity = volume.spec.capacity.storage;
  if (compareQuantities(parseQuantity(capacity), parseQuantity(request)) < 0) {
    return `capacity ${capacity} is less than ${request}`;
  }
  const wanted = attributesClassOf(claim);
  const given = attributesClassOf(volume);
  if (given !== wanted) return `volumeAttributesClassName is "${given}", wanted "${wanted}"`;
  const missing = spec.accessModes.find((accessMode) => !volume.spec.accessModes.includes(accessMode));
  return missing === undefined ? undefined : `accessModes lack ${missing}`;
}

export function hasOtherVolumeMode(claim: StoredPersistentVolumeClaim, volume: StoredPersistentVolume): boolean {
  return modeOf(claim) !== modeOf(volume);
}

type ClaimOrVolume = StoredPersistentVolumeClaim | StoredPersistentVolume;

export function modeOf({ spec }: ClaimOrVolume): string {
  return spec.volumeMode ?? 'Filesystem';
}

export function attributesClassOf({ spec }: ClaimOrVolume): string {
  return spec.volumeAttributesClassName ?? '';
}
