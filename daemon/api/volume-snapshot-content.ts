import type { ObjectMeta, TypedObject } from './meta.ts';
import type { VolumeMode } from './persistent-volume.ts';
import type { VolumeSnapshotError } from './volume-snapshot.ts';
import type { DeletionPolicy } from './volume-snapshot-class.ts';

/** Without uid it is reserved for the snapshot of this name. */
export interface VolumeSnapshotReference {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
}

export interface VolumeSnapshotContentSpec {
  readonly volumeSnapshotRef: VolumeSnapshotReference;
  readonly deletionPolicy: DeletionPolicy;
  readonly driver: string;
  readonly volumeSnapshotClassName?: string;
  /** Exactly one of the two: a volume to take a snapshot of, or a snapshot that is there already. */
  readonly source: { readonly volumeHandle?: string; readonly snapshotHandle?: string };
  readonly sourceVolumeMode?: VolumeMode;
}

export interface VolumeSnapshotContentStatus {
  readonly snapshotHandle?: string;
  /** Nanoseconds since the epoch, as upstream has it. */
  readonly creationTime?: number;
  /** Bytes. */
  readonly restoreSize?: number;
  readonly readyToUse?: boolean;
  readonly error?: VolumeSnapshotError;
}

export interface VolumeSnapshotContent extends TypedObject<'VolumeSnapshotContent', VolumeSnapshotContentSpec> {
  readonly status?: VolumeSnapshotContentStatus;
}

export interface StoredVolumeSnapshotContent extends VolumeSnapshotContent {
  readonly metadata: ObjectMeta;
}
