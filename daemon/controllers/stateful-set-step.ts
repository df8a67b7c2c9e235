/**
 * One StatefulSet's next step (stateful_set_control.go, updateStatefulSet). Pure. OrderedReady: whatever is waited for
 * ends the pass. Parallel: it is passed over.
 */

import { controllerOf } from '../api/owner-reference.ts';
import type { PersistentVolumeClaim, StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { Pod, StoredPod } from '../api/pod.ts';
import { sameValue } from '../api/same-value.ts';
import type { StoredStatefulSet } from '../api/stateful-set.ts';
import { hasForeignController, hasStaleOwner, withOwners } from './claim-retention.ts';
import type { ControlEvent } from './claim-world.ts';
import { claimNameOf, claimOf, ordinalOf, ordinalsOf, podNameOf, podOf } from './stateful-set-objects.ts';
import { withTemplate } from './template-update.ts';

export interface StatefulSetWorld {
  pod(namespace: string, name: string): StoredPod | undefined;
  claim(namespace: string, name: string): StoredPersistentVolumeClaim | undefined;
  /** Those that the set controls, also terminating ones. */
  podsOf(set: StoredStatefulSet): readonly StoredPod[];
  /** Whether all that the pod uses is mounted here: moored runs no containers. */
  isReady(pod: StoredPod): boolean;
}

export type StatefulSetStep =
  | { readonly kind: 'createClaim'; readonly claim: PersistentVolumeClaim; readonly podName: string }
  | { readonly kind: 'createPod'; readonly pod: Pod }
  | { readonly kind: 'write'; readonly object: StoredPod | StoredPersistentVolumeClaim }
  | { readonly kind: 'deletePod'; readonly pod: StoredPod }
  /** Nothing of the set is left: its object goes, and with it what it owns. */
  | { readonly kind: 'removeSet' }
  | ({ readonly kind: 'wait' } & ControlEvent)
  | { readonly kind: 'settled' };

export function nextStatefulSetStep(set: StoredStatefulSet, world: StatefulSetWorld): StatefulSetStep {
  let wait: StatefulSetStep | undefined;
  for (const step of stepsOf(set, world)) {
    if (step.kind !== 'wait' || set.spec.podManagementPolicy !== 'Parallel') return step;
    wait ??= step;
  }
  return wait ?? { kind: 'settled' };
}

/** Claims of the set that another controller manages: the policy is not applied to them, and somebody should know. */
export function foreignClaims(set: StoredStatefulSet, world: StatefulSetWorld): readonly StoredPersistentVolumeClaim[] {
  return world
    .podsOf(set)
    .flatMap((pod) => claimsOfPod(set, pod, world))
    .filter((claim) => hasForeignController(claim, set));
}

/** Everything that is outstanding, in the order in which it is to be done. */
function* stepsOf(set: StoredStatefulSet, world: StatefulSetWorld): Generator<StatefulSetStep> {
  const isDeleting = set.metadata.deletionTimestamp !== undefined;
  const pods = world.podsOf(set);
  for (const pod of pods) yield* ownerSteps(set, pod, world);
  const { start, end } = isDeleting ? { start: 0, end: 0 } : ordinalsOf(set);
  for (let ordinal = start; ordinal < end; ordinal++) yield* replicaSteps(set, ordinal, world);
  const condemned = pods.filter(({ metadata }) => {
    const ordinal = ordinalOf(set, metadata.name) ?? -1;
    return ordinal < start || ordinal >= end;
  });
  yield* condemnedSteps(set, condemned);
  if (isDeleting && pods.length === 0) yield { kind: 'removeSet' };
  if (!isDeleting) yield* updateSteps(set, { start, end }, world);
}

function* ownerSteps(set: StoredStatefulSet, pod: StoredPod, world: StatefulSetWorld): Generator<StatefulSetStep> {
  for (const claim of claimsOfPod(set, pod, world)) {
    const object = withOwners(claim, set, pod);
    if (object !== undefined) yield { kind: 'write', object };
  }
}

function claimsOfPod(
  set: StoredStatefulSet,
  { metadata }: StoredPod,
  world: StatefulSetWorld,
): readonly StoredPersistentVolumeClaim[] {
  const ordinal = ordinalOf(set, metadata.name);
  if (ordinal === undefined) return [];
  return (set.spec.volumeClaimTemplates ?? []).flatMap(
    (template) => world.claim(metadata.namespace, claimNameOf(set, template, ordinal)) ?? [],
  );
}

/** Claims, then the pod, then that it is ready. */
function* replicaSteps(set: StoredStatefulSet, ordinal: number, world: StatefulSetWorld): Generator<StatefulSetStep> {
  const { namespace } = set.metadata;
  const name = podNameOf(set, ordinal);
  const pod = world.pod(namespace, name);
  if (pod !== undefined && controllerOf(pod.metadata)?.uid !== set.metadata.uid) {
    yield wait(
      'FailedCreate',
      `create Pod ${name} in StatefulSet ${set.metadata.name} failed: a pod of this name exists`,
    );
    return;
  }
  if (pod?.metadata.deletionTimestamp !== undefined) {
    yield wait('WaitForPod', `waiting for pod ${name} to be deleted`);
    return;
  }
  const claims = [...claimSteps(set, ordinal, pod, world)];
  yield* claims;
  if (pod === undefined) {
    if (claims.length === 0) yield { kind: 'createPod', pod: podOf(set, ordinal) };
    return;
  }
  if (world.isReady(pod)) return;
  // A pod that cannot become ready takes a mended template at once: waiting for it would wait for ever.
  const object = updated(set, ordinal, pod);
  if (object !== undefined) yield { kind: 'write', object };
  yield wait('WaitForPod', `waiting for pod ${name} to be ready: not all its volumes are mounted`);
}

/** An existing claim is used as it is: it has the data. One that is about to go blocks a new pod. */
function* claimSteps(
  set: StoredStatefulSet,
  ordinal: number,
  pod: StoredPod | undefined,
  world: StatefulSetWorld,
): Generator<StatefulSetStep> {
  const podName = podNameOf(set, ordinal);
  for (const template of set.spec.volumeClaimTemplates ?? []) {
    const name = claimNameOf(set, template, ordinal);
    const claim = world.claim(set.metadata.namespace, name);
    if (claim === undefined) {
      yield { kind: 'createClaim', claim: claimOf(set, template, ordinal), podName };
    } else if (pod === undefined && isGoing(claim, podName)) {
      yield wait('FailedCreate', `create Pod ${podName} waits: claim ${name} is being deleted`);
    } else {
      const object = withTemplate(claim, template, set);
      if (object !== undefined) yield { kind: 'write', object };
    }
  }
}

function isGoing(claim: StoredPersistentVolumeClaim, podName: string): boolean {
  return claim.metadata.deletionTimestamp !== undefined || hasStaleOwner(claim, podName, undefined);
}

/** From the last to the first; each has gone before the next one goes. */
function* condemnedSteps(set: StoredStatefulSet, pods: readonly StoredPod[]): Generator<StatefulSetStep> {
  const ordinal = ({ metadata }: StoredPod): number => ordinalOf(set, metadata.name) ?? -1;
  for (const pod of [...pods].sort((a, b) => ordinal(b) - ordinal(a))) {
    if (pod.metadata.deletionTimestamp === undefined) yield { kind: 'deletePod', pod };
    else yield wait('WaitForPod', `waiting for pod ${pod.metadata.name} to be deleted`);
  }
}

/**
 * An edited template reaches its pods in place, as an edited manifest of a pod does: no container is to be started anew,
 * and a volume that stays stays mounted. From the last to the first, down to the partition.
 */
function* updateSteps(
  set: StoredStatefulSet,
  { start, end }: { readonly start: number; readonly end: number },
  world: StatefulSetWorld,
): Generator<StatefulSetStep> {
  const first = start + (set.spec.updateStrategy?.rollingUpdate?.partition ?? 0);
  for (let ordinal = end - 1; ordinal >= first; ordinal--) {
    const pod = world.pod(set.metadata.namespace, podNameOf(set, ordinal));
    const object = pod === undefined ? undefined : updated(set, ordinal, pod);
    if (object !== undefined) yield { kind: 'write', object };
  }
}

/** The pod as its template has it now; undefined when it is so, or is to stay as it was made. */
function updated(set: StoredStatefulSet, ordinal: number, pod: StoredPod): StoredPod | undefined {
  const { type = 'RollingUpdate', rollingUpdate } = set.spec.updateStrategy ?? {};
  if (type === 'OnDelete' || ordinal - ordinalsOf(set).start < (rollingUpdate?.partition ?? 0)) return undefined;
  const { metadata, spec } = podOf(set, ordinal);
  const { labels: _labels, annotations: _annotations, ...own } = pod.metadata;
  const generation = own.generation + (sameValue(spec, pod.spec) ? 0 : 1);
  const next = { ...pod, metadata: { ...own, ...metadata, generation }, spec };
  return sameValue(next, pod) ? undefined : next;
}

function wait(reason: ControlEvent['reason'], message: string): StatefulSetStep {
  return { kind: 'wait', reason, message };
}
