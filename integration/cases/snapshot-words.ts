/** Snapshots, their classes and contents: words into objects of the store, and back. */
import type { StoredObject } from '../../daemon/api/object.ts';
import type { StoredVolumeSnapshot } from '../../daemon/api/volume-snapshot.ts';
import type { StoredVolumeSnapshotClass } from '../../daemon/api/volume-snapshot-class.ts';
import type { StoredVolumeSnapshotContent } from '../../daemon/api/volume-snapshot-content.ts';
import { annotations, finalizers } from '../../daemon/api/well-known.ts';
import { refuseOtherWords, type Scene, type Words } from './case-format.ts';
import { given, metaOf, metaWords, record, text } from './object-words.ts';

const apiVersion = 'snapshot.storage.k8s.io/v1';
const driver = 'loop.moored.dev';

export function snapshotObjects({ snapshotClasses = [], snapshots = [], contents = [] }: Scene): StoredObject[] {
  return [...snapshotClasses.map(classOf), ...snapshots.map(snapshotOf), ...contents.map(contentOf)];
}

const classWords = [...metaWords, 'driver', 'policy', 'default'];

/** Of our driver, with policy Delete. */
function classOf(words: Words): StoredVolumeSnapshotClass {
  refuseOtherWords(words, classWords, `snapshot class ${words.name}`);
  const isDefault = words['default'] === true ? { [annotations.isDefaultSnapshotClass]: 'true' } : {};
  return {
    apiVersion,
    kind: 'VolumeSnapshotClass',
    metadata: { ...metaOf(words, '', []), annotations: { ...record(words['annotations']), ...isDefault } },
    spec: {
      driver: text(words['driver']) ?? driver,
      deletionPolicy: words['policy'] === 'Retain' ? 'Retain' : 'Delete',
    },
  };
}

export const snapshotWords = [...metaWords, 'class', 'claim', 'content', 'ready', 'bound', 'size', 'error'];

/** Of claim "data", unless it names a content. */
function snapshotOf(words: Words): StoredVolumeSnapshot {
  refuseOtherWords(words, snapshotWords, `snapshot ${words.name}`);
  const source =
    words['content'] === undefined
      ? { persistentVolumeClaimName: text(words['claim']) ?? 'data' }
      : { volumeSnapshotContentName: `${text(words['content'])}` };
  const status = { ...given('readyToUse', words['ready']), ...given('boundVolumeSnapshotContentName', words['bound']) };
  const defaults = [finalizers.snapshotAsSource, finalizers.snapshotBound];
  return {
    apiVersion,
    kind: 'VolumeSnapshot',
    metadata: metaOf(words, text(words['namespace']) ?? 'default', defaults),
    spec: { source, ...given('volumeSnapshotClassName', words['class']) },
    ...(Object.keys(status).length === 0 ? {} : { status }),
  };
}

export const contentWords = [...metaWords, 'snapshot', 'policy', 'handle', 'volume', 'ready', 'error'];

/** "snapshot" is its name, or name and uid; "handle" of a snapshot that is there, or "volume" to take one of. */
function contentOf(words: Words): StoredVolumeSnapshotContent {
  refuseOtherWords(words, contentWords, `content ${words.name}`);
  const [name = '', uid] = (text(words['snapshot']) ?? '').split('/');
  return {
    apiVersion,
    kind: 'VolumeSnapshotContent',
    metadata: metaOf(words, '', [finalizers.contentBound]),
    spec: {
      volumeSnapshotRef: { namespace: 'default', name, ...(uid === undefined ? {} : { uid }) },
      deletionPolicy: words['policy'] === 'Delete' ? 'Delete' : 'Retain',
      driver,
      source: { ...given('snapshotHandle', words['handle']), ...given('volumeHandle', words['volume']) },
    },
  };
}
