import type { Node, StoredNode } from './node.ts';
import type { PersistentVolume, StoredPersistentVolume } from './persistent-volume.ts';
import type { PersistentVolumeClaim, StoredPersistentVolumeClaim } from './persistent-volume-claim.ts';
import type { Pod, StoredPod } from './pod.ts';
import type { StatefulSet, StoredStatefulSet } from './stateful-set.ts';
import type { StorageClass, StoredStorageClass } from './storage-class.ts';
import type { StoredVolumeSnapshot, VolumeSnapshot } from './volume-snapshot.ts';
import type { StoredVolumeSnapshotClass, VolumeSnapshotClass } from './volume-snapshot-class.ts';
import type { StoredVolumeSnapshotContent, VolumeSnapshotContent } from './volume-snapshot-content.ts';

/** An object as a manifest declares it: validated and defaulted. */
export type DeclaredObject =
  | Node
  | Pod
  | PersistentVolume
  | PersistentVolumeClaim
  | StorageClass
  | StatefulSet
  | VolumeSnapshot
  | VolumeSnapshotClass
  | VolumeSnapshotContent;

/** An object as the store holds it: declared, with uid, resourceVersion, status, finalizers. */
export type StoredObject = StoredByKind[keyof StoredByKind];

export interface StoredByKind {
  readonly Node: StoredNode;
  readonly Pod: StoredPod;
  readonly PersistentVolume: StoredPersistentVolume;
  readonly PersistentVolumeClaim: StoredPersistentVolumeClaim;
  readonly StorageClass: StoredStorageClass;
  readonly VolumeSnapshot: StoredVolumeSnapshot;
  readonly VolumeSnapshotClass: StoredVolumeSnapshotClass;
  readonly VolumeSnapshotContent: StoredVolumeSnapshotContent;
  readonly StatefulSet: StoredStatefulSet;
}
