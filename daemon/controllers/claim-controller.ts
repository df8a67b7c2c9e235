/**
 * Runs the pure steps of claims and volumes against the store until nothing changes, and the two effects they ask for:
 * provisioning and reclaim, one at a time for each claim or volume, with backoff.
 */
import { keyOf } from '../api/meta.ts';
import type { StoredObject } from '../api/object.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import { backoffDelayMs } from '../plan/backoff.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import { asStorageError, type StorageError } from '../world/storage-error.ts';
import { nextClaimStep } from './claim-step.ts';
import { type ClaimWorld, type ControlEvent, type ControlStep, claimWorldOf } from './claim-world.ts';
import { nextVolumeStep } from './volume-step.ts';

/** The effects that steps ask for. */
export interface ProvisionEffects extends Pick<ClaimWorld, 'canProvision' | 'canExpand' | 'isInUse' | 'nodeExpansion'> {
  provision(claim: StoredPersistentVolumeClaim, storageClass: StoredStorageClass): Promise<void>;
  /** Makes the backing data longer, then the volume's capacity say so. */
  expand(claim: StoredPersistentVolumeClaim, volume: StoredPersistentVolume, storage: string): Promise<void>;
  reclaim(volume: StoredPersistentVolume): Promise<void>;
}

export interface ClaimControllerOptions {
  readonly objects: ObjectStore;
  readonly provisioning: ProvisionEffects;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly random: () => number;
}

/** Why a claim or volume waits, for `explain`. */
export interface ControlWait {
  readonly reason: ReasonCode;
  readonly message: string;
  /** What failed; missing when something else is waited for. */
  readonly error?: StorageError;
  readonly since: string;
  /** On the monotonic clock; undefined when only a change can help. */
  readonly retryAt?: number;
}

interface Failure {
  readonly failures: number;
  readonly notBefore: number;
  readonly wish: string;
}

/** More rounds than any chain of steps has; a livelock between two rules would end here and be logged. */
const maxRounds = 64;

export class ClaimController {
  readonly #options: ClaimControllerOptions;
  readonly #running = new Set<string>();
  readonly #failures = new Map<string, Failure>();
  readonly #waits = new Map<string, ControlWait>();
  readonly #inFlight = new Set<Promise<void>>();
  #cancelTimer: (() => void) | undefined;
  #isStopped = false;
  #isSyncDue = false;
  #waitsForVolumes = false;

  constructor(options: ClaimControllerOptions) {
    this.#options = options;
  }

  /** By "PersistentVolumeClaim/<namespace>/<name>" or "PersistentVolume/<name>". */
  get waits(): ReadonlyMap<string, ControlWait> {
    return this.#waits;
  }

  /** Volumes were attached, mounted, grown or taken down: one may be free for reclaim now, or as large as it shall be. */
  volumesChanged(): void {
    if (this.#waitsForVolumes) this.sync();
  }

  /** To be called whenever objects changed. */
  sync(): void {
    if (this.#isStopped) return;
    for (let round = 0; round < maxRounds; round++) if (!this.#round()) return;
    this.#options.logger.error('claims do not settle', { rounds: maxRounds });
  }

  /** Resolves when no effect is under way and none follows from those that ended. */
  async idle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimer?.();
    await this.idle();
  }

  /** One step for each object; true when one of them wrote. */
  #round(): boolean {
    const { objects, provisioning, clock } = this.#options;
    const world = claimWorldOf(objects, {
      now: clock.timestamp(),
      canProvision: (provisioner) => provisioning.canProvision(provisioner),
      canExpand: (volume) => provisioning.canExpand(volume),
      isInUse: (volume) => provisioning.isInUse(volume),
      nodeExpansion: (volume) => provisioning.nodeExpansion(volume),
    });
    let hasWritten = false;
    this.#waitsForVolumes = false;
    for (const claim of world.claims) {
      if (this.#take(claim, (current) => nextClaimStep(current, world))) hasWritten = true;
    }
    for (const volume of world.volumes) {
      if (this.#take(volume, (current) => nextVolumeStep(current, world))) hasWritten = true;
    }
    return hasWritten;
  }

  #take<T extends StoredObject>(listed: T, next: (current: T) => ControlStep): boolean {
    const key = keyOf(listed);
    // A step before in this round may have written it.
    const current = this.#options.objects.get(key) as T | undefined;
    if (current === undefined) return false;
    const step = next(current);
    if (step.kind === 'write' || step.kind === 'remove' || step.kind === 'settled') this.#waits.delete(key);
    switch (step.kind) {
      case 'write':
        this.#options.objects.update(step.object);
        if (step.event !== undefined) this.#options.events.record({ ...step.event, regarding: key });
        return true;
      case 'remove':
        this.#options.objects.remove(step.key, step.resourceVersion);
        return true;
      case 'wait':
        if (step.until === 'volumesChange') this.#waitsForVolumes = true;
        this.#wait(key, step);
        return false;
      case 'provision': {
        const { claim, storageClass } = step;
        const wish = JSON.stringify([claim.spec, storageClass.spec, claim.metadata.uid]);
        this.#start(key, wish, 'ProvisioningFailed', () => this.#options.provisioning.provision(claim, storageClass));
        return false;
      }
      case 'expand': {
        const { claim, volume, storage } = step;
        const effect = () => this.#options.provisioning.expand(claim, volume, storage);
        this.#start(key, `expand ${claim.metadata.uid} ${storage}`, 'VolumeResizeFailed', effect);
        return false;
      }
      case 'reclaim':
        this.#reclaim(key, step.volume);
        return false;
      case 'settled':
        return false;
    }
  }

  #reclaim(key: string, volume: StoredPersistentVolume): void {
    const { provisioning } = this.#options;
    if (provisioning.isInUse(volume)) {
      this.#waitsForVolumes = true;
      this.#wait(key, { reason: 'VolumeInUse', message: 'waiting until the volume is detached' });
    } else {
      this.#start(key, 'reclaim', 'VolumeFailedDelete', () => provisioning.reclaim(volume));
    }
  }

  /** Told once, and again only when it is another reason or message. */
  #wait(key: string, { reason, message, error }: ControlEvent, retryAt?: number): void {
    const { clock, events } = this.#options;
    const before = this.#waits.get(key);
    const isSame = before?.reason === reason && before.message === message;
    const since = isSame ? before.since : clock.timestamp();
    const cause = error === undefined ? {} : { error };
    this.#waits.set(key, { reason, message, since, ...cause, ...(retryAt === undefined ? {} : { retryAt }) });
    if (!isSame) events.record({ reason, regarding: key, message, ...cause });
  }

  #start(key: string, wish: string, failureReason: ReasonCode, effect: () => Promise<void>): void {
    const { clock } = this.#options;
    const failure = this.#failures.get(key);
    if (this.#running.has(key)) return;
    if (failure !== undefined && failure.wish === wish && failure.notBefore > clock.monotonic()) return;
    this.#running.add(key);
    const run = this.#run(key, wish, failureReason, effect).finally(() => {
      this.#inFlight.delete(run);
      this.#running.delete(key);
      this.#syncSoon();
    });
    this.#inFlight.add(run);
  }

  /** Effects that end together share one sync: a thousand claims wait for one write of the state. */
  #syncSoon(): void {
    if (this.#isSyncDue) return;
    this.#isSyncDue = true;
    void Promise.resolve().then(() => {
      this.#isSyncDue = false;
      this.sync();
    });
  }

  async #run(key: string, wish: string, failureReason: ReasonCode, effect: () => Promise<void>): Promise<void> {
    const { clock, random, logger } = this.#options;
    try {
      await effect();
      this.#failures.delete(key);
      this.#waits.delete(key);
    } catch (thrown) {
      const error = asStorageError(thrown, `Cannot serve "${key}"`);
      const before = this.#failures.get(key);
      const failures = (before?.wish === wish ? before.failures : 0) + 1;
      const delay = backoffDelayMs(failures, random());
      this.#failures.set(key, { failures, notBefore: clock.monotonic() + delay, wish });
      this.#wait(key, { reason: failureReason, message: error.message, error }, clock.monotonic() + delay);
      logger.warn('claim step failed', { object: key, reason: failureReason, error: error.message, retryInMs: delay });
      this.#retryAfter(delay);
    }
  }

  #retryAfter(delayMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.after(delayMs + 1, () => {
      const times = [...this.#failures.values()].map(({ notBefore }) => notBefore - this.#options.clock.monotonic());
      const next = Math.min(...times.filter((time) => time > 0));
      if (Number.isFinite(next)) this.#retryAfter(next);
      this.sync();
    });
  }
}
