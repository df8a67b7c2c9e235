import type { OperationView } from '../../control/protocol.ts';
import type {
  VolumeSnapshotClassView,
  VolumeSnapshotContentView,
  VolumeSnapshotView,
} from '../../control/snapshot-views.ts';
import { formatProgress } from '../resources/record-resources.ts';
import { isDefaultSnapshotClass, sourceHandleOf } from '../resources/snapshot-resources.ts';
import { metadataFields } from './describe-objects.ts';
import { type Description, type Field, pairs, timeAndAge } from './section.ts';

/** @param operations all that run: the copy of the snapshot among them, while it is taken */
export function describeVolumeSnapshot(
  { metadata, spec, status }: VolumeSnapshotView,
  operations: readonly OperationView[],
  nowMs: number,
): Description {
  const key = `VolumeSnapshot/${metadata.namespace}/${metadata.name}`;
  const copy = operations.find((operation) => operation.copy?.for === key);
  const { creationTime } = status ?? {};
  return {
    fields: [
      ...metadataFields(metadata, nowMs),
      ['Source Claim', spec.source.persistentVolumeClaimName ?? ''],
      ['Source Content', spec.source.volumeSnapshotContentName ?? ''],
      ['Class', spec.volumeSnapshotClassName ?? ''],
      ['Ready To Use', String(status?.readyToUse ?? false)],
      ...(copy === undefined ? [] : [copyField(copy, nowMs)]),
      ['Content', status?.boundVolumeSnapshotContentName ?? ''],
      ['Restore Size', status?.restoreSize ?? ''],
      ['Taken', creationTime === undefined ? '' : timeAndAge(creationTime, nowMs)],
      ...errorField(status?.error),
    ],
    sections: [],
  };
}

export function describeVolumeSnapshotClass(snapshotClass: VolumeSnapshotClassView, nowMs: number): Description {
  const { metadata, driver, deletionPolicy, parameters } = snapshotClass;
  return {
    fields: [
      ...metadataFields(metadata, nowMs),
      ['Is Default', isDefaultSnapshotClass(snapshotClass) ? 'Yes' : 'No'],
      ['Driver', driver],
      ['Deletion Policy', deletionPolicy],
      ['Parameters', pairs(parameters)],
    ],
    sections: [],
  };
}

export function describeVolumeSnapshotContent(content: VolumeSnapshotContentView, nowMs: number): Description {
  const { metadata, spec, status } = content;
  const { creationTime } = status ?? {};
  const taken = creationTime === undefined ? '' : timeAndAge(new Date(creationTime / 1e6).toISOString(), nowMs);
  return {
    fields: [
      ...metadataFields(metadata, nowMs),
      ['Driver', spec.driver],
      ['Class', spec.volumeSnapshotClassName ?? ''],
      ['Deletion Policy', spec.deletionPolicy],
      ['Snapshot', `${spec.volumeSnapshotRef.namespace}/${spec.volumeSnapshotRef.name}`],
      ['Source', sourceHandleOf(content)],
      ['Source VolumeMode', spec.sourceVolumeMode ?? ''],
      ['Snapshot Handle', status?.snapshotHandle ?? ''],
      ['Ready To Use', String(status?.readyToUse ?? false)],
      ['Restore Size', status?.restoreSize === undefined ? '' : `${status.restoreSize}`],
      ['Taken', taken],
      ...errorField(status?.error),
    ],
    sections: [],
  };
}

function copyField({ copy, state, startedAt, reason }: OperationView, nowMs: number): Field {
  const far = copy === undefined || state === 'waiting' ? reason : formatProgress(copy);
  return ['Copying', [far, `since ${timeAndAge(startedAt, nowMs)}`]];
}

function errorField(error: { readonly time: string; readonly message: string } | undefined): Field[] {
  return error === undefined ? [] : [['Error', error.message]];
}
