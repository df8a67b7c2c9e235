import type { Area } from '../row.ts';

const real = 'integration/snapshots.test.ts';

export const snapshots: Area = {
  title: 'Snapshots',
  rows: [
    {
      id: 'S01',
      says: 'VolumeSnapshot, VolumeSnapshotClass and VolumeSnapshotContent, as claim, class and volume.',
      tests: ['daemon/api/volume-snapshot-schemas.test.ts > a snapshot of a claim', 'snap/6-own-2 (B090)'],
    },
    {
      id: 'S02',
      says: 'A snapshot is taken of the volume of its claim, and bound to its content by uid, both ways.',
      tests: ['snap/6-1', 'snap/3-6', `${real} > is whole, is restored`],
    },
    {
      id: 'S03',
      says: 'The content holds the handle of the snapshot and where it came from.',
      tests: ['snap/6-1', 'snap/2-own-1'],
    },
    {
      id: 'S04',
      says: 'Deleting the snapshot deletes its content and its data with policy Delete, neither with Retain.',
      tests: ['snap/delete 3-1', 'snap/delete 3-3', `${real} > of a snapshot takes its content`],
    },
    {
      id: 'S05',
      says: 'A claim with a snapshot as dataSource gets a volume with its data, larger if it asks for more.',
      tests: [`${real} > is whole, is restored`, `${real} > to a larger claim grows`],
    },
    {
      id: 'S06',
      says: 'Roll back, copy, migrate: restored beside the source, cloned, or brought back by a content made by hand.',
      tests: [`${real} > of a claim in use is made without touching it`, `${real} > with policy Retain keeps both`],
    },
  ],
};
