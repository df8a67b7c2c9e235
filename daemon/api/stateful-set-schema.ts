import { annotations, dnsLabel, dnsSubdomain, labels } from './field-schemas.ts';
import { selects } from './label-selection.ts';
import { namespacedMeta } from './meta-schema.ts';
import { quoted } from './names.ts';
import { claimSpec, labelSelector } from './persistent-volume-claim-schema.ts';
import type { Volume } from './pod.ts';
import { podSpecFields } from './pod-schema.ts';
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
  type Violation,
  wholeNumber,
  withDefault,
} from './schema.ts';
import type { ClaimTemplate, StatefulSet, StatefulSetSpec } from './stateful-set.ts';
import { volumeUseViolations } from './volume-use-rules.ts';

/** Of a template's metadata the set uses labels and annotations; name and namespace are the pod's own. */
const templateMeta = mapped(
  fields({ labels: optional(labels), annotations: optional(annotations) }, passingMeta('name', 'namespace')),
  ({ labels: given, annotations: notes }) => ({
    ...(given === undefined ? {} : { labels: given }),
    ...(notes === undefined ? {} : { annotations: notes }),
  }),
);

const claimTemplateMeta = mapped(
  fields({ name: dnsLabel, labels: optional(labels), annotations: optional(annotations) }, passingMeta('namespace')),
  ({ name, labels: given, annotations: notes }) => ({
    name,
    ...(given === undefined ? {} : { labels: given }),
    ...(notes === undefined ? {} : { annotations: notes }),
  }),
);

const claimTemplate: Schema<ClaimTemplate> = mapped(
  fields({
    apiVersion: optional(literal('v1')),
    kind: optional(literal('PersistentVolumeClaim')),
    metadata: claimTemplateMeta,
    spec: claimSpec,
    status: optional(anything()),
  }),
  ({ metadata, spec }) => ({ metadata, spec }),
);

const retention = withDefault(oneOf(['Retain', 'Delete']), 'Retain');

const spec: Schema<StatefulSetSpec> = constrained(
  fields(
    {
      replicas: withDefault(wholeNumber, 1),
      selector: labelSelector,
      serviceName: optional(dnsSubdomain),
      template: fields({ metadata: optional(templateMeta), spec: podSpecFields }),
      volumeClaimTemplates: optional(listOf(claimTemplate)),
      podManagementPolicy: withDefault(oneOf(['OrderedReady', 'Parallel']), 'OrderedReady'),
      updateStrategy: optional(
        fields({
          type: optional(oneOf(['RollingUpdate', 'OnDelete'])),
          rollingUpdate: optional(fields({ partition: optional(wholeNumber) }, ['maxUnavailable'])),
        }),
      ),
      persistentVolumeClaimRetentionPolicy: optional(fields({ whenDeleted: retention, whenScaled: retention })),
      ordinals: optional(fields({ start: withDefault(wholeNumber, 0) })),
      volumeClaimUpdatePolicy: optional(oneOf(['OnClaimDelete', 'InPlace'])),
    },
    ['minReadySeconds', 'revisionHistoryLimit'],
  ),
  (declared) => [...selectorViolations(declared), ...templateNameViolations(declared), ...useViolations(declared)],
);

export const statefulSetSchema: Schema<StatefulSet> = mapped(
  fields({
    apiVersion: literal('apps/v1'),
    kind: literal('StatefulSet'),
    metadata: namespacedMeta,
    spec,
    status: optional(anything()),
  }),
  ({ status: _, ...declared }) => declared,
);

/** apps/v1: a set that does not select its own pods would not know them as its own. */
function selectorViolations({ selector, template }: StatefulSetSpec): Violation[] {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) {
    return [{ keys: ['selector'], message: 'required: an empty selector would select every pod' }];
  }
  if (selects(selector, template.metadata?.labels ?? {})) return [];
  const keys = ['template', 'metadata', 'labels'];
  return [{ keys, message: 'do not match spec.selector: want the labels that it asks for' }];
}

function templateNameViolations({ volumeClaimTemplates = [] }: StatefulSetSpec): Violation[] {
  const names = volumeClaimTemplates.map(({ metadata }) => metadata.name);
  return names.flatMap((name, index) => {
    if (names.indexOf(name) === index) return [];
    const keys = ['volumeClaimTemplates', index, 'metadata', 'name'];
    return [{ keys, message: `a template ${quoted(name)} is declared already` }];
  });
}

/** The rules of a pod, over the volumes that a pod of the set has: a claim stands for the volume of its name. */
function useViolations({ template, volumeClaimTemplates = [] }: StatefulSetSpec): Violation[] {
  const claims = new Map(volumeClaimTemplates.map(({ metadata: { name } }) => [name, claimVolume(name)]));
  const declared = (template.spec.volumes ?? []).map((volume) => claims.get(volume.name) ?? volume);
  const added = [...claims.values()].filter(({ name }) => !declared.some((volume) => volume.name === name));
  return volumeUseViolations({ ...template.spec, volumes: [...declared, ...added] }).map(({ keys, message }) => ({
    keys: ['template', 'spec', ...keys],
    message,
  }));
}

function claimVolume(name: string): Volume {
  return { name, persistentVolumeClaim: { claimName: name } };
}

/** Legal in what a server gives out, and nothing to a template. */
function passingMeta(...more: readonly string[]): readonly string[] {
  return [...more, 'creationTimestamp', 'generateName', 'finalizers', 'ownerReferences', 'managedFields'];
}
