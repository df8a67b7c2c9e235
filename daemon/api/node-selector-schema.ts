/** What core/v1 validation says of node selectors (ValidateNodeSelector, ValidateTopologySelectorTerm). */

import { qualifiedName } from './field-schemas.ts';
import { dnsSubdomainProblem, labelValueProblem } from './names.ts';
import type {
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  TopologySelectorTerm,
  VolumeNodeAffinity,
} from './node-selector.ts';
import {
  anything,
  constrained,
  fields,
  listOf,
  literal,
  oneOf,
  optional,
  readFields,
  type Schema,
  text,
  textWith,
  type Violation,
} from './schema.ts';

const expression: Schema<NodeSelectorRequirement> = constrained(
  fields({
    key: qualifiedName,
    operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
    values: optional(listOf(text())),
  }),
  ({ operator, values = [] }) => valuesViolations(operator, values),
);

const field: Schema<NodeSelectorRequirement> = constrained(
  fields({
    key: literal('metadata.name'),
    operator: oneOf(['In', 'NotIn']),
    values: listOf(textWith(dnsSubdomainProblem)),
  }),
  ({ values }) => (values.length === 1 ? [] : [{ keys: ['values'], message: 'want exactly one, the name of a node' }]),
);

const term: Schema<NodeSelectorTerm> = fields({
  matchExpressions: optional(listOf(expression)),
  matchFields: optional(listOf(field)),
});

const nodeSelector: Schema<NodeSelector> = fields({
  nodeSelectorTerms: constrained(listOf(term), (terms) =>
    terms.length > 0 ? [] : [{ keys: [], message: 'required: at least one node selector term' }],
  ),
});

export const volumeNodeAffinity: Schema<VolumeNodeAffinity> = fields({ required: nodeSelector });

export const podAffinity: Schema<PodAffinity> = readFields({
  nodeAffinity: optional(
    readFields({
      requiredDuringSchedulingIgnoredDuringExecution: optional(nodeSelector),
      preferredDuringSchedulingIgnoredDuringExecution: optional(anything()),
    }),
  ),
});

const topologyExpression = fields({
  key: qualifiedName,
  values: constrained(listOf(textWith(labelValueProblem)), (values) =>
    values.length > 0 ? [] : [{ keys: [], message: 'required: at least one value' }],
  ),
});

export const allowedTopologies: Schema<readonly TopologySelectorTerm[]> = listOf(
  fields({ matchLabelExpressions: optional(listOf(topologyExpression)) }),
);

function valuesViolations(operator: NodeSelectorRequirement['operator'], values: readonly string[]): Violation[] {
  const message = valuesProblem(operator, values);
  return message === undefined ? [] : [{ keys: ['values'], message }];
}

function valuesProblem(operator: NodeSelectorRequirement['operator'], values: readonly string[]): string | undefined {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0 ? undefined : `required with operator ${operator}`;
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0 ? undefined : `not allowed with operator ${operator}`;
    case 'Gt':
    case 'Lt':
      return values.length === 1 && /^-?\d{1,18}$/.test(values[0] ?? '')
        ? undefined
        : `want exactly one whole number with operator ${operator}`;
  }
}
