/** One pass of the planner: admits what is neither running nor in backoff, in a bounded number; notes what is held. */
import type { ActualStateOfWorld, ActualVolume } from '../world/actual-state-of-world.ts';
import type { LeaseRelease, PodLease } from '../world/pod-lease.ts';
import type { PodVolumeRecord } from '../world/volume-record.ts';
import { isHeavy, isInProcess, type Operation, operationKey, podUidOf, serverOfOperation } from './operation.ts';

/** What the planner knows of operations under way and of failures before. */
export interface PlanContext {
  /** Keys (operationKey) of running operations. */
  readonly running: ReadonlySet<string>;
  /** Names of volumes with any running operation, on the volume or on one of its pods. */
  readonly busyVolumes: ReadonlySet<string>;
  /** Milliseconds on the monotonic clock before which a key is not tried again, with the kind that failed. */
  readonly backoff: ReadonlyMap<string, { readonly kind: string; readonly notBefore: number }>;
  readonly now: number;
  /** Free places for operations that run children. */
  readonly heavySlots: number;
  /** How many of these may go to operations that have failed before. */
  readonly retrySlots: number;
  /** Free places for operations that are all system calls. */
  readonly inProcessSlots: number;
  /** Running operations by the server that they talk to. */
  readonly runningByServer: ReadonlyMap<string, number>;
  /** Servers that do not answer. */
  readonly stalledServers: { has(server: string): boolean };
  /** While draining nothing is mounted. */
  readonly draining: boolean;
  /** What units were promised: it is not unmounted before they have stopped. */
  readonly leases?: readonly PodLease[];
}

/** Something that is not done now, and why: shown by `explain`, never acted on. */
export interface Hold {
  readonly volumeName: string;
  readonly podUid: string;
  readonly reason: string;
}

export interface Plan {
  readonly operations: readonly Operation[];
  readonly holds: readonly Hold[];
  /** Leases that stand in the way of an unmount. */
  readonly releases: readonly LeaseRelease[];
  /** The next moment at which a pass would give more (end of a backoff); undefined when only events can. */
  readonly wakeAt?: number;
}

/**
 * Operations at once with one server, whose children would else wait by the hundred. With one that does not answer a
 * single one: it is the attempt by which the server's return is noticed, and the others cost nothing meanwhile.
 */
const operationsPerServer = 4;
const operationsPerStalledServer = 1;

export class Pass {
  readonly context: PlanContext;
  readonly #asw: ActualStateOfWorld;
  readonly #operations: Operation[] = [];
  readonly #holds: Hold[] = [];
  readonly #releases: LeaseRelease[] = [];
  readonly #claimedVolumes = new Set<string>();
  readonly #claimedKeys = new Set<string>();
  /** Operations with children that have failed before, and since when they may be tried again. */
  readonly #retries: { readonly operation: Operation; readonly notBefore: number }[] = [];
  readonly #byServer: Map<string, number>;
  readonly #leasesByPod: ReadonlyMap<string, readonly PodLease[]>;
  #heavySlots: number;
  #inProcessSlots: number;
  #wakeAt: number | undefined;

  constructor(context: PlanContext, asw: ActualStateOfWorld) {
    this.context = context;
    this.#asw = asw;
    this.#byServer = new Map(context.runningByServer);
    this.#leasesByPod = Map.groupBy(context.leases ?? [], ({ pod }) => pod.uid);
    this.#heavySlots = context.heavySlots;
    this.#inProcessSlots = context.inProcessSlots;
  }

  hold(volumeName: string, podUid: string, reason: string): void {
    this.#holds.push({ volumeName, podUid, reason });
  }

  /** Unmounts a pod's volume, or, while units rely on it, asks for their end first. */
  unmount(volumeName: ActualVolume['record']['name'], { pod, targetPath }: PodVolumeRecord, reason: string): void {
    const ofPod = this.#leasesByPod.get(pod.uid) ?? [];
    const leases = ofPod.filter((lease) => lease.targetPaths.includes(targetPath));
    if (leases.length === 0) this.add({ kind: 'unmountVolume', volumeName, podUid: pod.uid, reason });
    for (const { unit } of leases) {
      this.#releases.push({ unit, pod, reason });
      this.hold(volumeName, pod.uid, `to be unmounted (${reason}) when unit "${unit}" has stopped`);
    }
  }

  add(operation: Operation): void {
    const podUid = podUidOf(operation);
    const key = operationKey(operation.volumeName, podUid);
    if (this.#isTaken(operation, podUid, key) || this.#isInBackoff(operation, key)) return;
    if (!this.#isAdmittedByServer(operation)) return;
    if (isHeavy[operation.kind]) {
      const failed = this.context.backoff.get(key);
      if (failed?.kind === operation.kind) this.#retries.push({ operation, notBefore: failed.notBefore });
      if (failed?.kind === operation.kind || this.#heavySlots === 0) return;
      this.#heavySlots--;
    }
    if (isInProcess(operation, this.#asw)) {
      if (this.#inProcessSlots === 0) return;
      this.#inProcessSlots--;
    }
    this.#admit(operation, key);
  }

  #admit(operation: Operation, key: string): void {
    this.#operations.push(operation);
    this.#claimedKeys.add(key);
    this.#claimedVolumes.add(operation.volumeName);
  }

  /** After all that is new, so that nobody waits for what fails again and again; of these the one that waits longest. */
  #admitRetries(): void {
    let places = Math.min(this.#heavySlots, this.context.retrySlots);
    for (const { operation } of this.#retries.toSorted((a, b) => a.notBefore - b.notBefore)) {
      if (places === 0) return;
      if (this.#isVolumeTaken(operation.volumeName)) continue;
      this.#admit(operation, operation.volumeName);
      places--;
    }
  }

  /** A volume's key excludes its pods' keys and the other way round. */
  #isTaken(operation: Operation, podUid: string, key: string): boolean {
    const { running } = this.context;
    if (podUid === '') return this.#isVolumeTaken(operation.volumeName);
    return (
      running.has(operation.volumeName) ||
      running.has(key) ||
      this.#claimedKeys.has(operation.volumeName) ||
      this.#claimedKeys.has(key)
    );
  }

  #isVolumeTaken(volumeName: string): boolean {
    return this.context.busyVolumes.has(volumeName) || this.#claimedVolumes.has(volumeName);
  }

  /** Another kind than the one that failed starts fresh (kubelet: a different operation resets the backoff). */
  #isInBackoff(operation: Operation, key: string): boolean {
    const entry = this.context.backoff.get(key);
    if (entry === undefined || entry.kind !== operation.kind || entry.notBefore <= this.context.now) return false;
    this.#wakeAt = Math.min(this.#wakeAt ?? entry.notBefore, entry.notBefore);
    return true;
  }

  #isAdmittedByServer(operation: Operation): boolean {
    const server = serverOfOperation(operation, this.#asw);
    if (server === undefined) return true;
    const isStalled = this.context.stalledServers.has(server);
    const count = this.#byServer.get(server) ?? 0;
    if (count >= (isStalled ? operationsPerStalledServer : operationsPerServer)) return false;
    this.#byServer.set(server, count + 1);
    return true;
  }

  result(): Plan {
    this.#admitRetries();
    const base = { operations: this.#operations, holds: this.#holds, releases: this.#releases };
    return this.#wakeAt === undefined ? base : { ...base, wakeAt: this.#wakeAt };
  }
}
