/**
 * Runs the pure steps of snapshots, contents and the claims they are of against the store until nothing changes, and the
 * effects they ask for: taking, looking at and deleting a snapshot, one at a time for each content, with backoff.
 */
import { keyOf, type ObjectKey } from '../api/meta.ts';
import type { StoredObject } from '../api/object.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredVolumeSnapshotClass } from '../api/volume-snapshot-class.ts';
import type { StoredVolumeSnapshotContent } from '../api/volume-snapshot-content.ts';
import { finalizers } from '../api/well-known.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { type ControlOperation, ControlOperations } from './control-operations.ts';
import { type ControlWait, ControlWaits } from './control-waits.ts';
import { nextSnapshotContentStep } from './snapshot-content-step.ts';
import { nextSnapshotStep } from './snapshot-step.ts';
import { type SnapshotStep, type SnapshotWorld, snapshotWorldOf } from './snapshot-world.ts';
import { nextSourceClaimStep } from './source-claim-step.ts';

/** The effects that steps ask for; each writes what came of it into the content. */
export interface SnapshotEffects {
  takesSnapshots(driver: string): boolean;
  take(
    content: StoredVolumeSnapshotContent,
    volume: StoredPersistentVolume,
    snapshotClass: StoredVolumeSnapshotClass | undefined,
  ): Promise<void>;
  adopt(content: StoredVolumeSnapshotContent): Promise<void>;
  delete(content: StoredVolumeSnapshotContent): Promise<void>;
  /** What is under way for the content is no longer wanted. */
  cancel(content: StoredVolumeSnapshotContent): void;
}

export interface SnapshotControllerOptions {
  readonly objects: ObjectStore;
  readonly effects: SnapshotEffects;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly random: () => number;
}

/** More rounds than any chain of steps has; a livelock between two rules would end here and be logged. */
const maxRounds = 64;

type EffectStep = Extract<SnapshotStep, { readonly content: StoredVolumeSnapshotContent }>;

export class SnapshotController {
  readonly #options: SnapshotControllerOptions;
  readonly #waits: ControlWaits;
  readonly #operations: ControlOperations;
  #isStopped = false;

  constructor(options: SnapshotControllerOptions) {
    this.#options = options;
    this.#waits = new ControlWaits(options.clock, options.events);
    this.#operations = new ControlOperations({ ...options, waits: this.#waits, onChange: () => this.sync() });
  }

  /** By "VolumeSnapshot/<namespace>/<name>" or "VolumeSnapshotContent/<name>". */
  get waits(): ReadonlyMap<string, ControlWait> {
    return this.#waits.all;
  }

  /** To be called whenever objects changed. */
  sync(): void {
    if (this.#isStopped) return;
    for (let round = 0; round < maxRounds; round++) if (!this.#round()) return;
    this.#options.logger.error('snapshots do not settle', { rounds: maxRounds });
  }

  /** Resolves when no effect is under way and none follows from those that ended. */
  idle(): Promise<void> {
    return this.#operations.idle();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#operations.stop();
    for (const content of this.#options.objects.list('VolumeSnapshotContent')) this.#options.effects.cancel(content);
    await this.idle();
  }

  /** One step for each object; true when one of them wrote. */
  #round(): boolean {
    const { objects, effects, clock } = this.#options;
    const world = snapshotWorldOf(objects, {
      now: clock.timestamp(),
      takesSnapshots: (driver) => effects.takesSnapshots(driver),
    });
    const steps = [
      ...world.snapshots.map((snapshot) => this.#take(snapshot, (current) => nextSnapshotStep(current, world))),
      ...objects
        .list('VolumeSnapshotContent')
        .map((content) => this.#take(content, (current) => nextSnapshotContentStep(current, world))),
      ...sourceClaims(world).map((claim) => this.#take(claim, (current) => nextSourceClaimStep(current, world))),
    ];
    return steps.includes(true);
  }

  #take<T extends StoredObject>(listed: T, next: (current: T) => SnapshotStep): boolean {
    const { objects } = this.#options;
    const key = keyOf(listed);
    // A step before in this round may have written it.
    const current = objects.get(key) as T | undefined;
    if (current === undefined) return false;
    const step = next(current);
    if (step.kind === 'write' || step.kind === 'create' || step.kind === 'remove' || step.kind === 'settled') {
      this.#waits.delete(key);
    }
    switch (step.kind) {
      case 'write':
      case 'create':
        if (step.kind === 'write') objects.update(step.object);
        else objects.create(step.object);
        if (step.event !== undefined) this.#waits.tell(key, step.event);
        return true;
      case 'remove':
        objects.remove(step.key, step.resourceVersion);
        return true;
      case 'wait':
        this.#waits.set(key, step);
        return false;
      case 'take':
      case 'adopt':
      case 'delete':
        this.#operations.start(this.#operation(key, step));
        return false;
      case 'settled':
        return false;
    }
  }

  #operation(key: ObjectKey, step: EffectStep): ControlOperation {
    const { effects } = this.#options;
    const { content } = step;
    const { uid } = content.metadata;
    const failureReason = step.kind === 'delete' ? 'SnapshotDeleteError' : 'SnapshotCreationFailed';
    switch (step.kind) {
      case 'take': {
        const { volume, snapshotClass } = step;
        // Another class is another wish: it is not tried again after the backoff of the first.
        const wish = `take ${uid} ${JSON.stringify(snapshotClass?.spec)}`;
        return { key, wish, failureReason, run: () => effects.take(content, volume, snapshotClass) };
      }
      case 'adopt':
        return { key, wish: `adopt ${uid}`, failureReason, run: () => effects.adopt(content) };
      case 'delete':
        effects.cancel(content);
        return { key, wish: `delete ${uid}`, failureReason, run: () => effects.delete(content) };
    }
  }
}

/** Of thousands of claims only those that something is made of, or was. */
function sourceClaims(world: SnapshotWorld): readonly StoredPersistentVolumeClaim[] {
  const { snapshots, claims } = world;
  const names = new Set([
    ...snapshots.map(({ metadata, spec }) => `${metadata.namespace}/${spec.source.persistentVolumeClaimName ?? ''}`),
    ...claims.flatMap(({ metadata, spec }) => {
      const source = spec.dataSourceRef ?? spec.dataSource;
      return source === undefined ? [] : [`${metadata.namespace}/${source.name}`];
    }),
  ]);
  return claims.filter(
    ({ metadata: { namespace, name, finalizers: present = [] } }) =>
      names.has(`${namespace}/${name}`) ||
      present.includes(finalizers.pvcAsSource) ||
      present.includes(finalizers.cloneProtection),
  );
}
