import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { compareQuantities, parseQuantity } from '../api/quantity.ts';
import { sameValue } from '../api/same-value.ts';
import type { ClaimTemplate, StatefulSetSpec, StoredStatefulSet } from '../api/stateful-set.ts';
import { annotations } from '../api/well-known.ts';

/**
 * A claim that exists, with what of its template may change (KEP-4650): the request, upwards, labels and annotations.
 * Undefined when nothing is to be written: by default a template is for claims that are still to be made. A claim that a
 * file declares is the file's.
 */
export function withTemplate(
  claim: StoredPersistentVolumeClaim,
  template: ClaimTemplate,
  set: StoredStatefulSet,
): StoredPersistentVolumeClaim | undefined {
  const { metadata, spec } = claim;
  if (set.spec.volumeClaimUpdatePolicy !== 'InPlace' || metadata.annotations?.[annotations.manifest] !== undefined) {
    return undefined;
  }
  const requests = grownRequests(claim, template);
  const next = {
    ...claim,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...template.metadata.labels, ...set.spec.selector.matchLabels },
      annotations: { ...template.metadata.annotations, ...metadata.annotations },
      generation: metadata.generation + (requests === spec.resources.requests ? 0 : 1),
    },
    spec: { ...spec, resources: { ...spec.resources, requests } },
  };
  return sameValue(next, { ...claim, metadata: { ...metadata, annotations: metadata.annotations ?? {} } })
    ? undefined
    : next;
}

/** Only a bound claim can grow (core/v1 validation), and none shrinks with its template. */
function grownRequests({ spec, status }: StoredPersistentVolumeClaim, template: ClaimTemplate) {
  const { requests } = spec.resources;
  const wanted = template.spec.resources.requests;
  const isMore = compareQuantities(parseQuantity(wanted.storage), parseQuantity(requests.storage)) > 0;
  return isMore && status?.phase === 'Bound' ? wanted : requests;
}

/** Why the change of a set is refused (apps/v1 validation, and KEP-4650 for the claim templates), or undefined. */
export function statefulSetChange(current: StatefulSetSpec, declared: StatefulSetSpec): string | undefined {
  const fixed = ['serviceName', 'selector', 'podManagementPolicy'] as const;
  const field = fixed.find((key) => !sameValue(current[key], declared[key]));
  if (field !== undefined) return `updates to statefulset spec are forbidden for "${field}"`;
  const [before, after] = [current, declared].map(({ volumeClaimTemplates = [] }) => volumeClaimTemplates);
  return templateChange(before ?? [], after ?? []);
}

function templateChange(before: readonly ClaimTemplate[], after: readonly ClaimTemplate[]): string | undefined {
  const isSame = sameValue(before.map(fixedPart), after.map(fixedPart));
  if (!isSame) {
    return 'updates to statefulset spec.volumeClaimTemplates are forbidden but for labels, annotations and a larger resources.requests.storage';
  }
  const shrunk = after.find((template, index) => {
    const old = before[index]?.spec.resources.requests.storage ?? '0';
    return compareQuantities(parseQuantity(template.spec.resources.requests.storage), parseQuantity(old)) < 0;
  });
  return shrunk && `spec.volumeClaimTemplates "${shrunk.metadata.name}": resources.requests.storage can not be less`;
}

function fixedPart({ metadata, spec }: ClaimTemplate): object {
  const { requests: _, ...resources } = spec.resources;
  return { name: metadata.name, spec: { ...spec, resources } };
}
