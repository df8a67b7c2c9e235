import {
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

const sourceNames = new Set(['csi', 'iscsi', 'nfs', ...Object.keys(persistentVolumeSourceFields)]);

const spec: Schema<PersistentVolumeSpec> = constrained(
  fields(
    {
      capacity: fields({ storage: quantity('positive') }),
      accessModes,
      claimRef: optional(claimRef),
      csi: optional(csi),
      iscsi: optional(persistentIscsi),
      nfs: optional(nfsVolumeSource),
      volumeMode: withDefault(volumeMode, 'Filesystem'),
      storageClassName: optional(className),
      mountOptions: optional(mountOptions),
      persistentVolumeReclaimPolicy: withDefault(oneOf(['Retain', 'Delete', 'Recycle']), 'Retain'),
      volumeAttributesClassName: optional(className),
    },
    ['nodeAffinity', ...Object.keys(persistentVolumeSourceFields)],
  ),
  (declared) => [
    ...sourceCountViolations(declared),
    ...passingSourceViolations(declared, persistentVolumeSourceFields),
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
