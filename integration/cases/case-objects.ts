/** Words into objects of the store. */
import type { StoredObject } from '../../daemon/api/object.ts';
import type {
  AccessMode,
  ClaimReference,
  PersistentVolumeSpec,
  StoredPersistentVolume,
} from '../../daemon/api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../../daemon/api/persistent-volume-claim.ts';
import type { StoredPod } from '../../daemon/api/pod.ts';
import type { StoredStatefulSet } from '../../daemon/api/stateful-set.ts';
import type { StorageClassSpec, StoredStorageClass } from '../../daemon/api/storage-class.ts';
import { annotations, finalizers } from '../../daemon/api/well-known.ts';
import { refuseOtherWords, type Scene, type Words } from './case-format.ts';
import { given, list, metaOf, metaWords, record, text } from './object-words.ts';
import { snapshotObjects } from './snapshot-words.ts';

const accessModeNames: Readonly<Record<string, AccessMode>> = {
  RWO: 'ReadWriteOnce',
  ROX: 'ReadOnlyMany',
  RWX: 'ReadWriteMany',
  RWOP: 'ReadWriteOncePod',
};

export function sceneObjects(scene: Scene): readonly StoredObject[] {
  const { classes = [], pvs = [], pvcs = [], pods = [], sets = [], objects = [] } = scene;
  return [
    ...classes.map(classOf),
    ...pvs.map(volumeOf),
    ...pvcs.map(claimOf),
    ...pods.map(podOf),
    ...sets.map(setOf),
    ...snapshotObjects(scene),
    ...objects.map(({ metadata, ...rest }) => {
      const { namespace = '', ...words } = metadata;
      return { ...rest, metadata: { ...metaOf(words, namespace, []), ...words } } as unknown as StoredObject;
    }),
  ];
}

export const volumeWords = [
  ...metaWords,
  ...['capacity', 'modes', 'class', 'phase', 'claim', 'policy', 'volumeMode', 'attributesClass', 'source', 'spec'],
  ...['reason', 'message', 'provisionedBy'],
];

/** Available, 1Gi, ReadWriteOnce and ReadOnlyMany, Retain, as upstream's tables have it. */
function volumeOf(words: Words): StoredPersistentVolume {
  refuseOtherWords(words, volumeWords, `volume ${words.name}`);
  const phase = 'phase' in words ? (text(words['phase']) ?? '') : 'Available';
  const provisioner = text(words['provisionedBy']);
  const metadata = metaOf(words, '', [finalizers.pvProtection]);
  const noted = provisioner === undefined ? {} : { [annotations.provisionedBy]: provisioner };
  const spec = {
    capacity: { storage: text(words['capacity']) ?? '1Gi' },
    accessModes: modesOf(words['modes']),
    persistentVolumeReclaimPolicy: text(words['policy']) ?? 'Retain',
    ...(words['source'] === undefined ? { csi: loopSource(words.name) } : record(words['source'])),
    ...given('storageClassName', words['class']),
    ...given('volumeMode', words['volumeMode']),
    ...given('volumeAttributesClassName', words['attributesClass']),
    ...given('claimRef', referenceOf(text(words['claim']))),
    ...record(words['spec']),
  } as unknown as PersistentVolumeSpec;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...noted } },
    spec,
    ...(phase === '' ? {} : { status: { phase } as StoredPersistentVolume['status'] & object }),
  };
}

function loopSource(name: string) {
  return { driver: 'loop.moored.dev', volumeHandle: name, volumeAttributes: { path: `/images/${name}.img` } };
}

/** "data", "data/uid-data" or "namespace/data/uid-data". */
function referenceOf(words: string | undefined): ClaimReference | undefined {
  if (words === undefined) return undefined;
  const parts = words.split('/');
  const [name = '', uid] = parts.slice(-2 + Number(parts.length === 1));
  return { namespace: parts.length === 3 ? (parts[0] ?? '') : 'default', name, ...(uid ? { uid } : {}) };
}

export const claimWords = [
  ...metaWords,
  ...['request', 'modes', 'class', 'phase', 'volume', 'selector', 'volumeMode', 'attributesClass', 'spec', 'capacity'],
  'provisioner',
];

/** 1Gi, ReadWriteOnce and ReadOnlyMany, without a class, not looked at yet. */
function claimOf(words: Words): StoredPersistentVolumeClaim {
  refuseOtherWords(words, claimWords, `claim ${words.name}`);
  const { phase, capacity } = words;
  const status = { ...given('phase', phase), ...(capacity === undefined ? {} : { capacity: { storage: capacity } }) };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metaOf(words, text(words['namespace']) ?? 'default', [finalizers.pvcProtection]),
    spec: {
      accessModes: modesOf(words['modes']),
      resources: { requests: { storage: text(words['request']) ?? '1Gi' } },
      ...given('storageClassName', words['class']),
      ...given('volumeName', words['volume']),
      ...given('volumeMode', words['volumeMode']),
      ...given('volumeAttributesClassName', words['attributesClass']),
      ...given('selector', words['selector']),
      ...record(words['spec']),
    },
    ...(Object.keys(status).length === 0 ? {} : { status: status as StoredPersistentVolumeClaim['status'] & object }),
  };
}

const classWords = [...metaWords, 'provisioner', 'binding', 'policy', 'default', 'mountOptions', 'parameters', 'spec'];

/** Provisions at once with loop.moored.dev and policy Delete. */
function classOf(words: Words): StoredStorageClass {
  refuseOtherWords(words, classWords, `class ${words.name}`);
  const metadata = metaOf(words, '', []);
  const isDefault = words['default'] === true ? { [annotations.isDefaultClass]: 'true' } : {};
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...isDefault } },
    spec: {
      provisioner: text(words['provisioner']) ?? 'loop.moored.dev',
      reclaimPolicy: text(words['policy']) ?? 'Delete',
      volumeBindingMode: text(words['binding']) ?? 'Immediate',
      ...given('mountOptions', words['mountOptions']),
      ...given('parameters', words['parameters']),
      ...record(words['spec']),
    } as unknown as StorageClassSpec,
  };
}

export const podWords = [...metaWords, 'claims', 'phase', 'node', 'spec'];

function podOf(words: Words): StoredPod {
  refuseOtherWords(words, podWords, `pod ${words.name}`);
  const volumes = list(words['claims']).map((claimName, index) => ({
    name: `v${index}`,
    persistentVolumeClaim: { claimName },
  }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metaOf(words, text(words['namespace']) ?? 'default', [finalizers.podVolumes]),
    spec: { volumes, ...given('nodeName', words['node']), ...record(words['spec']) },
    ...(words['phase'] === undefined ? {} : { status: { phase: words['phase'] } as StoredPod['status'] & object }),
  };
}

const setWords = [...metaWords, 'replicas', 'whenDeleted', 'whenScaled', 'spec'];

/** One replica, one claim template "data", and pods that mount it. */
function setOf(words: Words): StoredStatefulSet {
  refuseOtherWords(words, setWords, `set ${words.name}`);
  const { replicas, whenDeleted, whenScaled } = words;
  const labels = { app: words.name };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: metaOf(words, text(words['namespace']) ?? 'default', [finalizers.foregroundDeletion]),
    spec: {
      serviceName: words.name,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'main', volumeMounts: [{ name: 'data', mountPath: '/data' }] }] },
      },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimOf({ name: 'data' }).spec }],
      ...given('replicas', replicas),
      persistentVolumeClaimRetentionPolicy: {
        ...given('whenDeleted', whenDeleted),
        ...given('whenScaled', whenScaled),
      },
      ...record(words['spec']),
    },
  };
}

function modesOf(words: unknown): readonly AccessMode[] {
  const names = words === undefined ? ['RWO', 'ROX'] : list(words);
  return names.map((name) => accessModeNames[name] ?? (name as AccessMode));
}
