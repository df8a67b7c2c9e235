/** Whether a pod may be on a node by what it and the node say themselves, volumes left aside. Pure. */
import type { Taint, Toleration } from '../api/node.ts';
import type { StoredPod } from '../api/pod.ts';
import { matchesNode } from './node-affinity.ts';
import type { NodeFacts, Nodes } from './this-node.ts';

export interface Refusal {
  readonly reason: 'FailedScheduling' | 'OtherNode';
  readonly message: string;
}

/** Why the pod may not be on this machine; undefined when it may. */
export function placementRefusal(pod: StoredPod, nodes: Nodes): Refusal | undefined {
  const conflict = placementConflict(pod, nodes.own);
  if (conflict === undefined) return undefined;
  const { nodeName } = pod.spec;
  if (nodeName !== undefined) {
    return {
      reason: 'OtherNode',
      message: `the pod is for node "${nodeName}", and this machine is "${nodes.own.name}"`,
    };
  }
  const others = nodes.others.map((node) => placementConflict(pod, node) ?? elsewhere);
  return { reason: 'FailedScheduling', message: noNodeAvailable([conflict, ...others].map((one) => [one])) };
}

/** A node that would do and is not ours to give. */
export const elsewhere = 'node(s) are another machine';

/** "0/3 nodes are available: 1 node(s) …, 2 node(s) …." (scheduler framework: FitError). A node counts for each of its reasons. */
export function noNodeAvailable(nodes: readonly (readonly string[])[]): string {
  const counts = new Map<string, number>();
  for (const conflict of nodes.flat()) counts.set(conflict, (counts.get(conflict) ?? 0) + 1);
  const reasons = [...counts].map(([conflict, count]) => `${count} ${conflict}`).sort();
  return `0/${nodes.length} nodes are available: ${reasons.join(', ')}.`;
}

/** Why not, in the words of the scheduler's plugins, which count the nodes before them; undefined when it may. */
export function placementConflict({ spec }: StoredPod, node: NodeFacts): string | undefined {
  if (spec.nodeName !== undefined) {
    // A pod that names its node has passed by the scheduler: selector and taints are not asked (kubelet: NoExecute alone).
    return spec.nodeName === node.name ? undefined : "node(s) didn't match the requested node name";
  }
  const tolerations = spec.tolerations ?? [];
  if (node.unschedulable && !isTolerated(cordon, tolerations)) return 'node(s) were unschedulable';
  const taint = node.taints.find((one) => keepsAway(one) && !isTolerated(one, tolerations));
  if (taint !== undefined) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
  const labels = Object.entries(spec.nodeSelector ?? {});
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  const isMatch = labels.every(([key, value]) => node.labels[key] === value) && matchesNode(required, node);
  return isMatch ? undefined : "node(s) didn't match Pod's node affinity/selector";
}

const cordon: Taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

function keepsAway({ effect }: Taint): boolean {
  return effect !== 'PreferNoSchedule';
}

function isTolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return tolerations.some(({ key = '', operator = 'Equal', value = '', effect = '' }) => {
    if (effect !== '' && effect !== taint.effect) return false;
    if (key !== '' && key !== taint.key) return false;
    if (operator === 'Exists') return true;
    // Without a key only Exists tolerates.
    return key !== '' && value === (taint.value ?? '');
  });
}
