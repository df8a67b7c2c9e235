/** The kinds of snapshot.storage.k8s.io as `get` answers them. */
import type { StoredVolumeSnapshot } from '../api/volume-snapshot.ts';
import type { StoredVolumeSnapshotClass, VolumeSnapshotClassSpec } from '../api/volume-snapshot-class.ts';
import type { StoredVolumeSnapshotContent } from '../api/volume-snapshot-content.ts';

export type VolumeSnapshotView = StoredVolumeSnapshot;
/** As in Kubernetes, a class has its fields at the top level. */
export type VolumeSnapshotClassView = Omit<StoredVolumeSnapshotClass, 'spec'> & VolumeSnapshotClassSpec;
export type VolumeSnapshotContentView = StoredVolumeSnapshotContent;
export type SnapshotView = VolumeSnapshotView | VolumeSnapshotClassView | VolumeSnapshotContentView;
