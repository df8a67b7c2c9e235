import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredVolumeSnapshot } from '../api/volume-snapshot.ts';
import type { StoredVolumeSnapshotClass } from '../api/volume-snapshot-class.ts';
import type { StoredVolumeSnapshotContent } from '../api/volume-snapshot-content.ts';
import { snapshotApiVersion } from '../api/volume-snapshot-schemas.ts';
import { finalizers } from '../api/well-known.ts';

interface Birth {
  readonly snapshot: StoredVolumeSnapshot;
  readonly volume: StoredPersistentVolume;
  readonly snapshotClass: StoredVolumeSnapshotClass;
  /** RFC 3339. */
  readonly now: string;
}

/** The same snapshot always gives the same content (upstream: GetDynamicSnapshotContentNameForSnapshot). */
export function snapshotContentName({ metadata }: StoredVolumeSnapshot): string {
  return `snapcontent-${metadata.uid}`;
}

export function newSnapshotContent({ snapshot, volume, snapshotClass, now }: Birth): StoredVolumeSnapshotContent {
  const { namespace, name, uid } = snapshot.metadata;
  const { driver, deletionPolicy } = snapshotClass.spec;
  return {
    apiVersion: snapshotApiVersion,
    kind: 'VolumeSnapshotContent',
    metadata: {
      name: snapshotContentName(snapshot),
      namespace: '',
      // One content a snapshot: what makes that unique makes this.
      uid: `snapcontent-${uid}`,
      resourceVersion: '0',
      generation: 1,
      creationTimestamp: now,
      finalizers: [finalizers.contentBound],
    },
    spec: {
      volumeSnapshotRef: { namespace, name, uid },
      deletionPolicy,
      driver,
      volumeSnapshotClassName: snapshotClass.metadata.name,
      source: { volumeHandle: volume.spec.csi?.volumeHandle ?? '' },
      sourceVolumeMode: volume.spec.volumeMode ?? 'Filesystem',
    },
  };
}
