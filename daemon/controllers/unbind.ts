import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import { annotations } from '../api/well-known.ts';

/**
 * The volume without its claim (unbindVolume): what the controller bound is nobody's, what a user reserved keeps the name
 * of the claim and loses its uid.
 */
export function withoutClaim(volume: StoredPersistentVolume): StoredPersistentVolume {
  const { [annotations.boundByController]: mark, ...rest } = volume.metadata.annotations ?? {};
  const { claimRef, ...spec } = volume.spec;
  if (claimRef === undefined) return volume;
  const { uid: _uid, ...reservation } = claimRef;
  const unbound = mark === undefined ? { ...spec, claimRef: reservation } : spec;
  const metadata = { ...volume.metadata, annotations: rest };
  return { ...volume, metadata, spec: unbound };
}
