import {
  accessModes,
  className,
  dnsLabel,
  dnsSubdomain,
  labels,
  qualifiedName,
  quantity,
  singleLineProblem,
  volumeMode,
} from './field-schemas.ts';
import { namespacedMeta } from './meta-schema.ts';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from './persistent-volume-claim.ts';
import {
  anything,
  constrained,
  fields,
  listOf,
  literal,
  mapped,
  oneOf,
  optional,
  type Schema,
  text,
  textWith,
  withDefault,
} from './schema.ts';

const requirement = constrained(
  fields({
    key: qualifiedName,
    operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist']),
    values: optional(listOf(text())),
  }),
  ({ operator, values = [] }) => {
    const wantsValues = operator === 'In' || operator === 'NotIn';
    if (wantsValues === values.length > 0) return [];
    return [{ keys: ['values'], message: `${wantsValues ? 'required' : 'not allowed'} with operator ${operator}` }];
  },
);

export const labelSelector = fields({
  matchLabels: optional(labels),
  matchExpressions: optional(listOf(requirement)),
});

const sourceFields = { apiGroup: optional(text()), kind: textWith(required), name: textWith(required) };
const dataSource = fields(sourceFields);
const dataSourceRef = fields({ ...sourceFields, namespace: optional(dnsLabel) });

export const claimSpec: Schema<PersistentVolumeClaimSpec> = constrained(
  fields({
    accessModes,
    resources: fields({
      requests: fields({ storage: quantity('positive') }),
      limits: optional(fields({ storage: optional(quantity('positive')) })),
    }),
    volumeMode: withDefault(volumeMode, 'Filesystem'),
    storageClassName: optional(className),
    volumeName: optional(dnsSubdomain),
    selector: optional(labelSelector),
    volumeAttributesClassName: optional(className),
    dataSource: optional(dataSource),
    dataSourceRef: optional(dataSourceRef),
  }),
  // Upstream fills in the one from the other, and wants two that are given to be equal.
  ({ dataSource: source, dataSourceRef: reference }) => {
    if (source === undefined || reference === undefined) return [];
    const isSame = (['apiGroup', 'kind', 'name'] as const).every(
      (key) => (source[key] ?? '') === (reference[key] ?? ''),
    );
    return isSame
      ? []
      : [{ keys: ['dataSource'], message: 'differs from dataSourceRef: want one of them, or two that agree' }];
  },
);

function required(value: string): string | undefined {
  return value === '' ? 'required' : singleLineProblem(value);
}

export const persistentVolumeClaimSchema: Schema<PersistentVolumeClaim> = mapped(
  fields({
    apiVersion: literal('v1'),
    kind: literal('PersistentVolumeClaim'),
    metadata: namespacedMeta,
    spec: claimSpec,
    status: optional(anything()),
  }),
  ({ status: _, ...claim }) => claim,
);
