import type { Kind, ObjectMeta, OwnerReference, TypedObject } from '../api/meta.ts';
import { finalizers } from '../api/well-known.ts';

/** What keeps an object of each kind until nothing needs it any more. */
const finalizersOf: Readonly<Record<Kind, readonly string[]>> = {
  Node: [],
  Pod: [finalizers.podVolumes],
  PersistentVolumeClaim: [finalizers.pvcProtection],
  PersistentVolume: [finalizers.pvProtection],
  StorageClass: [],
  StatefulSet: [finalizers.foregroundDeletion],
  VolumeSnapshotClass: [],
  VolumeSnapshot: [finalizers.snapshotAsSource, finalizers.snapshotBound],
  VolumeSnapshotContent: [finalizers.contentBound],
};

export interface Birth {
  readonly uid: string;
  /** RFC 3339. */
  readonly now: string;
  readonly ownerReferences?: readonly OwnerReference[];
}

/** A declared object as it enters the store. */
export function born<T extends TypedObject<Kind, unknown>>(
  declared: T,
  { uid, now, ownerReferences }: Birth,
): T & BornMeta {
  const metadata = {
    ...declared.metadata,
    uid,
    resourceVersion: '0',
    generation: 1,
    creationTimestamp: now,
    finalizers: finalizersOf[declared.kind],
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
  };
  return { ...declared, metadata };
}

interface BornMeta {
  readonly metadata: ObjectMeta;
}
