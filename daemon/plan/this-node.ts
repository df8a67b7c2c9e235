/** What schedulers know of a node; of this machine, from the machine, its settings and a manifest. Pure. */
import type { StoredNode, Taint } from '../api/node.ts';
import type { NamedLabels } from './node-affinity.ts';

export interface NodeFacts extends NamedLabels {
  readonly taints: readonly Taint[];
  /** Cordoned: nothing new is taken. */
  readonly unschedulable: boolean;
}

/** Each topology label has two spellings, and a selector with either finds the node (well-known labels). */
const spellings: readonly (readonly [string, string])[] = [
  ['topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'],
  ['topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'],
  ['kubernetes.io/os', 'beta.kubernetes.io/os'],
  ['kubernetes.io/arch', 'beta.kubernetes.io/arch'],
];

/** This machine, and those that only manifests tell of: they are shown and counted, and served by their own daemons. */
export interface Nodes {
  readonly own: NodeFacts;
  readonly others: readonly NodeFacts[];
}

/**
 * @param machine as the daemon was started: its name, the labels that every node has and those of its settings
 * @param declared the Nodes of the manifests; over one of this name the settings win, for they are of this machine alone
 */
export function nodesOf(machine: NamedLabels, declared: readonly StoredNode[]): Nodes {
  const { name } = machine;
  const own = declared.find(({ metadata }) => metadata.name === name);
  const labels = withBothSpellings({ ...own?.metadata.labels, ...machine.labels });
  return {
    own: { name, labels, ...schedulingOf(own) },
    others: declared.filter((node) => node !== own).map(otherNode),
  };
}

function otherNode(declared: StoredNode): NodeFacts {
  const { name, labels = {} } = declared.metadata;
  return { name, labels: withBothSpellings(labels), ...schedulingOf(declared) };
}

function schedulingOf(declared: StoredNode | undefined): Pick<NodeFacts, 'taints' | 'unschedulable'> {
  const { taints = [], unschedulable = false } = declared?.spec ?? {};
  return { taints, unschedulable };
}

function withBothSpellings(labels: NamedLabels['labels']): NamedLabels['labels'] {
  const both: Record<string, string> = { ...labels };
  for (const [key, old] of spellings) {
    const value = labels[key] ?? labels[old];
    if (value === undefined) continue;
    both[key] ??= value;
    both[old] ??= value;
  }
  return both;
}
