import type { PersistentVolume, StoredPersistentVolume } from './persistent-volume.ts';
import type { PersistentVolumeClaim, StoredPersistentVolumeClaim } from './persistent-volume-claim.ts';
import type { Pod, StoredPod } from './pod.ts';
import type { StorageClass, StoredStorageClass } from './storage-class.ts';

/** An object as a manifest declares it: validated and defaulted. */
export type DeclaredObject = Pod | PersistentVolume | PersistentVolumeClaim | StorageClass;

/** An object as the store holds it: declared, with uid, resourceVersion, status, finalizers. */
export type StoredObject = StoredPod | StoredPersistentVolume | StoredPersistentVolumeClaim | StoredStorageClass;

export interface StoredByKind {
  readonly Pod: StoredPod;
  readonly PersistentVolume: StoredPersistentVolume;
  readonly PersistentVolumeClaim: StoredPersistentVolumeClaim;
  readonly StorageClass: StoredStorageClass;
}
