import {
  absolutePathProblem,
  accessModes,
  attributes,
  className,
  dnsLabel,
  dnsSubdomain,
  mountOptions,
  quantity,
  singleLine,
  singleLineProblem,
  volumeMode,
} from './field-schemas.ts';
import { persistentIscsi } from './iscsi-schema.ts';
import { loopDriver, persistentLoopProblems } from './loop-driver.ts';
import { clusterMeta } from './meta-schema.ts';
import { nfsVolumeSource } from './nfs-source-schema.ts';
import { volumeNodeAffinity } from './node-selector-schema.ts';
import type { PersistentVolume, PersistentVolumeSpec } from './persistent-volume.ts';
import {
  anything,
  constrained,
  fields,
  flag,
  literal,
  mapped,
  oneOf,
  optional,
  type Schema,
  textWith,
  type Violation,
  withDefault,
} from './schema.ts';
import { persistentVolumeSourceFields } from './volume-source-fields.ts';
import { givenSources, passingSourceViolations } from './volume-source-rules.ts';

const csi = constrained(
  fields(
    {
      driver: dnsSubdomain,
      volumeHandle: textWith((handle) => (handle === '' ? 'required' : singleLineProblem(handle))),
      readOnly: optional(flag()),
      fsType: optional(singleLine),
      volumeAttributes: optional(attributes),
    },
    [
      'controllerPublishSecretRef',
      'nodeStageSecretRef',
      'nodePublishSecretRef',
      'controllerExpandSecretRef',
      'nodeExpandSecretRef',
    ],
  ),
  (source) => (source.driver === loopDriver ? persistentLoopProblems(source) : []),
);

/** Of the reference only the claim's name is kept: its uid is of another store. */
const claimRef = mapped(
  fields({ kind: optional(literal('PersistentVolumeClaim')), namespace: dnsLabel, name: dnsSubdomain }, [
    'apiVersion',
    'uid',
    'resourceVersion',
    'fieldPath',
  ]),
  ({ namespace, name }) => ({ namespace, name }),
);

const local = fields({ path: textWith(absolutePathProblem), fsType: optional(singleLine) });

const sourceNames = new Set(['csi', 'iscsi', 'local', 'nfs', ...Object.keys(persistentVolumeSourceFields)]);

const spec: Schema<PersistentVolumeSpec> = constrained(
  fields(
    {
      capacity: fields({ storage: quantity('positive') }),
      accessModes,
      claimRef: optional(claimRef),
      csi: optional(csi),
      iscsi: optional(persistentIscsi),
      local: optional(local),
      nfs: optional(nfsVolumeSource),
      nodeAffinity: optional(volumeNodeAffinity),
      volumeMode: withDefault(volumeMode, 'Filesystem'),
      storageClassName: optional(className),
      mountOptions: optional(mountOptions),
      persistentVolumeReclaimPolicy: withDefault(oneOf(['Retain', 'Delete', 'Recycle']), 'Retain'),
      volumeAttributesClassName: optional(className),
    },
    Object.keys(persistentVolumeSourceFields),
  ),
  (declared) => [
    ...sourceCountViolations(declared),
    ...passingSourceViolations(declared, persistentVolumeSourceFields),
    ...localViolations(declared),
  ],
);

export const persistentVolumeSchema: Schema<PersistentVolume> = mapped(
  fields({
    apiVersion: literal('v1'),
    kind: literal('PersistentVolume'),
    metadata: clusterMeta,
    spec,
    status: optional(anything()),
  }),
  ({ status: _, ...declared }) => declared,
);

function sourceCountViolations(declared: Readonly<Record<string, unknown>>): Violation[] {
  const given = givenSources(declared, sourceNames);
  if (given.length === 1) return [];
  const what = given.length === 0 ? 'has no volume source, such as csi' : `has the sources ${given.join(' and ')}`;
  return [{ keys: [], message: `${what}: want exactly one` }];
}

/** A path of one machine says nothing without the machine (core/v1: "Local volume requires node affinity"). */
function localViolations({ local: source, nodeAffinity }: Readonly<Record<string, unknown>>): Violation[] {
  if (source === undefined || nodeAffinity !== undefined) return [];
  return [{ keys: ['nodeAffinity'], message: 'required: a local volume names the node that has it' }];
}
