/**
 * Runs the pure steps of claims and volumes against the store until nothing changes, and the effects that they ask for.
 *
 * Two logical queues, as upstream's claimQueue and volumeQueue: what changed, and what that may concern, is looked at
 * (claim-cache.ts), volumes before claims. Level-triggered all the same: a step starts from the store as it is, and now
 * and then all of it is compared with what was seen, and looked at again.
 */
import type { ObjectKey } from '../api/meta.ts';
import type { StoredObject } from '../api/object.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import type { Nodes } from '../plan/this-node.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { ClaimCache } from './claim-cache.ts';
import { nextClaimStep } from './claim-step.ts';
import { type ClaimSurroundings, type ClaimWorld, type ControlStep, claimWorldOf, settled } from './claim-world.ts';
import { type ControlOperation, ControlOperations } from './control-operations.ts';
import { type ControlWait, ControlWaits } from './control-waits.ts';
import { nextSchedulingStep } from './scheduling-step.ts';
import { nextVolumeStep } from './volume-step.ts';

/** The effects that steps ask for. */
export interface ProvisionEffects
  extends Omit<ClaimSurroundings, 'now' | 'failureOf' | 'nodes' | 'isHere' | 'ignoresFinishedPods'> {
  provision(claim: StoredPersistentVolumeClaim, storageClass: StoredStorageClass): Promise<void>;
  /** Makes the backing data longer, then the volume's capacity say so. */
  expand(claim: StoredPersistentVolumeClaim, volume: StoredPersistentVolume, storage: string): Promise<void>;
  /**
   * Puts the backing data away, then the object.
   * @param isWanted asked once more before anything is touched: a claim may have come back, or a mount
   */
  delete(volume: StoredPersistentVolume, isWanted: () => boolean): Promise<void>;
  /** Removes what is in the volume, then its claimRef. */
  recycle(volume: StoredPersistentVolume, isWanted: () => boolean): Promise<void>;
}

export interface ClaimControllerOptions {
  readonly objects: ObjectStore;
  readonly provisioning: ProvisionEffects;
  readonly nodes: () => Nodes;
  /** Whether something of the pod is on this machine already. */
  readonly isHere: (podUid: string) => boolean;
  readonly ignoresFinishedPods?: boolean;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly random: () => number;
}

/** More than any chain of steps has; a livelock between two rules would end here and be logged. */
const maxRounds = 64;

/** resyncPeriod of upstream's controller. */
const resyncMs = 15_000;

/** How soon a pod for which there was no room is looked at again: nothing tells of space that was freed. */
const spaceMs = 30_000;

export class ClaimController {
  readonly #options: ClaimControllerOptions;
  readonly #cache = new ClaimCache();
  readonly #waits: ControlWaits;
  readonly #operations: ControlOperations;
  readonly #world: ClaimWorld;
  readonly #changes: () => readonly ObjectKey[];
  readonly #waitingForVolumes = new Set<ObjectKey>();
  #lastResync = Number.NEGATIVE_INFINITY;
  readonly #waitingForSpace = new Set<ObjectKey>();
  #cancelLook: (() => void) | undefined;
  #isStopped = false;
  #isSyncDue = false;

  constructor(options: ClaimControllerOptions) {
    const { clock, events, objects, provisioning } = options;
    this.#options = options;
    this.#changes = objects.changes();
    this.#waits = new ControlWaits(clock, events);
    this.#operations = new ControlOperations({
      ...options,
      waits: this.#waits,
      onChange: (keys) => this.#lookSoonAt(keys),
    });
    this.#world = claimWorldOf(objects, this.#cache, {
      get now() {
        return clock.timestamp();
      },
      get nodes() {
        return options.nodes();
      },
      isHere: options.isHere,
      ignoresFinishedPods: options.ignoresFinishedPods === true,
      freeBytes: (storageClass) => provisioning.freeBytes(storageClass),
      canProvision: (provisioner) => provisioning.canProvision(provisioner),
      canExpand: (volume) => provisioning.canExpand(volume),
      canRecycle: (volume) => provisioning.canRecycle(volume),
      isInUse: (volume) => provisioning.isInUse(volume),
      nodeExpansion: (volume) => provisioning.nodeExpansion(volume),
      failureOf: (key) => this.#operations.failureOf(key),
    });
  }

  /** By "PersistentVolumeClaim/<namespace>/<name>" or "PersistentVolume/<name>". */
  get waits(): ReadonlyMap<string, ControlWait> {
    return this.#waits.all;
  }

  /** Volumes were attached, mounted, grown or taken down: one may be free for reclaim now, or as large as it shall be. */
  volumesChanged(): void {
    if (this.#waitingForVolumes.size === 0) return;
    for (const key of this.#waitingForVolumes) this.#cache.affect(key);
    this.sync();
  }

  /** To be called whenever objects changed. */
  sync(): void {
    if (this.#isStopped) return;
    const { objects, clock } = this.#options;
    const now = clock.monotonic();
    for (const key of this.#changes()) this.#cache.take(key, objects.get(key));
    if (now - this.#lastResync >= resyncMs) {
      this.#lastResync = now;
      this.#cache.refresh(objects);
      this.#cache.affectAll();
    }
    for (let round = 0; round < maxRounds; round++) if (!this.#round()) return;
    this.#options.logger.error('claims do not settle', { rounds: maxRounds });
  }

  /** Resolves when no effect is under way and none follows from those that ended. */
  idle(): Promise<void> {
    return this.#operations.idle();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#operations.stop();
    this.#cancelLook?.();
    await this.idle();
  }

  /** Operations that end together share one sync: a thousand claims wait for one write of the state. */
  #lookSoonAt(keys: readonly ObjectKey[]): void {
    for (const key of keys) this.#cache.affect(key);
    if (this.#isSyncDue) return;
    this.#isSyncDue = true;
    void Promise.resolve().then(() => {
      this.#isSyncDue = false;
      this.sync();
    });
  }

  #lookAgainAt(key: ObjectKey): void {
    this.#waitingForSpace.add(key);
    this.#cancelLook ??= this.#options.clock.after(spaceMs, () => {
      this.#cancelLook = undefined;
      for (const waiting of this.#waitingForSpace) this.#cache.affect(waiting);
      this.#waitingForSpace.clear();
      this.sync();
    });
  }

  /** A look at each that is concerned; false when there is none. */
  #round(): boolean {
    const affected = this.#cache.takeAffected();
    for (const prefix of queues) for (const key of affected) if (key.startsWith(prefix)) this.#syncOne(key);
    return affected.length > 0;
  }

  /** Takes the steps of one claim or volume until it rests; what it writes concerns others, which come after it. */
  #syncOne(key: ObjectKey): void {
    for (let count = 0; count < maxRounds; count++) if (!this.#step(key)) return;
    this.#options.logger.error('claims do not settle', { object: key, steps: maxRounds });
  }

  /** True when it wrote. */
  #step(key: ObjectKey): boolean {
    const { objects } = this.#options;
    const current = objects.get(key);
    this.#waitingForVolumes.delete(key);
    if (current === undefined) {
      this.#waits.delete(key);
      this.#operations.forget(key);
      return false;
    }
    const step = this.#next(current);
    if (step.kind === 'settled') this.#operations.forget(key);
    // What is written because an effect failed (phase Failed) ends no waiting.
    if (isMoving(step) && this.#operations.failureOf(key) === undefined) this.#waits.delete(key);
    switch (step.kind) {
      case 'write':
        this.#cache.write(objects, step.object);
        if (step.event !== undefined) this.#waits.tell(key, step.event);
        return true;
      case 'writeTogether':
        for (const object of step.objects) this.#cache.write(objects, object);
        return true;
      case 'remove':
        objects.remove(step.key, step.resourceVersion);
        this.#cache.take(step.key, undefined);
        return true;
      case 'wait':
        if (step.until === 'volumesChange') this.#waitingForVolumes.add(key);
        if (step.until === 'spaceIsFreed') this.#lookAgainAt(key);
        this.#waits.set(key, step);
        return false;
      case 'settled':
        return false;
      default:
        this.#operations.start(this.#operationOf(key, step));
        return false;
    }
  }

  #next(object: StoredObject): ControlStep {
    if (object.kind === 'PersistentVolumeClaim') return nextClaimStep(object, this.#world);
    if (object.kind === 'Pod') return nextSchedulingStep(object, this.#world);
    return object.kind === 'PersistentVolume' ? nextVolumeStep(object, this.#world) : settled;
  }

  #operationOf(key: ObjectKey, step: EffectStep): ControlOperation {
    const { provisioning } = this.#options;
    switch (step.kind) {
      case 'provision': {
        const { claim, storageClass } = step;
        const wish = JSON.stringify([claim.spec, storageClass.spec, claim.metadata.uid]);
        const run = () => provisioning.provision(claim, storageClass);
        return { key, wish, failureReason: 'ProvisioningFailed', run };
      }
      case 'expand': {
        const { claim, volume, storage } = step;
        const run = () => provisioning.expand(claim, volume, storage);
        return { key, wish: `expand ${claim.metadata.uid} ${storage}`, failureReason: 'VolumeResizeFailed', run };
      }
      case 'delete': {
        const run = () => provisioning.delete(step.volume, () => this.#isStill('delete', key));
        return { key, wish: 'delete', failureReason: 'VolumeFailedDelete', run };
      }
      case 'recycle': {
        const run = () => provisioning.recycle(step.volume, () => this.#isStill('recycle', key));
        return { key, wish: 'recycle', failureReason: 'VolumeFailedRecycle', run };
      }
    }
  }

  #isStill(kind: EffectStep['kind'], key: ObjectKey): boolean {
    const current = this.#options.objects.get(key);
    return current !== undefined && this.#next(current).kind === kind;
  }
}

/** Pods before claims: a claim that waits for a pod has its node then, and need not say that it waits. */
const queues = ['PersistentVolume/', 'Pod/', 'PersistentVolumeClaim/'] as const;

type EffectStep = Extract<ControlStep, { kind: 'provision' | 'expand' | 'delete' | 'recycle' }>;

function isMoving({ kind }: ControlStep): boolean {
  return kind === 'write' || kind === 'writeTogether' || kind === 'remove' || kind === 'settled';
}
