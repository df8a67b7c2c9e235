/** The pods and claims of a StatefulSet: what they are called and what is in them (stateful_set_utils.go). Pure. */

import type { PersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { Pod, Volume } from '../api/pod.ts';
import type { ClaimTemplate, StoredStatefulSet } from '../api/stateful-set.ts';
import { statefulSetLabels } from '../api/well-known.ts';

export interface Ordinals {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
}

export function ordinalsOf({ spec }: StoredStatefulSet): Ordinals {
  const start = spec.ordinals?.start ?? 0;
  return { start, end: start + (spec.replicas ?? 1) };
}

/** The ordinal in the name of a pod of the set, undefined for any other name. */
export function ordinalOf(set: StoredStatefulSet, podName: string): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const rest = podName.startsWith(prefix) ? podName.slice(prefix.length) : '';
  return /^(0|[1-9]\d{0,9})$/.test(rest) ? Number(rest) : undefined;
}

export function podNameOf({ metadata }: StoredStatefulSet, ordinal: number): string {
  return `${metadata.name}-${ordinal}`;
}

export function claimNameOf(set: StoredStatefulSet, { metadata }: ClaimTemplate, ordinal: number): string {
  return `${metadata.name}-${podNameOf(set, ordinal)}`;
}

/** Labels of the template, and over them those by which the set finds its own. */
export function claimOf(set: StoredStatefulSet, template: ClaimTemplate, ordinal: number): PersistentVolumeClaim {
  const { namespace } = set.metadata;
  const { labels, annotations } = template.metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: claimNameOf(set, template, ordinal),
      namespace,
      labels: { ...labels, ...set.spec.selector.matchLabels },
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: template.spec,
  };
}

export function podOf(set: StoredStatefulSet, ordinal: number): Pod {
  const { namespace } = set.metadata;
  const { template, serviceName } = set.spec;
  const name = podNameOf(set, ordinal);
  const identity = { [statefulSetLabels.podName]: name, [statefulSetLabels.podIndex]: String(ordinal) };
  const annotations = template.metadata?.annotations;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { ...template.metadata?.labels, ...identity },
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      ...template.spec,
      hostname: name,
      ...(serviceName === undefined ? {} : { subdomain: serviceName }),
      volumes: volumesOf(set, ordinal),
    },
  };
}

/** A claim stands for the volume of its template's name; the other volumes stay (updateStorage). */
function volumesOf(set: StoredStatefulSet, ordinal: number): readonly Volume[] {
  const templates = set.spec.volumeClaimTemplates ?? [];
  const claims = templates.map((template): Volume => {
    const claimName = claimNameOf(set, template, ordinal);
    return { name: template.metadata.name, persistentVolumeClaim: { claimName, readOnly: false } };
  });
  const names = new Set(claims.map(({ name }) => name));
  return [...claims, ...(set.spec.template.spec.volumes ?? []).filter(({ name }) => !names.has(name))];
}
