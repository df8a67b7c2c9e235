import type { PodView, StatefulSetView } from '../../control/protocol.ts';
import { ageOf } from '../age.ts';
import { formatReady } from '../resources/object-resources.ts';
import { formatReplicas } from '../resources/stateful-set-resource.ts';
import { metadataFields } from './describe-objects.ts';
import { type Description, pairs, type Section } from './section.ts';

export function describeStatefulSet(set: StatefulSetView, pods: readonly PodView[], nowMs: number): Description {
  const { metadata, spec } = set;
  const { whenDeleted = 'Retain', whenScaled = 'Retain' } = spec.persistentVolumeClaimRetentionPolicy ?? {};
  return {
    fields: [
      ...metadataFields(metadata, nowMs),
      ['Selector', pairs(spec.selector.matchLabels)],
      ['Ready', formatReplicas(set)],
      ['Pod Management', spec.podManagementPolicy ?? 'OrderedReady'],
      ['Update Strategy', spec.updateStrategy?.type ?? 'RollingUpdate'],
      ['Claim Retention', `whenDeleted: ${whenDeleted}, whenScaled: ${whenScaled}`],
      ['Claim Templates', (spec.volumeClaimTemplates ?? []).map(claimLine)],
    ],
    sections: [podSection(set, pods, nowMs)],
  };
}

function claimLine({ metadata, spec }: NonNullable<StatefulSetView['spec']['volumeClaimTemplates']>[number]): string {
  return `${metadata.name}: ${spec.resources.requests.storage}, class "${spec.storageClassName ?? ''}"`;
}

function podSection({ metadata }: StatefulSetView, pods: readonly PodView[], nowMs: number): Section {
  const own = pods.filter((pod) => pod.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid) === true);
  const rows = own.map((pod) => [
    pod.metadata.name,
    formatReady(pod),
    pod.status.phase,
    ageOf(pod.metadata.creationTimestamp, nowMs),
  ]);
  return { title: 'Pods', headers: ['Name', 'Ready', 'Status', 'Age'], rows, stateColumn: 2 };
}
