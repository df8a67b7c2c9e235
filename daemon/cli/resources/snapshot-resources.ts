/** snapshot.storage.k8s.io/v1, with the columns of its CustomResourceDefinitions. */
import type { VolumeSnapshotClassView, VolumeSnapshotContentView } from '../../control/snapshot-views.ts';
import { ageOf } from '../age.ts';
import { age, name, objectCommon } from './object-resources.ts';
import type { Resource } from './resource.ts';

const group = 'snapshot.storage.k8s.io';

export const volumeSnapshots: Resource<'volumesnapshots'> = {
  ...objectCommon,
  kind: 'volumesnapshots',
  singular: 'volumesnapshot',
  qualified: `volumesnapshot.${group}`,
  aliases: ['vs', 'volumesnapshot', 'volumesnapshots', `volumesnapshot.${group}`],
  isNamespaced: true,
  eventKind: 'VolumeSnapshot',
  items: ({ items }) => items,
  columns: [
    name,
    { header: 'READYTOUSE', cell: ({ status }) => readiness(status?.readyToUse), state: true },
    { header: 'SOURCEPVC', cell: ({ spec }) => spec.source.persistentVolumeClaimName ?? '' },
    { header: 'SOURCESNAPSHOTCONTENT', cell: ({ spec }) => spec.source.volumeSnapshotContentName ?? '' },
    { header: 'RESTORESIZE', cell: ({ status }) => status?.restoreSize ?? '' },
    { header: 'SNAPSHOTCLASS', cell: ({ spec }) => spec.volumeSnapshotClassName ?? '' },
    { header: 'SNAPSHOTCONTENT', cell: ({ status }) => status?.boundVolumeSnapshotContentName ?? '' },
    {
      header: 'CREATIONTIME',
      cell: ({ status }, nowMs) => (status?.creationTime === undefined ? '' : ageOf(status.creationTime, nowMs)),
    },
    age,
  ],
};

export const volumeSnapshotClasses: Resource<'volumesnapshotclasses'> = {
  ...objectCommon,
  kind: 'volumesnapshotclasses',
  singular: 'volumesnapshotclass',
  qualified: `volumesnapshotclass.${group}`,
  aliases: ['vsclass', 'vsclasses', 'volumesnapshotclass', 'volumesnapshotclasses', `volumesnapshotclass.${group}`],
  isNamespaced: false,
  eventKind: 'VolumeSnapshotClass',
  items: ({ items }) => items,
  columns: [
    name,
    { header: 'DRIVER', cell: ({ driver }) => driver },
    { header: 'DELETIONPOLICY', cell: ({ deletionPolicy }) => deletionPolicy },
    age,
  ],
};

export const volumeSnapshotContents: Resource<'volumesnapshotcontents'> = {
  ...objectCommon,
  kind: 'volumesnapshotcontents',
  singular: 'volumesnapshotcontent',
  qualified: `volumesnapshotcontent.${group}`,
  aliases: ['vsc', 'vscs', 'volumesnapshotcontent', 'volumesnapshotcontents', `volumesnapshotcontent.${group}`],
  isNamespaced: false,
  eventKind: 'VolumeSnapshotContent',
  items: ({ items }) => items,
  columns: [
    name,
    { header: 'READYTOUSE', cell: ({ status }) => readiness(status?.readyToUse), state: true },
    { header: 'RESTORESIZE', cell: ({ status }) => (status?.restoreSize === undefined ? '' : `${status.restoreSize}`) },
    { header: 'DELETIONPOLICY', cell: ({ spec }) => spec.deletionPolicy },
    { header: 'DRIVER', cell: ({ spec }) => spec.driver },
    { header: 'VOLUMESNAPSHOTCLASS', cell: ({ spec }) => spec.volumeSnapshotClassName ?? '' },
    { header: 'VOLUMESNAPSHOT', cell: ({ spec }) => spec.volumeSnapshotRef.name },
    { header: 'VOLUMESNAPSHOTNAMESPACE', cell: ({ spec }) => spec.volumeSnapshotRef.namespace },
    age,
  ],
};

export function isDefaultSnapshotClass({ metadata }: VolumeSnapshotClassView): boolean {
  return metadata.annotations?.['snapshot.storage.kubernetes.io/is-default-class'] === 'true';
}

export function sourceHandleOf({ spec }: VolumeSnapshotContentView): string {
  return spec.source.volumeHandle ?? spec.source.snapshotHandle ?? '';
}

function readiness(ready: boolean | undefined): string {
  return ready === undefined ? '' : String(ready);
}
