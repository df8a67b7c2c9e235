/** The three kinds of snapshot.storage.k8s.io/v1. */
import { attributes, dnsLabel, dnsSubdomain, singleLineProblem, volumeMode } from './field-schemas.ts';
import { loopDriver, loopSnapshotClassProblems, loopSnapshotHandleProblem } from './loop-driver.ts';
import { clusterMeta, namespacedMeta } from './meta-schema.ts';
import {
  anything,
  constrained,
  fields,
  literal,
  mapped,
  oneOf,
  optional,
  type Schema,
  textWith,
  type Violation,
} from './schema.ts';
import type { VolumeSnapshot } from './volume-snapshot.ts';
import type { VolumeSnapshotClass } from './volume-snapshot-class.ts';
import type { VolumeSnapshotContent } from './volume-snapshot-content.ts';

export const snapshotApiVersion = 'snapshot.storage.k8s.io/v1';

const apiVersion = literal(snapshotApiVersion);
const deletionPolicy = oneOf(['Delete', 'Retain']);
const handle = textWith((text) => (text === '' ? 'required' : singleLineProblem(text)));

const snapshotClass = constrained(
  fields({
    apiVersion,
    kind: literal('VolumeSnapshotClass'),
    metadata: clusterMeta,
    driver: dnsSubdomain,
    deletionPolicy,
    parameters: optional(attributes),
  }),
  ({ driver, parameters = {} }) =>
    driver === loopDriver
      ? loopSnapshotClassProblems(parameters).map(({ keys, message }) => ({ keys: ['parameters', ...keys], message }))
      : [],
);

/** As a StorageClass: fields at the top level, ours under `spec`. */
export const volumeSnapshotClassSchema: Schema<VolumeSnapshotClass> = mapped(
  snapshotClass,
  ({ apiVersion: version, kind, metadata, ...spec }) => ({ apiVersion: version, kind, metadata, spec }),
);

export const volumeSnapshotSchema: Schema<VolumeSnapshot> = mapped(
  fields({
    apiVersion,
    kind: literal('VolumeSnapshot'),
    metadata: namespacedMeta,
    spec: fields({
      source: constrained(
        fields({
          persistentVolumeClaimName: optional(dnsSubdomain),
          volumeSnapshotContentName: optional(dnsSubdomain),
        }),
        (source) => exactlyOne(source, ['persistentVolumeClaimName', 'volumeSnapshotContentName']),
      ),
      volumeSnapshotClassName: optional(dnsSubdomain),
    }),
    status: optional(anything()),
  }),
  ({ status: _, ...snapshot }) => snapshot,
);

/** Of the reference the uid is dropped, as that of a volume's claim: it is of another store. */
const snapshotReference = mapped(
  fields({ kind: optional(literal('VolumeSnapshot')), namespace: dnsLabel, name: dnsSubdomain }, [
    'apiVersion',
    'uid',
    'resourceVersion',
    'fieldPath',
  ]),
  ({ namespace, name }) => ({ namespace, name }),
);

const contentSpec = constrained(
  fields({
    volumeSnapshotRef: snapshotReference,
    deletionPolicy,
    driver: dnsSubdomain,
    volumeSnapshotClassName: optional(dnsSubdomain),
    source: constrained(fields({ volumeHandle: optional(handle), snapshotHandle: optional(handle) }), (source) =>
      exactlyOne(source, ['volumeHandle', 'snapshotHandle']),
    ),
    sourceVolumeMode: optional(volumeMode),
  }),
  ({ driver, source: { snapshotHandle } }) => {
    const message =
      driver === loopDriver && snapshotHandle !== undefined ? loopSnapshotHandleProblem(snapshotHandle) : undefined;
    return message === undefined ? [] : [{ keys: ['source', 'snapshotHandle'], message }];
  },
);

export const volumeSnapshotContentSchema: Schema<VolumeSnapshotContent> = mapped(
  fields({
    apiVersion,
    kind: literal('VolumeSnapshotContent'),
    metadata: clusterMeta,
    spec: contentSpec,
    status: optional(anything()),
  }),
  ({ status: _, ...content }) => content,
);

function exactlyOne(given: Readonly<Record<string, unknown>>, names: readonly string[]): Violation[] {
  const found = names.filter((name) => given[name] !== undefined);
  if (found.length === 1) return [];
  return [{ keys: [], message: `has ${found.join(' and ') || 'nothing'}: want exactly one of ${names.join(', ')}` }];
}
