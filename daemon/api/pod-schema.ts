import {
  annotations,
  attributes,
  climbingProblem,
  dnsLabel,
  dnsSubdomain,
  labels,
  quantity,
  singleLine,
} from './field-schemas.ts';
import { inlineIscsi } from './iscsi-schema.ts';
import { inlineLoopProblems, loopDriver } from './loop-driver.ts';
import { namespacedMeta } from './meta-schema.ts';
import { quoted } from './names.ts';
import { nfsVolumeSource } from './nfs-source-schema.ts';
import { tolerations } from './node-schema.ts';
import { podAffinity } from './node-selector-schema.ts';
import { claimSpec } from './persistent-volume-claim-schema.ts';
import type { Container, Pod, PodSpec, Volume } from './pod.ts';
import {
  constrained,
  fields,
  flag,
  listOf,
  literal,
  mapped,
  notOneOf,
  oneOf,
  optional,
  readFields,
  type Schema,
  textWith,
  type Violation,
} from './schema.ts';
import { podSourceFields } from './volume-source-fields.ts';
import { givenSources, passingSourceViolations } from './volume-source-rules.ts';
import { volumeUseViolations } from './volume-use-rules.ts';

const medium = textWith(mediumProblem) as Schema<'' | 'Memory'>;
const emptyDir = fields({ medium: optional(medium), sizeLimit: optional(quantity('zero')) });

const persistentVolumeClaim = fields({ claimName: dnsSubdomain, readOnly: optional(flag()) });

/** Of its metadata only labels and annotations are legal: the name is the pod's and the volume's (core/v1 validation). */
const ephemeral = fields({
  volumeClaimTemplate: fields({
    metadata: optional(fields({ labels: optional(labels), annotations: optional(annotations) }, ['creationTimestamp'])),
    spec: claimSpec,
  }),
});

const csi = constrained(
  fields(
    {
      driver: dnsSubdomain,
      readOnly: optional(flag()),
      fsType: optional(singleLine),
      volumeAttributes: optional(attributes),
    },
    ['nodePublishSecretRef'],
  ),
  (source) => (source.driver === loopDriver ? inlineLoopProblems(source) : []),
);

const readSources = {
  persistentVolumeClaim: optional(persistentVolumeClaim),
  ephemeral: optional(ephemeral),
  csi: optional(csi),
  iscsi: optional(inlineIscsi),
  emptyDir: optional(emptyDir),
  nfs: optional(nfsVolumeSource),
};
const sourceNames = new Set([...Object.keys(readSources), ...Object.keys(podSourceFields)]);

const volume: Schema<Volume> = constrained(
  fields({ name: dnsLabel, ...readSources }, Object.keys(podSourceFields)),
  (declared) => [...sourceCountViolations(declared), ...passingSourceViolations(declared, podSourceFields)],
);

const volumeMount = fields({
  name: dnsLabel,
  mountPath: textWith(mountPathProblem),
  readOnly: optional(flag()),
  recursiveReadOnly: optional(oneOf(['Disabled', 'IfPossible', 'Enabled'])),
  subPath: optional(textWith(subPathProblem)),
  subPathExpr: optional(textWith(subPathProblem)),
  mountPropagation: optional(oneOf(['None', 'HostToContainer', 'Bidirectional'])),
});

const volumeDevice = fields({ name: dnsLabel, devicePath: textWith(mountPathProblem) });

const container: Schema<Container> = readFields({
  name: dnsLabel,
  volumeMounts: optional(listOf(volumeMount)),
  volumeDevices: optional(listOf(volumeDevice)),
});

/** Without the rules over the whole: in a template, claims stand for volumes that the pod does not have yet. */
export const podSpecFields: Schema<PodSpec> = readFields({
  volumes: optional(listOf(volume)),
  containers: optional(listOf(container)),
  initContainers: optional(listOf(container)),
  ephemeralContainers: optional(listOf(container)),
  nodeName: optional(dnsSubdomain),
  nodeSelector: optional(labels),
  affinity: optional(podAffinity),
  tolerations: optional(tolerations),
});

const spec: Schema<PodSpec> = constrained(podSpecFields, volumeUseViolations);

/** Of status only the phase is read: a pod that says Succeeded or Failed is terminated. */
const status = mapped(
  readFields({ phase: optional(oneOf(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'])) }),
  ({ phase }) => (phase === undefined ? {} : { phase }),
);

export const podSchema: Schema<Pod> = fields({
  apiVersion: literal('v1'),
  kind: literal('Pod'),
  metadata: namespacedMeta,
  spec,
  status: optional(status),
});

function sourceCountViolations(declared: Readonly<Record<string, unknown>>): Violation[] {
  const given = givenSources(declared, sourceNames);
  if (given.length === 1) return [];
  const message =
    given.length === 0
      ? 'has no source: want one such as persistentVolumeClaim, csi or emptyDir (an empty one is written "emptyDir: {}")'
      : `has ${given.length} sources, ${given.join(' and ')}: want exactly one`;
  return [{ keys: [], message }];
}

function mediumProblem(asked: string): string | undefined {
  if (asked === '' || asked === 'Memory') return undefined;
  if (!asked.startsWith('HugePages')) return notOneOf(asked, ['', 'Memory']);
  return `${quoted(asked)} is not supported: want "" (a directory) or "Memory" (a tmpfs)`;
}

/** core/v1: a mount path must not contain ':'. It is a path in the workload; nothing on this machine is opened by it. */
function mountPathProblem(path: string): string | undefined {
  if (path === '') return 'required';
  return path.includes(':') ? `${quoted(path)} contains ":"` : climbingProblem(path);
}

function subPathProblem(path: string): string | undefined {
  return path.startsWith('/') ? `${quoted(path)} is absolute: want a path inside the volume` : climbingProblem(path);
}
