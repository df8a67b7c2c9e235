import { qualifiedName } from './field-schemas.ts';
import { clusterMeta } from './meta-schema.ts';
import { labelValueProblem } from './names.ts';
import type { Node, NodeSpec, Toleration } from './node.ts';
import {
  anything,
  fields,
  flag,
  listOf,
  literal,
  mapped,
  oneOf,
  optional,
  readFields,
  type Schema,
  text,
  textWith,
  withDefault,
} from './schema.ts';

const taint = fields(
  {
    key: qualifiedName,
    value: optional(textWith(labelValueProblem)),
    effect: oneOf(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
  },
  ['timeAdded'],
);

const spec: Schema<NodeSpec> = readFields({
  taints: optional(listOf(taint)),
  unschedulable: optional(flag()),
});

/** Of a node only name, labels and taints count: what `kubectl get node -o yaml` says besides is of another machine. */
export const nodeSchema: Schema<Node> = mapped(
  fields({
    apiVersion: literal('v1'),
    kind: literal('Node'),
    metadata: clusterMeta,
    spec: withDefault(spec, {}),
    status: optional(anything()),
  }),
  ({ status: _, ...node }) => node,
);

export const tolerations: Schema<readonly Toleration[]> = listOf(
  fields(
    {
      key: optional(text()),
      operator: optional(oneOf(['Exists', 'Equal'])),
      value: optional(text()),
      effect: optional(oneOf(['', 'NoSchedule', 'PreferNoSchedule', 'NoExecute'])),
    },
    ['tolerationSeconds'],
  ),
);
