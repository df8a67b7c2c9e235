import type { NodeView } from '../../control/protocol.ts';
import { age, name, objectCommon } from './object-resources.ts';
import type { Resource } from './resource.ts';

export const nodes: Resource<'nodes'> = {
  ...objectCommon,
  kind: 'nodes',
  singular: 'node',
  qualified: 'node',
  aliases: ['no', 'node', 'nodes'],
  isNamespaced: false,
  eventKind: 'Node',
  items: ({ items }) => items,
  columns: [
    name,
    { header: 'STATUS', cell: nodeStatus, state: true },
    age,
    { header: 'REASON', cell: ({ status }) => status.conditions[0]?.reason ?? '', wide: true },
    { header: 'TAINTS', cell: ({ spec }) => formatTaints(spec).join(','), wide: true },
    { header: 'LABELS', cell: ({ metadata }) => formatLabels(metadata.labels), wide: true },
  ],
};

/** "Ready", "Ready,SchedulingDisabled" or, of another machine, "Unknown". */
export function nodeStatus({ spec, status }: NodeView): string {
  const state = status.conditions[0]?.status === 'True' ? 'Ready' : 'Unknown';
  return spec.unschedulable === true ? `${state},SchedulingDisabled` : state;
}

/** "key=value:NoSchedule", as kubectl takes them. */
export function formatTaints({ taints = [] }: NodeView['spec']): readonly string[] {
  return taints.map(({ key, value, effect }) => `${key}${value === undefined ? '' : `=${value}`}:${effect}`);
}

function formatLabels(labels: Readonly<Record<string, string>> = {}): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
