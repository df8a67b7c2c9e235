/** Whether a node has what a selector asks for (component-helpers: nodeaffinity, corev1.MatchTopologySelectorTerms). Pure. */
import { meetsSetRequirement } from '../api/label-selection.ts';
import type {
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  TopologySelectorTerm,
} from '../api/node-selector.ts';

export interface NamedLabels {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Without a selector every node matches; terms are ORed, and one without any requirement matches none. */
export function matchesNode(selector: NodeSelector | undefined, node: NamedLabels): boolean {
  return selector === undefined || selector.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: NamedLabels): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => isMet(requirement, node.labels[requirement.key])) &&
    matchFields.every((requirement) => isMet(requirement, node.name))
  );
}

function isMet({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'Gt':
      return isOrdered(value, values[0], (found, bound) => found > bound);
    case 'Lt':
      return isOrdered(value, values[0], (found, bound) => found < bound);
    default:
      return meetsSetRequirement({ operator, values }, value);
  }
}

/** A label that is no whole number is neither greater nor less. */
function isOrdered(
  value: string | undefined,
  bound: string | undefined,
  holds: (found: bigint, bound: bigint) => boolean,
): boolean {
  const [found, limit] = [value, bound].map((text) => (/^-?\d+$/.test(text ?? '') ? BigInt(text ?? '') : undefined));
  return found !== undefined && limit !== undefined && holds(found, limit);
}

/** Where a class may have volumes: everywhere without terms; a term without expressions is nowhere. */
export function matchesTopology(
  terms: readonly TopologySelectorTerm[] | undefined,
  labels: NamedLabels['labels'],
): boolean {
  if (terms === undefined || terms.length === 0) return true;
  return terms.some(
    ({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.length > 0 &&
      matchLabelExpressions.every(({ key, values }) => values.includes(labels[key] ?? '')),
  );
}

/** By which a volume of one machine says where it is. */
export function hostnameOf({ name, labels }: NamedLabels): string {
  return labels['kubernetes.io/hostname'] ?? name;
}
