/** Manifests from the schema outwards: what is right, then what is nearly right, then what is hardly YAML. */
import { hostileTexts } from './hostile-values.ts';
import { breakObject } from './object-mutation.ts';
import type { Random } from './random.ts';
import { remoteSource, secret } from './remote-sources.ts';
import { breakText } from './text-mutation.ts';
import type { Tree } from './tree.ts';
import { printDocuments } from './yaml-writer.ts';

export interface GeneratedManifest {
  readonly text: string;
  /** True when every part of it is legal: then it has to be taken. */
  readonly isValid: boolean;
}

export function generateManifest(random: Random): GeneratedManifest {
  const documents = Array.from({ length: 1 + random.below(4) }, (_, index) => anyObject(random, index));
  const kind = random.pick(['valid', 'object', 'object', 'text', 'text', 'both'] as const);
  if (kind === 'object' || kind === 'both') {
    for (let count = 1 + random.below(3); count > 0; count -= 1) breakObject(random, random.pick(documents));
  }
  const text = printDocuments(random, documents);
  if (kind === 'text' || kind === 'both') return { text: breakText(random, text), isValid: false };
  return { text, isValid: kind === 'valid' };
}

/** The index makes names of one file differ: declaring an object twice is a mistake. */
function anyObject(random: Random, index: number): Tree {
  switch (random.below(7)) {
    case 0:
      return storageClass(random, `class-${index}`);
    case 1:
      return claim(random, `claim-${index}`);
    case 2:
      return persistentVolume(random, `volume-${index}`);
    case 3:
      return foreign(random, `foreign-${index}`);
    case 4:
      return secret(random, `secret-${index}`);
    default:
      return pod(random, `pod-${index}`);
  }
}

const size = (random: Random): unknown => random.pick(['64Mi', '1Gi', '1500M', 67108864, '0.5Gi', '128974848', '1e9']);
const fsType = (random: Random): string => random.pick(['ext4', 'xfs', 'btrfs']);
/** Half of them are ones that the schema takes, and the allow-list must not. */
const options = (random: Random): string[] => [
  random.pick([
    'ro',
    'noatime',
    'discard',
    'commit=30',
    'vers=4.2',
    'soft',
    'sec=krb5',
    'clientaddr=192.0.2.1',
    'suid',
    'dev',
    'helper=/tmp/x',
    'x-mount.mkdir',
  ]),
];
const modes = (random: Random): string[] => [random.pick(['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany'])];

function metadata(random: Random, name: string): Tree {
  return {
    name,
    ...(random.chance(3) ? { labels: { app: 'x', 'example.org/tier': random.pick(['db', 'web']) } } : {}),
    ...(random.chance(4)
      ? { annotations: { 'example.org/note': random.pick(['a b', 'ünïcode', '"quoted"', '#no']) } }
      : {}),
  };
}

function storageClass(random: Random, name: string): Tree {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: metadata(random, name),
    provisioner: random.pick(['loop.moored.dev', 'example.org/other']),
    ...(random.chance(2) ? { reclaimPolicy: random.pick(['Retain', 'Delete']) } : {}),
    ...(random.chance(2) ? { volumeBindingMode: random.pick(['Immediate', 'WaitForFirstConsumer']) } : {}),
    ...(random.chance(3) ? { mountOptions: options(random) } : {}),
  };
}

function claim(random: Random, name: string): Tree {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: metadata(random, name),
    spec: {
      accessModes: modes(random),
      resources: { requests: { storage: size(random) } },
      ...(random.chance(2) ? { storageClassName: random.pick(['fast', '', 'class-0']) } : {}),
      ...(random.chance(4) ? { volumeMode: random.pick(['Filesystem', 'Block']) } : {}),
      ...(random.chance(4) ? { volumeName: random.pick(['volume-0', 'volume-1']) } : {}),
    },
  };
}

function persistentVolume(random: Random, name: string): Tree {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: metadata(random, name),
    spec: {
      capacity: { storage: size(random) },
      accessModes: modes(random),
      ...(random.chance(2) ? { persistentVolumeReclaimPolicy: 'Retain' } : {}),
      ...(random.chance(3) ? { claimRef: { namespace: 'default', name: random.pick(['claim-0', 'claim-1']) } } : {}),
      ...(random.chance(3) ? { mountOptions: options(random) } : {}),
      ...volumeOrigin(random, name),
    },
  };
}

function volumeOrigin(random: Random, name: string): Tree {
  if (random.chance(2)) return remoteSource(random, name);
  return {
    csi: {
      driver: 'loop.moored.dev',
      volumeHandle: `handle-${name}`,
      fsType: fsType(random),
      volumeAttributes: { path: random.pick(['/srv/a.img', '/dev/vdb', '/dev/disk/by-id/x']) },
    },
  };
}

function pod(random: Random, name: string): Tree {
  const volumes = Array.from({ length: 1 + random.below(3) }, (_, index) => ({
    name: `v${index}`,
    ...volumeSource(random),
  }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(random, name),
    spec: {
      containers: [
        {
          name: 'main',
          image: random.pick(['nginx', 'registry.example.org:5000/a/b@sha256:0']),
          volumeMounts: volumes.map((volume) => ({ name: volume.name, mountPath: `/mnt/${volume.name}` })),
        },
      ],
      volumes,
    },
  };
}

function volumeSource(random: Random): Tree {
  switch (random.below(5)) {
    case 0:
      return { emptyDir: {} };
    case 3:
      return remoteSource(random, 'inline');
    case 1:
      return { emptyDir: { medium: 'Memory', sizeLimit: size(random) } };
    case 2:
      return {
        csi: {
          driver: 'loop.moored.dev',
          volumeAttributes: { size: random.pick(['64Mi', '1Gi']), fsType: fsType(random) },
        },
      };
    default:
      return {
        persistentVolumeClaim: { claimName: random.pick(['claim-0', 'claim-1', 'data']), readOnly: random.chance(2) },
      };
  }
}

/** Of kinds that moored does not manage: anything at all is legal. */
function foreign(random: Random, name: string): Tree {
  const data = { text: random.pick(hostileTexts.filter((text) => !/[\0-\x08\x0b-\x1f\ud800-\udfff]/.test(text))) };
  return { apiVersion: random.pick(['apps/v1', 'example.org/v1beta1']), kind: 'Thing', metadata: { name }, data };
}
