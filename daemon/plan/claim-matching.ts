/** Which volume fits a claim: the persistent volume controller's rules (index.go, component-helpers), pure. */

import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { LabelSelector, StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { compareQuantities, parseQuantity } from '../api/quantity.ts';
import { annotations } from '../api/well-known.ts';

/** The beta annotation beats the field, as upstream (GetPersistentVolumeClaimClass). */
export function classOfClaim(claim: StoredPersistentVolumeClaim): string | undefined {
  return claim.metadata.annotations?.[annotations.betaStorageClass] ?? claim.spec.storageClassName;
}

export function isClaimedBy(volume: StoredPersistentVolume, claim: StoredPersistentVolumeClaim): boolean {
  const reference = volume.spec.claimRef;
  return (
    reference !== undefined &&
    reference.namespace === claim.metadata.namespace &&
    reference.name === claim.metadata.name &&
    (reference.uid === undefined || reference.uid === claim.metadata.uid)
  );
}

/**
 * The volume to bind: one that is reserved for this claim, else one that was this claim's before and kept its data,
 * else the smallest that fits. Ties go to the name that sorts first.
 */
export function findBestMatch(
  claim: StoredPersistentVolumeClaim,
  volumes: readonly StoredPersistentVolume[],
  isDelayed: boolean,
): StoredPersistentVolume | undefined {
  const alive = volumes.filter((volume) => volume.metadata.deletionTimestamp === undefined);
  const reserved = alive.filter((volume) => isClaimedBy(volume, claim) && mismatch(claim, volume, false) === undefined);
  if (reserved.length > 0) return smallest(reserved);
  const retained = alive.filter(
    (volume) => isRetainedFor(volume, claim) && mismatch(claim, volume, true) === undefined,
  );
  if (retained.length > 0 || isDelayed) return smallest(retained);
  return smallest(alive.filter((volume) => isAvailable(volume) && mismatch(claim, volume, true) === undefined));
}

function smallest(fitting: readonly StoredPersistentVolume[]): StoredPersistentVolume | undefined {
  let best: StoredPersistentVolume | undefined;
  for (const volume of fitting) if (best === undefined || isBefore(volume, best)) best = volume;
  return best;
}

function isBefore(a: StoredPersistentVolume, b: StoredPersistentVolume): boolean {
  const order = compareCapacity(a, b);
  return order === 0 ? a.metadata.name < b.metadata.name : order < 0;
}

/** Phase Available and nobody's; Pending, Released and Failed volumes do not match. */
function isAvailable(volume: StoredPersistentVolume): boolean {
  return volume.spec.claimRef === undefined && volume.status?.phase === 'Available';
}

/**
 * A volume that moored provisioned for a claim of this very namespace and name, whose data was retained: the claim, used
 * again, finds its data again. Upstream leaves such a volume to the administrator; here whoever writes the manifest is it.
 */
function isRetainedFor(volume: StoredPersistentVolume, claim: StoredPersistentVolumeClaim): boolean {
  const reference = volume.spec.claimRef;
  return (
    volume.status?.phase === 'Released' &&
    volume.spec.persistentVolumeReclaimPolicy === 'Retain' &&
    volume.metadata.annotations?.[annotations.provisionedBy] !== undefined &&
    reference?.namespace === claim.metadata.namespace &&
    reference.name === claim.metadata.name
  );
}

/**
 * Why the volume does not fit, or undefined.
 * @param withSelector the selector is not looked at for a volume that the claim or an administrator has named
 */
export function mismatch(
  claim: StoredPersistentVolumeClaim,
  volume: StoredPersistentVolume,
  withSelector: boolean,
): string | undefined {
  const { spec } = claim;
  const wantedMode = spec.volumeMode ?? 'Filesystem';
  const mode = volume.spec.volumeMode ?? 'Filesystem';
  if (mode !== wantedMode) return `volumeMode is ${mode}, wanted ${wantedMode}`;
  const request = spec.resources.requests.storage;
  const capacity = volume.spec.capacity.storage;
  if (compareQuantities(parseQuantity(capacity), parseQuantity(request)) < 0) {
    return `capacity ${capacity} is less than ${request}`;
  }
  const wantedClass = classOfClaim(claim) ?? '';
  const storageClass = volume.spec.storageClassName ?? '';
  if (storageClass !== wantedClass) return `class is "${storageClass}", wanted "${wantedClass}"`;
  const missing = spec.accessModes.find((accessMode) => !volume.spec.accessModes.includes(accessMode));
  if (missing !== undefined) return `accessModes lack ${missing}`;
  if (withSelector && !selects(spec.selector, volume.metadata.labels ?? {})) return 'labels do not match the selector';
  return undefined;
}

function compareCapacity(a: StoredPersistentVolume, b: StoredPersistentVolume): number {
  return compareQuantities(parseQuantity(a.spec.capacity.storage), parseQuantity(b.spec.capacity.storage));
}

function selects(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>>): boolean {
  const matchLabels = Object.entries(selector?.matchLabels ?? {});
  const expressions = selector?.matchExpressions ?? [];
  return (
    matchLabels.every(([key, value]) => labels[key] === value) &&
    expressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
      }
    })
  );
}
