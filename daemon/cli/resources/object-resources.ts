import type { ClaimView, PersistentVolumeView, PodView, StorageClassView } from '../../control/protocol.ts';
import { ageOf } from '../age.ts';
import type { Column, Resource } from './resource.ts';

export interface WithMetadata {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly creationTimestamp: string };
}

export const name: Column<WithMetadata> = { header: 'NAME', cell: ({ metadata }) => metadata.name };
export const age: Column<WithMetadata> = {
  header: 'AGE',
  cell: ({ metadata }, nowMs) => ageOf(metadata.creationTimestamp, nowMs),
};

export const objectCommon = {
  isObject: true,
  withItems: (reply: object, items: readonly object[]): object => ({ ...reply, items }),
  nameOf: ({ metadata }: WithMetadata) => metadata.name,
  namespaceOf: ({ metadata }: WithMetadata) => metadata.namespace,
} as const;

const shortAccessModes: ReadonlyMap<string, string> = new Map([
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
]);

/** kubectl's abbreviations, "RWO,ROX". */
export function formatAccessModes(modes: readonly string[] | undefined): string {
  return (modes ?? []).map((mode) => shortAccessModes.get(mode) ?? mode).join(',');
}

/** "mounted/all" of the volumes that the pod's containers use. */
export function formatReady({ status }: PodView): string {
  const mounted = status.volumes.filter(({ state }) => state === 'Mounted').length;
  return `${mounted}/${status.volumes.length}`;
}

export function volumesReady({ status }: PodView): PodView['status']['conditions'][number] | undefined {
  return status.conditions.find(({ type }) => type === 'VolumesReady');
}

export function formatClaimRef({ spec }: PersistentVolumeView): string {
  return spec.claimRef === undefined ? '' : `${spec.claimRef.namespace}/${spec.claimRef.name}`;
}

/** kubectl's column shows the class that counts: the beta annotation beats the field. */
export function classOf({ metadata, spec }: ClaimView | PersistentVolumeView): string {
  return metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName ?? '';
}

export function isDefaultClass({ metadata }: StorageClassView): boolean {
  return metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true';
}

export const pods: Resource<'pods'> = {
  ...objectCommon,
  kind: 'pods',
  singular: 'pod',
  qualified: 'pod',
  aliases: ['po', 'pod', 'pods'],
  isNamespaced: true,
  eventKind: 'Pod',
  items: ({ items }) => items,
  columns: [
    name,
    { header: 'READY', cell: formatReady },
    { header: 'STATUS', cell: ({ status }) => status.phase, state: true },
    age,
    { header: 'REASON', cell: (pod) => volumesReady(pod)?.reason ?? '', wide: true },
    { header: 'UID', cell: ({ metadata }) => metadata.uid, wide: true },
  ],
};

export const persistentVolumeClaims: Resource<'persistentvolumeclaims'> = {
  ...objectCommon,
  kind: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  qualified: 'persistentvolumeclaim',
  aliases: ['pvc', 'pvcs', 'persistentvolumeclaim', 'persistentvolumeclaims'],
  isNamespaced: true,
  eventKind: 'PersistentVolumeClaim',
  items: ({ items }) => items,
  columns: [
    name,
    { header: 'STATUS', cell: claimStatus, state: true },
    { header: 'VOLUME', cell: ({ spec }) => spec.volumeName ?? '' },
    { header: 'CAPACITY', cell: ({ status }) => status?.capacity?.storage ?? '' },
    { header: 'ACCESS MODES', cell: ({ status }) => formatAccessModes(status?.accessModes) },
    { header: 'STORAGECLASS', cell: classOf },
    age,
    { header: 'REQUEST', cell: ({ spec }) => spec.resources.requests.storage, wide: true },
    { header: 'VOLUMEMODE', cell: ({ spec }) => spec.volumeMode ?? 'Filesystem', wide: true },
  ],
};

export const persistentVolumes: Resource<'persistentvolumes'> = {
  ...objectCommon,
  kind: 'persistentvolumes',
  singular: 'persistentvolume',
  qualified: 'persistentvolume',
  aliases: ['pv', 'pvs', 'persistentvolume', 'persistentvolumes'],
  isNamespaced: false,
  eventKind: 'PersistentVolume',
  items: ({ items }) => items,
  columns: [
    name,
    { header: 'CAPACITY', cell: ({ spec }) => spec.capacity.storage },
    { header: 'ACCESS MODES', cell: ({ spec }) => formatAccessModes(spec.accessModes) },
    { header: 'RECLAIM POLICY', cell: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? '' },
    { header: 'STATUS', cell: volumeStatus, state: true },
    { header: 'CLAIM', cell: formatClaimRef },
    { header: 'STORAGECLASS', cell: classOf },
    { header: 'REASON', cell: ({ status }) => status?.reason ?? '' },
    age,
    { header: 'VOLUMEMODE', cell: ({ spec }) => spec.volumeMode ?? 'Filesystem', wide: true },
  ],
};

export const storageClasses: Resource<'storageclasses'> = {
  ...objectCommon,
  kind: 'storageclasses',
  singular: 'storageclass',
  qualified: 'storageclass.storage.k8s.io',
  aliases: ['sc', 'storageclass', 'storageclasses', 'storageclass.storage.k8s.io'],
  isNamespaced: false,
  eventKind: 'StorageClass',
  items: ({ items }) => items,
  columns: [
    { header: 'NAME', cell: (item) => `${item.metadata.name}${isDefaultClass(item) ? ' (default)' : ''}` },
    { header: 'PROVISIONER', cell: ({ provisioner }) => provisioner },
    { header: 'RECLAIMPOLICY', cell: ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete' },
    { header: 'VOLUMEBINDINGMODE', cell: ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate' },
    { header: 'ALLOWVOLUMEEXPANSION', cell: ({ allowVolumeExpansion }) => String(allowVolumeExpansion ?? false) },
    age,
    { header: 'PARAMETERS', cell: formatParameters, wide: true },
  ],
};

export function claimStatus({ metadata, status }: ClaimView): string {
  return metadata.deletionTimestamp === undefined ? (status?.phase ?? 'Pending') : 'Terminating';
}

export function volumeStatus({ metadata, status }: PersistentVolumeView): string {
  return metadata.deletionTimestamp === undefined ? (status?.phase ?? 'Pending') : 'Terminating';
}

function formatParameters({ parameters }: StorageClassView): string {
  return Object.entries(parameters ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
