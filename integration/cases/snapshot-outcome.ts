/** Snapshots and contents of the store back into words. */
import type { StoredVolumeSnapshot } from '../../daemon/api/volume-snapshot.ts';
import type { StoredVolumeSnapshotContent } from '../../daemon/api/volume-snapshot-content.ts';
import type { Words } from './case-format.ts';
import { inWords, metaInWords } from './case-words.ts';
import { contentWords, snapshotWords } from './snapshot-words.ts';

export function snapshotInWords(snapshot: StoredVolumeSnapshot, mentioned: Words | undefined): Words {
  const { spec, status } = snapshot;
  const all = {
    ...metaInWords(snapshot),
    class: spec.volumeSnapshotClassName,
    bound: status?.boundVolumeSnapshotContentName,
    size: status?.restoreSize,
  };
  const always = { ready: status?.readyToUse, error: status?.error?.message };
  return inWords({ all, always, mentioned, known: snapshotWords });
}

export function contentInWords(content: StoredVolumeSnapshotContent, mentioned: Words | undefined): Words {
  const { spec, status } = content;
  const { name, uid } = spec.volumeSnapshotRef;
  const all = {
    ...metaInWords(content),
    policy: spec.deletionPolicy,
    handle: status?.snapshotHandle,
    volume: spec.source.volumeHandle,
  };
  const always = {
    snapshot: [name, uid].filter((part) => part !== undefined).join('/'),
    ready: status?.readyToUse,
    error: status?.error?.message,
  };
  return inWords({ all, always, mentioned, known: contentWords });
}
