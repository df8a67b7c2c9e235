import { attributes, mountOptions, qualifiedName } from './field-schemas.ts';
import { localClassProblems, localProvisioner } from './local-provisioner.ts';
import { loopClassProblems, loopDriver } from './loop-driver.ts';
import { clusterMeta } from './meta-schema.ts';
import { allowedTopologies } from './node-selector-schema.ts';
import {
  constrained,
  fields,
  flag,
  literal,
  mapped,
  oneOf,
  optional,
  type Schema,
  type Violation,
  withDefault,
} from './schema.ts';
import type { StorageClass } from './storage-class.ts';

/** What our own provisioners say of the parameters. */
const problemsOf: Readonly<Record<string, (parameters: Readonly<Record<string, string>>) => readonly Violation[]>> = {
  [loopDriver]: loopClassProblems,
  [localProvisioner]: localClassProblems,
};

const topLevel = constrained(
  fields({
    apiVersion: literal('storage.k8s.io/v1'),
    kind: literal('StorageClass'),
    metadata: clusterMeta,
    provisioner: qualifiedName,
    parameters: optional(attributes),
    reclaimPolicy: optional(oneOf(['Retain', 'Delete'])),
    mountOptions: optional(mountOptions),
    allowVolumeExpansion: optional(flag()),
    volumeBindingMode: withDefault(oneOf(['Immediate', 'WaitForFirstConsumer']), 'Immediate'),
    allowedTopologies: optional(allowedTopologies),
  }),
  ({ provisioner, parameters = {} }) =>
    (problemsOf[provisioner]?.(parameters) ?? []).map(({ keys, message }) => ({
      keys: ['parameters', ...keys],
      message,
    })),
);

/**
 * A class has its fields at the top level; ours sit under `spec`. An absent reclaimPolicy stays absent: upstream's
 * default is Delete, here data is kept unless the user wrote Delete.
 */
export const storageClassSchema: Schema<StorageClass> = mapped(topLevel, ({ apiVersion, kind, metadata, ...spec }) => ({
  apiVersion,
  kind,
  metadata,
  spec,
}));
