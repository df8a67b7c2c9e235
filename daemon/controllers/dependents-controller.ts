/**
 * Runs the steps of StatefulSets and of ephemeral volumes against the store until nothing changes, and deletes claims
 * whose owners have gone. What it makes lives in the store only; all of it is pods and claims, which others serve.
 */
import { keyOf, objectKey } from '../api/meta.ts';
import { controllerOf, controllerReference } from '../api/owner-reference.ts';
import type { PersistentVolumeClaim, StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { Pod, StoredPod } from '../api/pod.ts';
import type { StoredStatefulSet } from '../api/stateful-set.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import type { ControlWait } from './control-waits.ts';
import { ephemeralClaimSteps, hasEphemeralVolume } from './ephemeral-claim-step.ts';
import { claimsWithoutOwners } from './garbage-collection.ts';
import { born } from './object-birth.ts';
import { foreignClaims, nextStatefulSetStep, type StatefulSetWorld } from './stateful-set-step.ts';

export interface DependentsControllerOptions {
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly newUid: () => string;
  /** As of now, for pods as they are in the store. */
  readonly readiness: () => StatefulSetWorld['isReady'];
}

/** More than a large set needs at once; a livelock between two rules would end here and be logged. */
const maxSteps = 10_000;

export class DependentsController {
  readonly #options: DependentsControllerOptions;
  readonly #waits = new Map<string, ControlWait>();
  /** Conflicts that were told, by whom they regard. */
  readonly #told = new Map<string, string>();

  constructor(options: DependentsControllerOptions) {
    this.#options = options;
  }

  /** By "StatefulSet/<namespace>/<name>". */
  get waits(): ReadonlyMap<string, ControlWait> {
    return this.#waits;
  }

  /** What is mounted changed: a pod may be ready now for which a set waits. */
  volumesChanged(): void {
    if (this.#waits.size === 0) return;
    const { objects } = this.#options;
    const world = this.#world();
    for (const set of objects.list('StatefulSet')) if (this.#waits.has(keyOf(set))) this.#serve(set, world);
  }

  /** To be called whenever objects changed. */
  sync(): void {
    const { objects } = this.#options;
    const sets = objects.list('StatefulSet');
    if (sets.length > 0) {
      const world = this.#world();
      for (const set of sets) this.#serve(set, world);
    }
    for (const pod of objects.list('Pod')) if (hasEphemeralVolume(pod)) this.#serveEphemeral(pod);
    for (const claim of claimsWithoutOwners(objects.list('PersistentVolumeClaim'), (key) => objects.get(key))) {
      this.#delete(claim, 'its owner has gone');
    }
  }

  #world(): StatefulSetWorld {
    const { objects, readiness } = this.#options;
    const isReady = readiness();
    return {
      pod: (namespace, name) => objects.get(objectKey('Pod', namespace, name)) as StoredPod | undefined,
      claim: (namespace, name) =>
        objects.get(objectKey('PersistentVolumeClaim', namespace, name)) as StoredPersistentVolumeClaim | undefined,
      podsOf: ({ metadata }) => objects.list('Pod').filter((pod) => controllerOf(pod.metadata)?.uid === metadata.uid),
      isReady,
    };
  }

  /** Step by step, until the set waits or has all it wants. */
  #serve(set: StoredStatefulSet, world: StatefulSetWorld): void {
    const { objects, logger } = this.#options;
    const key = keyOf(set);
    for (const claim of foreignClaims(set, world)) {
      const controller = controllerOf(claim.metadata);
      const message = `claim ${claim.metadata.name} is managed by ${controller?.kind} ${controller?.name}: the retention policy is not applied to it`;
      this.#tell(key, 'ConflictingController', message);
    }
    for (let count = 0; count < maxSteps; count++) {
      const step = nextStatefulSetStep(set, world);
      if (step.kind !== 'wait') this.#waits.delete(key);
      switch (step.kind) {
        case 'createClaim':
          this.#create(set, step.claim, `Claim ${step.claim.metadata.name} Pod ${step.podName}`);
          break;
        case 'createPod':
          this.#create(set, step.pod, `Pod ${step.pod.metadata.name}`);
          break;
        case 'write':
          objects.update(step.object);
          break;
        case 'deletePod':
          this.#delete(step.pod, `StatefulSet ${set.metadata.name} has no pod of this ordinal any more`);
          this.#record(set, 'SuccessfulDelete', `delete Pod ${step.pod.metadata.name}`);
          break;
        case 'removeSet':
          objects.remove(key, set.metadata.resourceVersion);
          logger.info('statefulset removed', { object: key });
          return;
        case 'wait':
          this.#wait(key, step.reason, step.message);
          return;
        case 'settled':
          return;
      }
    }
    logger.error('statefulset does not settle', { object: key, steps: maxSteps });
  }

  #serveEphemeral(pod: StoredPod): void {
    const { objects, logger } = this.#options;
    const { namespace } = pod.metadata;
    const claimNamed = (name: string) =>
      objects.get(objectKey('PersistentVolumeClaim', namespace, name)) as StoredPersistentVolumeClaim | undefined;
    for (const step of ephemeralClaimSteps(pod, claimNamed)) {
      if (step.kind === 'conflict') this.#tell(keyOf(pod), 'EphemeralClaimConflict', step.message);
      else {
        objects.create(born(step.claim, { ...this.#birth(), ownerReferences: [controllerReference(pod)] }));
        logger.info('claim of an ephemeral volume made', { pod: keyOf(pod), claim: step.claim.metadata.name });
      }
    }
  }

  /** A claim of a set has no owner to begin with: it outlives pods and set unless the policy says otherwise. */
  #create(set: StoredStatefulSet, declared: Pod | PersistentVolumeClaim, what: string): void {
    const { objects, logger } = this.#options;
    const birth = this.#birth();
    if (declared.kind === 'Pod')
      objects.create(born(declared, { ...birth, ownerReferences: [controllerReference(set)] }));
    else objects.create(born(declared, birth));
    logger.info('object made', { object: keyOf(declared), uid: birth.uid, for: keyOf(set) });
    this.#record(set, 'SuccessfulCreate', `create ${what}`);
  }

  #delete(object: StoredPod | StoredPersistentVolumeClaim, why: string): void {
    const { objects, clock, logger } = this.#options;
    logger.info('object deleted', { object: keyOf(object), why });
    const metadata = { ...object.metadata, deletionTimestamp: clock.timestamp() };
    objects.update({ ...object, metadata });
  }

  #birth(): { readonly uid: string; readonly now: string } {
    return { uid: this.#options.newUid(), now: this.#options.clock.timestamp() };
  }

  #record(set: StoredStatefulSet, reason: ReasonCode, what: string): void {
    const message = `${what} in StatefulSet ${set.metadata.name} successful`;
    this.#options.events.record({ reason, regarding: keyOf(set), message });
  }

  /** Told once, and again when it is another message. */
  #wait(key: string, reason: ReasonCode, message: string): void {
    if (this.#waits.get(key)?.message === message) return;
    this.#waits.set(key, { reason, message, since: this.#options.clock.timestamp() });
    if (reason === 'FailedCreate') this.#options.events.record({ reason, regarding: key, message });
  }

  #tell(key: string, reason: ReasonCode, message: string): void {
    if (this.#told.get(key) === message) return;
    this.#told.set(key, message);
    this.#options.events.record({ reason, regarding: key, message });
  }
}
