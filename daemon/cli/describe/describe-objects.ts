import type {
  ClaimView,
  Condition,
  ExplainNode,
  NodeView,
  PersistentVolumeView,
  PodView,
  StorageClassView,
} from '../../control/protocol.ts';
import { ageOf } from '../age.ts';
import { formatTaints, nodeStatus } from '../resources/node-resource.ts';
import {
  claimStatus,
  classOf,
  formatAccessModes,
  formatClaimRef,
  formatReady,
  isDefaultClass,
  volumeStatus,
} from '../resources/object-resources.ts';
import { adviceSection } from './advice-section.ts';
import { type Description, type Field, pairs, type Section, timeAndAge } from './section.ts';

type Metadata = PodView['metadata'];

export function describePod(pod: PodView, nowMs: number): Description {
  const { metadata, status } = pod;
  return {
    fields: [...metadataFields(metadata, nowMs), ['Status', status.phase], ['Ready', formatReady(pod)]],
    sections: [
      conditionSection(status.conditions, nowMs),
      podVolumeSection(pod),
      ...adviceSection(status.volumes.map(({ name, reason, help }) => ({ subject: `volume ${name}`, reason, help }))),
    ],
  };
}

export interface ClaimParts {
  /** All of the claim's namespace, to say who uses it. */
  readonly pods: readonly PodView[];
  /** What it waits for. */
  readonly explanation: ExplainNode;
}

export function describeClaim(claim: ClaimView, { pods, explanation }: ClaimParts, nowMs: number): Description {
  const { metadata, spec, status } = claim;
  return {
    fields: [
      ...metadataFields(metadata, nowMs),
      ['StorageClass', classOf(claim)],
      ['Status', claimStatus(claim)],
      ['Volume', spec.volumeName ?? ''],
      ['Request', spec.resources.requests.storage],
      ['Capacity', status?.capacity?.storage ?? ''],
      ['Growing To', growingTo(claim)],
      ['Access Modes', formatAccessModes(status?.accessModes)],
      ['VolumeMode', spec.volumeMode ?? 'Filesystem'],
      ['Used By', pods.filter((pod) => usesClaim(pod, metadata.name)).map((pod) => pod.metadata.name)],
    ],
    sections: [...claimConditions(claim, nowMs), ...adviceSection([explanation, ...explanation.causes])],
  };
}

/** "128Mi (NodeResizePending)" while a growth is under way. */
function growingTo({ status }: ClaimView): string {
  const { allocatedResources, allocatedResourceStatuses } = status ?? {};
  if (allocatedResources === undefined || allocatedResourceStatuses === undefined) return '';
  return `${allocatedResources.storage} (${allocatedResourceStatuses.storage})`;
}

function claimConditions({ status }: ClaimView, nowMs: number): readonly Section[] {
  const conditions = status?.conditions ?? [];
  return conditions.length === 0 ? [] : [conditionSection(conditions, nowMs)];
}

export function describePersistentVolume(volume: PersistentVolumeView, nowMs: number): Description {
  const { metadata, spec, status } = volume;
  return {
    fields: [
      ...metadataFields(metadata, nowMs),
      ['StorageClass', classOf(volume)],
      ['Status', volumeStatus(volume)],
      ['Claim', formatClaimRef(volume)],
      ['Reclaim Policy', spec.persistentVolumeReclaimPolicy ?? ''],
      ['Access Modes', formatAccessModes(spec.accessModes)],
      ['VolumeMode', spec.volumeMode ?? 'Filesystem'],
      ['Capacity', spec.capacity.storage],
      ['Mount Options', spec.mountOptions?.join(',') ?? ''],
      ['Node Affinity', (spec.nodeAffinity?.required.nodeSelectorTerms ?? []).map(formatTerm)],
      ['Reason', status?.reason ?? ''],
      ['Message', status?.message ?? ''],
      ...sourceFields(volume),
    ],
    sections: [],
  };
}

export function describeNode(node: NodeView, nowMs: number): Description {
  return {
    fields: [
      ...metadataFields(node.metadata, nowMs),
      ['Status', nodeStatus(node)],
      ['Taints', formatTaints(node.spec)],
      ['Unschedulable', String(node.spec.unschedulable ?? false)],
    ],
    sections: [conditionSection(node.status.conditions, nowMs)],
  };
}

export function describeStorageClass(storageClass: StorageClassView, nowMs: number): Description {
  const { metadata, provisioner, parameters, reclaimPolicy, mountOptions } = storageClass;
  return {
    fields: [
      ...metadataFields(metadata, nowMs),
      ['Is Default', isDefaultClass(storageClass) ? 'Yes' : 'No'],
      ['Provisioner', provisioner],
      ['Parameters', pairs(parameters)],
      ['Reclaim Policy', reclaimPolicy ?? 'Delete'],
      ['Binding Mode', storageClass.volumeBindingMode ?? 'Immediate'],
      ['Volume Expansion', String(storageClass.allowVolumeExpansion ?? false)],
      ['Mount Options', mountOptions?.join(',') ?? ''],
      ...topologyFields(storageClass),
    ],
    sections: [],
  };
}

export function metadataFields(metadata: Metadata, nowMs: number): Field[] {
  const namespace: Field[] = metadata.namespace === '' ? [] : [['Namespace', metadata.namespace]];
  const deletion: Field[] =
    metadata.deletionTimestamp === undefined ? [] : [['Deleted', timeAndAge(metadata.deletionTimestamp, nowMs)]];
  const owner = metadata.ownerReferences?.map(({ kind, name }) => `${kind}/${name}`).join(', ');
  const owners: Field[] = owner === undefined ? [] : [['Owned By', owner]];
  return [
    ['Name', metadata.name],
    ...namespace,
    ['UID', metadata.uid],
    ['Labels', pairs(metadata.labels)],
    ['Annotations', pairs(metadata.annotations)],
    ['Created', timeAndAge(metadata.creationTimestamp, nowMs)],
    ...deletion,
    ...owners,
    ['Finalizers', metadata.finalizers ?? []],
  ];
}

function conditionSection(conditions: readonly Condition[], nowMs: number): Section {
  return {
    title: 'Conditions',
    headers: ['Type', 'Status', 'Reason', 'Since', 'Message'],
    rows: conditions.map((one) => [
      one.type,
      one.status,
      one.reason,
      ageOf(one.lastTransitionTime, nowMs),
      one.message,
    ]),
  };
}

function podVolumeSection({ status }: PodView): Section {
  return {
    title: 'Volumes',
    headers: ['Name', 'State', 'Path', 'Volume', 'Message'],
    rows: status.volumes.map(({ name, state, path, volume, message }) => [name, state, path, volume, message ?? '']),
    stateColumn: 1,
  };
}

/** By name, or as the claim of a generic ephemeral volume. */
function usesClaim({ metadata, spec }: PodView, claimName: string): boolean {
  return (spec.volumes ?? []).some(({ name, persistentVolumeClaim, ephemeral }) => {
    const ephemeralName = ephemeral && `${metadata.name}-${name}`;
    return (persistentVolumeClaim?.claimName ?? ephemeralName) === claimName;
  });
}

function sourceFields({ spec: { csi } }: PersistentVolumeView): Field[] {
  if (csi === undefined) return [];
  return [
    ['Driver', csi.driver],
    ['VolumeHandle', csi.volumeHandle],
    ['FSType', csi.fsType ?? ''],
    ['ReadOnly', String(csi.readOnly ?? false)],
    ['VolumeAttributes', pairs(csi.volumeAttributes)],
  ];
}

type Term = NonNullable<PersistentVolumeView['spec']['nodeAffinity']>['required']['nodeSelectorTerms'][number];

/** "zone in [a, b] and rack exists"; terms, a line each, are alternatives. */
function formatTerm({ matchExpressions = [], matchFields = [] }: Term): string {
  return [...matchExpressions, ...matchFields]
    .map(({ key, operator, values = [] }) => {
      const shown = values.length === 0 ? '' : ` [${values.join(', ')}]`;
      return `${key} ${operator.toLowerCase()}${shown}`;
    })
    .join(' and ');
}

function topologyFields({ allowedTopologies = [] }: StorageClassView): Field[] {
  return allowedTopologies.length === 0 ? [] : [['AllowedTopologies', allowedTopologies.map(formatTopology)]];
}

function formatTopology({ matchLabelExpressions = [] }: TopologyTerm): string {
  return matchLabelExpressions.map(({ key, values }) => `${key} in [${values.join(', ')}]`).join(' and ');
}

type TopologyTerm = NonNullable<StorageClassView['allowedTopologies']>[number];
