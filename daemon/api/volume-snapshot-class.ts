import type { ObjectMeta, TypedObject } from './meta.ts';

export type DeletionPolicy = 'Delete' | 'Retain';

/** Upstream keeps these at the top level, as those of a StorageClass; here under `spec` like every other kind. */
export interface VolumeSnapshotClassSpec {
  readonly driver: string;
  readonly deletionPolicy: DeletionPolicy;
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface VolumeSnapshotClass extends TypedObject<'VolumeSnapshotClass', VolumeSnapshotClassSpec> {}

export interface StoredVolumeSnapshotClass extends VolumeSnapshotClass {
  readonly metadata: ObjectMeta;
}
