import type { Area } from '../row.ts';

export const snapshots: Area = {
  title: 'Snapshots',
  rows: [
    {
      id: 'S01',
      says: 'VolumeSnapshot, VolumeSnapshotClass and VolumeSnapshotContent, as claim, class and volume.',
      tests: [],
    },
    { id: 'S02', says: 'A snapshot is taken of the volume of its claim, and bound to its content.', tests: [] },
    { id: 'S03', says: 'The content holds the handle of the snapshot and where it came from.', tests: [] },
    { id: 'S04', says: 'Deleting the snapshot deletes its content, by its policy.', tests: [] },
    { id: 'S05', says: 'A claim with a snapshot as dataSource gets a volume with its data.', tests: [] },
    { id: 'S06', says: 'Roll back, copy, migrate.', tests: [] },
  ],
};
