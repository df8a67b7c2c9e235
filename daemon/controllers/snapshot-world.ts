import { type ObjectKey, objectKey } from '../api/meta.ts';
import type { StoredObject } from '../api/object.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredVolumeSnapshot } from '../api/volume-snapshot.ts';
import type { StoredVolumeSnapshotClass } from '../api/volume-snapshot-class.ts';
import type { StoredVolumeSnapshotContent } from '../api/volume-snapshot-content.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ControlEvent } from './claim-world.ts';

/** What the reducers of snapshots and contents look at. */
export interface SnapshotWorld {
  readonly snapshots: readonly StoredVolumeSnapshot[];
  readonly classes: readonly StoredVolumeSnapshotClass[];
  readonly claims: readonly StoredPersistentVolumeClaim[];
  snapshot(namespace: string, name: string): StoredVolumeSnapshot | undefined;
  content(name: string): StoredVolumeSnapshotContent | undefined;
  snapshotClass(name: string): StoredVolumeSnapshotClass | undefined;
  claim(namespace: string, name: string): StoredPersistentVolumeClaim | undefined;
  volume(name: string): StoredPersistentVolume | undefined;
  volumeWithHandle(driver: string, handle: string): StoredPersistentVolume | undefined;
  /** Whether a plugin here takes snapshots of this driver's volumes. */
  takesSnapshots(driver: string): boolean;
  /** RFC 3339. */
  readonly now: string;
}

/** What is to be done next for one snapshot, content or claim. */
export type SnapshotStep =
  | { readonly kind: 'write' | 'create'; readonly object: StoredObject; readonly event?: ControlEvent }
  | { readonly kind: 'remove'; readonly key: ObjectKey; readonly resourceVersion: string }
  | {
      readonly kind: 'take';
      readonly content: StoredVolumeSnapshotContent;
      readonly volume: StoredPersistentVolume;
      readonly snapshotClass: StoredVolumeSnapshotClass | undefined;
    }
  /** A snapshot that somebody else's content names is looked at. */
  | { readonly kind: 'adopt'; readonly content: StoredVolumeSnapshotContent }
  /** The snapshot goes to the trash, then the content's object. */
  | { readonly kind: 'delete'; readonly content: StoredVolumeSnapshotContent }
  | ({ readonly kind: 'wait' } & ControlEvent)
  | { readonly kind: 'settled' };

export const nothingToDo: SnapshotStep = { kind: 'settled' };

export function snapshotWorldOf(
  objects: ObjectStore,
  surroundings: Pick<SnapshotWorld, 'takesSnapshots' | 'now'>,
): SnapshotWorld {
  return {
    get snapshots() {
      return objects.list('VolumeSnapshot');
    },
    get classes() {
      return objects.list('VolumeSnapshotClass');
    },
    get claims() {
      return objects.list('PersistentVolumeClaim');
    },
    snapshot: (namespace, name) =>
      objects.get(objectKey('VolumeSnapshot', namespace, name)) as StoredVolumeSnapshot | undefined,
    content: (name) =>
      objects.get(objectKey('VolumeSnapshotContent', '', name)) as StoredVolumeSnapshotContent | undefined,
    snapshotClass: (name) =>
      objects.get(objectKey('VolumeSnapshotClass', '', name)) as StoredVolumeSnapshotClass | undefined,
    claim: (namespace, name) =>
      objects.get(objectKey('PersistentVolumeClaim', namespace, name)) as StoredPersistentVolumeClaim | undefined,
    volume: (name) => objects.get(objectKey('PersistentVolume', '', name)) as StoredPersistentVolume | undefined,
    volumeWithHandle: (driver, handle) =>
      objects
        .list('PersistentVolume')
        .find(({ spec }) => spec.csi?.driver === driver && spec.csi.volumeHandle === handle),
    ...surroundings,
  };
}

/** The snapshot that a content is bound to: by uid, for a later one of the same name has nothing to do with it. */
export function snapshotOf(
  { spec: { volumeSnapshotRef } }: StoredVolumeSnapshotContent,
  world: Pick<SnapshotWorld, 'snapshot'>,
): StoredVolumeSnapshot | undefined {
  const snapshot = world.snapshot(volumeSnapshotRef.namespace, volumeSnapshotRef.name);
  return snapshot !== undefined && snapshot.metadata.uid === volumeSnapshotRef.uid ? snapshot : undefined;
}

export function withFinalizer<T extends StoredObject>(object: T, finalizer: string): T {
  const finalizers = [...(object.metadata.finalizers ?? []), finalizer];
  return { ...object, metadata: { ...object.metadata, finalizers } };
}

export function withAnnotations<T extends StoredObject>(object: T, marks: Readonly<Record<string, string>>): T {
  const annotations = { ...object.metadata.annotations, ...marks };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
