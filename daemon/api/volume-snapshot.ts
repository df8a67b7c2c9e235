import type { ObjectMeta, TypedObject } from './meta.ts';

/** Exactly one of the two: a claim to take a snapshot of, or a content that is there already. */
export interface VolumeSnapshotSource {
  readonly persistentVolumeClaimName?: string;
  readonly volumeSnapshotContentName?: string;
}

export interface VolumeSnapshotSpec {
  readonly source: VolumeSnapshotSource;
  /** undefined asks for the default class of the volume's driver. */
  readonly volumeSnapshotClassName?: string;
}

export interface VolumeSnapshotError {
  readonly time: string;
  readonly message: string;
}

export interface VolumeSnapshotStatus {
  readonly boundVolumeSnapshotContentName?: string;
  /** RFC 3339: the moment that the data is of. */
  readonly creationTime?: string;
  readonly readyToUse?: boolean;
  /** A quantity: the least size of a volume made of it. */
  readonly restoreSize?: string;
  readonly error?: VolumeSnapshotError;
}

export interface VolumeSnapshot extends TypedObject<'VolumeSnapshot', VolumeSnapshotSpec> {
  readonly status?: VolumeSnapshotStatus;
}

export interface StoredVolumeSnapshot extends VolumeSnapshot {
  readonly metadata: ObjectMeta;
}
