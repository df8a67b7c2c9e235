import { accessModes, className, dnsSubdomain, labels, qualifiedName, quantity, volumeMode } from './field-schemas.ts';
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

const spec: Schema<PersistentVolumeClaimSpec> = fields(
  {
    accessModes,
    resources: fields({
      requests: fields({ storage: quantity('positive') }),
      limits: optional(fields({ storage: optional(quantity('positive')) })),
    }),
    volumeMode: withDefault(volumeMode, 'Filesystem'),
    storageClassName: optional(className),
    volumeName: optional(dnsSubdomain),
    selector: optional(fields({ matchLabels: optional(labels), matchExpressions: optional(listOf(requirement)) })),
    volumeAttributesClassName: optional(className),
  },
  ['dataSource', 'dataSourceRef'],
);

export const persistentVolumeClaimSchema: Schema<PersistentVolumeClaim> = mapped(
  fields({
    apiVersion: literal('v1'),
    kind: literal('PersistentVolumeClaim'),
    metadata: namespacedMeta,
    spec,
    status: optional(anything()),
  }),
  ({ status: _, ...claim }) => claim,
);
