/** What a claim is protected for beside its pods: the snapshots and clones that are being made of it. Pure. */
import { dataSourceOf, isClaimSource } from '../api/claim-data-source.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredVolumeSnapshot } from '../api/volume-snapshot.ts';
import { finalizers } from '../api/well-known.ts';
import { snapshotContentName } from './new-snapshot-content.ts';
import { nothingToDo, type SnapshotStep, type SnapshotWorld, withFinalizer } from './snapshot-world.ts';

/** The one writer of both finalizers. */
export function nextSourceClaimStep(claim: StoredPersistentVolumeClaim, world: SnapshotWorld): SnapshotStep {
  const { finalizers: present = [], deletionTimestamp } = claim.metadata;
  const isNeeded: ReadonlyMap<string, boolean> = new Map([
    [finalizers.cloneProtection, world.claims.some((other) => isCloneOf(other, claim))],
    [finalizers.pvcAsSource, world.snapshots.some((snapshot) => isBeingTaken(snapshot, claim, world))],
  ]);
  // Upstream too adds none to what is being deleted.
  const [missing] = [...isNeeded].filter(([finalizer, needed]) => needed && !present.includes(finalizer));
  if (missing !== undefined && deletionTimestamp === undefined) {
    return { kind: 'write', object: withFinalizer(claim, missing[0]) };
  }
  const left = present.filter((finalizer) => isNeeded.get(finalizer) !== false);
  if (left.length === present.length) return nothingToDo;
  return { kind: 'write', object: { ...claim, metadata: { ...claim.metadata, finalizers: left } } };
}

function isCloneOf(other: StoredPersistentVolumeClaim, { metadata }: StoredPersistentVolumeClaim): boolean {
  const source = dataSourceOf(other.spec);
  if (source === undefined || !isClaimSource(source) || source.name !== metadata.name) return false;
  const { namespace, deletionTimestamp } = other.metadata;
  return namespace === metadata.namespace && deletionTimestamp === undefined && other.spec.volumeName === undefined;
}

/** From its content on until it is ready. */
function isBeingTaken(
  snapshot: StoredVolumeSnapshot,
  { metadata }: StoredPersistentVolumeClaim,
  world: SnapshotWorld,
): boolean {
  const { namespace, deletionTimestamp } = snapshot.metadata;
  if (namespace !== metadata.namespace || deletionTimestamp !== undefined) return false;
  if (snapshot.spec.source.persistentVolumeClaimName !== metadata.name) return false;
  if (snapshot.status?.readyToUse === true) return false;
  return world.content(snapshotContentName(snapshot)) !== undefined;
}
