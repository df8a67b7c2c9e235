import { type Kind, type ObjectKey, objectKey } from '../api/meta.ts';
import type { StoredObject } from '../api/object.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';

/**
 * The claims whose owners have all gone (garbage collector: attemptToDeleteItem). Gone means removed from the store, and
 * that takes a confirmed deletion; an owner of the same name with another uid is another owner. Pure.
 */
export function claimsWithoutOwners(
  claims: readonly StoredPersistentVolumeClaim[],
  get: (key: ObjectKey) => StoredObject | undefined,
): readonly StoredPersistentVolumeClaim[] {
  return claims.filter(({ metadata }) => {
    const { ownerReferences = [], deletionTimestamp, namespace } = metadata;
    if (ownerReferences.length === 0 || deletionTimestamp !== undefined) return false;
    return ownerReferences.every(
      ({ kind, name, uid }) => get(objectKey(kind as Kind, namespace, name))?.metadata.uid !== uid,
    );
  });
}
