import type { StatefulSetView } from '../../control/protocol.ts';
import { age, name, objectCommon } from './object-resources.ts';
import type { Resource } from './resource.ts';

/** "ready/wanted", as kubectl prints it. */
export function formatReplicas({ spec, status }: StatefulSetView): string {
  return `${status.readyReplicas}/${spec.replicas ?? 1}`;
}

export const statefulSets: Resource<'statefulsets'> = {
  ...objectCommon,
  kind: 'statefulsets',
  singular: 'statefulset',
  qualified: 'statefulset.apps',
  aliases: ['sts', 'statefulset', 'statefulsets', 'statefulset.apps'],
  isNamespaced: true,
  eventKind: 'StatefulSet',
  items: ({ items }) => items,
  columns: [
    name,
    { header: 'READY', cell: formatReplicas },
    age,
    { header: 'CONTAINERS', cell: (set) => ofContainers(set, 'name'), wide: true },
    { header: 'IMAGES', cell: (set) => ofContainers(set, 'image'), wide: true },
  ],
};

function ofContainers({ spec }: StatefulSetView, field: 'name' | 'image'): string {
  const values = (spec.template.spec.containers ?? []).map((container) => container[field]);
  return values.filter((value) => typeof value === 'string').join(',');
}
