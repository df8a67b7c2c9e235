import type { Area } from '../row.ts';

const steps = 'daemon/controllers/snapshots.test.ts';
const real = 'integration/snapshots.test.ts';

export const snapshots: Area = {
  title: 'Snapshots',
  rows: [
    {
      id: 'S01',
      says: 'VolumeSnapshot, VolumeSnapshotClass and VolumeSnapshotContent, as claim, class and volume.',
      tests: ['daemon/api/volume-snapshot-schemas.test.ts > a snapshot of a claim', `${steps} > the one default class`],
    },
    {
      id: 'S02',
      says: 'A snapshot is taken of the volume of its claim, and bound to its content by uid, both ways.',
      tests: [`${steps} > 6-1`, `${steps} > 3-6`, `${real} > is whole, is restored`],
    },
    {
      id: 'S03',
      says: 'The content holds the handle of the snapshot and where it came from.',
      tests: [`${steps} > 6-1`, `${steps} > a content made by hand is bound by uid`],
    },
    {
      id: 'S04',
      says: 'Deleting the snapshot deletes its content and its data with policy Delete, neither with Retain.',
      tests: [
        `${steps} > 3-1: policy Delete`,
        `${steps} > 3-3: policy Retain`,
        `${real} > of a snapshot takes its content`,
      ],
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
