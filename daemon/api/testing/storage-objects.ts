/** Claims, volumes, classes and pods for unit tests, in few words. */
import type { ObjectMeta } from '../meta.ts';
import type { PersistentVolumePhase, PersistentVolumeSpec, StoredPersistentVolume } from '../persistent-volume.ts';
import type { PersistentVolumeClaimSpec, StoredPersistentVolumeClaim } from '../persistent-volume-claim.ts';
import type { StoredPod } from '../pod.ts';
import type { StorageClassSpec, StoredStorageClass } from '../storage-class.ts';
import { annotations, finalizers } from '../well-known.ts';

function meta(name: string, namespace: string, change: Partial<ObjectMeta> = {}): ObjectMeta {
  return {
    name,
    namespace,
    uid: `uid-${name}`,
    resourceVersion: '0',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...change,
  };
}

const marks = {
  bbc: { [annotations.boundByController]: 'yes' },
  bc: { [annotations.bindCompleted]: 'yes' },
  dynamic: { [annotations.provisionedBy]: 'loop.moored.dev' },
} as const;

function annotated(words: readonly (keyof typeof marks)[]): Partial<ObjectMeta> {
  return words.length === 0
    ? {}
    : { annotations: Object.assign({}, ...words.map((word) => marks[word])) as Record<string, string> };
}

export interface VolumeWords {
  readonly phase?: PersistentVolumePhase | undefined;
  /** "claim" reserves by name, "claim/uid" by uid too. */
  readonly claim?: string;
  readonly marks?: readonly ('bbc' | 'dynamic')[];
  readonly meta?: Partial<ObjectMeta>;
  readonly spec?: Partial<PersistentVolumeSpec>;
}

export function volume(name: string, size = '1Gi', words: VolumeWords = {}): StoredPersistentVolume {
  const [claimName, uid] = words.claim?.split('/') ?? [];
  const claimRef =
    claimName === undefined
      ? {}
      : { claimRef: { namespace: 'default', name: claimName, ...(uid === undefined ? {} : { uid }) } };
  const phase = 'phase' in words ? words.phase : 'Available';
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: meta(name, '', { finalizers: [finalizers.pvProtection], ...annotated(words.marks ?? []), ...words.meta }),
    spec: {
      capacity: { storage: size },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      csi: { driver: 'loop.moored.dev', volumeHandle: name, volumeAttributes: { path: `/images/${name}.img` } },
      ...claimRef,
      ...words.spec,
    },
    ...(phase === undefined ? {} : { status: { phase } }),
  };
}

export interface ClaimWords {
  readonly phase?: 'Pending' | 'Bound' | 'Lost';
  readonly volume?: string;
  readonly marks?: readonly ('bbc' | 'bc')[];
  readonly meta?: Partial<ObjectMeta>;
  readonly spec?: Partial<PersistentVolumeClaimSpec>;
}

export function claim(name: string, size = '1Gi', words: ClaimWords = {}): StoredPersistentVolumeClaim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: meta(name, 'default', {
      finalizers: [finalizers.pvcProtection],
      ...annotated(words.marks ?? []),
      ...words.meta,
    }),
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: size } },
      ...(words.volume === undefined ? {} : { volumeName: words.volume }),
      ...words.spec,
    },
    ...(words.phase === undefined ? {} : { status: { phase: words.phase } }),
  };
}

export function storageClass(
  name: string,
  spec: Partial<StorageClassSpec> = {},
  isDefault = false,
): StoredStorageClass {
  const change = isDefault ? { annotations: { [annotations.isDefaultClass]: 'true' } } : {};
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: meta(name, '', change),
    spec: { provisioner: 'loop.moored.dev', ...spec },
  };
}

export function podUsing(name: string, claimName: string, change: Partial<StoredPod> = {}): StoredPod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta(name, 'default', { finalizers: [finalizers.podVolumes] }),
    spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }] },
    ...change,
  };
}
