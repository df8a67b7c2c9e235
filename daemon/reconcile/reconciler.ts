/**
 * The loop: observe, plan, start operations. Events only wake it (objects changed, the mount table changed, an operation
 * ended, a backoff ended); every pass starts from the two worlds. Nothing here waits for an operation.
 */
import { operationsToCancel } from '../plan/cancel.ts';
import { lostLeases } from '../plan/lost-leases.ts';
import type { Operation } from '../plan/operation.ts';
import type { Hold } from '../plan/pass.ts';
import { plan } from '../plan/plan.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Logger } from '../ports/logger.ts';
import type { MountTableSource } from '../ports/mount-table-source.ts';
import type { PodLeases } from '../ports/pod-leases.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { ServiceManager } from '../ports/service-manager.ts';
import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import { type DesiredStateOfWorld, emptyDesiredStateOfWorld } from '../world/desired-state-of-world.ts';
import { findDrift, isHeldByForeign } from '../world/drift.ts';
import { findStrayMounts } from '../world/stray-mounts.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import type { DriftLog } from './drift-log.ts';
import { applyDrift } from './drift-repair.ts';
import { LeaseReleases } from './lease-releases.ts';
import type { OperationExecutor } from './operation-executor.ts';
import { reportStrays } from './stray-report.ts';
import { reportUnresolved } from './unresolved-volumes.ts';

export interface ReconcilerOptions {
  readonly asw: ActualStateOfWorld;
  readonly executor: OperationExecutor;
  readonly mountTable: MountTableSource;
  readonly leases: PodLeases;
  readonly services: ServiceManager;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventRecorder;
  readonly driftLog: DriftLog;
  /** Called when a mount of this superblock was taken away by somebody. */
  readonly onMountLost: (name: UniqueVolumeName, deviceNumber: string) => void;
  readonly secrets: Pick<Secrets, 'revisionOf'>;
  /** The desired state of world from the objects as they are now. */
  readonly populate: () => DesiredStateOfWorld;
  /** Called at the end of each pass, with what is held back. */
  readonly onPass: () => void;
  /** Calls back in the next turn of the event loop (setImmediate). */
  readonly soon: (callback: () => void) => void;
}

export class Reconciler {
  readonly #options: ReconcilerOptions;
  readonly #releases: LeaseReleases;
  #dsw: DesiredStateOfWorld = emptyDesiredStateOfWorld;
  #holds: readonly Hold[] = [];
  #isDirty = true;
  #isTableDirty = true;
  #isScheduled = false;
  #isStopped = false;
  #isDraining = false;
  #cancelTimer: (() => void) | undefined;
  #unsubscribes: readonly (() => void)[] = [];

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    this.#releases = new LeaseReleases({ ...options, wake: () => this.wake() });
  }

  get dsw(): DesiredStateOfWorld {
    return this.#dsw;
  }

  get holds(): readonly Hold[] {
    return this.#holds;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  start(): void {
    const { mountTable, leases } = this.#options;
    const tableChanged = () => {
      this.#isTableDirty = true;
      this.wake();
    };
    this.#unsubscribes = [mountTable.onChange(tableChanged), leases.onChange(() => this.wake())];
    this.wake();
  }

  /** No pass begins after this; running operations are the executor's to end. */
  stop(): void {
    this.#isStopped = true;
    for (const unsubscribe of this.#unsubscribes) unsubscribe();
    this.#releases.stop();
    this.#cancelTimer?.();
  }

  /** The objects changed: the desired state of world is made anew at the next pass. */
  objectsChanged(): void {
    this.#isDirty = true;
    this.wake();
  }

  /** From now on everything is unmounted and nothing mounted, until the daemon is started again. */
  drain(): void {
    this.#isDraining = true;
    this.#options.executor.forgetFailures(() => 'draining');
    this.wake();
  }

  /** One pass soon; any number of wakes before it are one. */
  wake(): void {
    if (this.#isScheduled || this.#isStopped) return;
    this.#isScheduled = true;
    this.#options.soon(() => {
      this.#isScheduled = false;
      if (!this.#isStopped) this.#pass();
    });
  }

  #pass(): void {
    const { asw, executor, clock, events, populate, onPass } = this.#options;
    if (this.#isDirty) {
      this.#isDirty = false;
      const before = this.#dsw;
      this.#dsw = populate();
      reportUnresolved(before, this.#dsw, events);
      executor.forgetFailures((failed) => this.#wishOf(failed.operation));
      const running = executor.running.map(({ operation }) => operation);
      for (const operation of operationsToCancel(this.#dsw, running)) executor.cancel(operation);
    }
    if (this.#isTableDirty) this.#observe();
    const now = clock.monotonic();
    const leases = this.#options.leases.current();
    const context = { ...executor.planContext(now, this.#isDraining), leases };
    const { operations, holds, releases, wakeAt } = plan(this.#dsw, asw, context);
    this.#holds = holds;
    for (const operation of operations) executor.start(operation, this.#wishOf(operation));
    const lost = lostLeases(this.#dsw, asw, leases, (key) => executor.failed.get(key)?.failures ?? 0);
    this.#releases.request([...releases, ...lost]);
    this.#cancelTimer?.();
    this.#cancelTimer = wakeAt === undefined ? undefined : clock.after(Math.max(wakeAt - now, 1), () => this.wake());
    onPass();
  }

  /**
   * Drift of what no operation is working on; the rest is looked at again when its operation has ended, and so is the table
   * as a whole: what an operation marks, it read before the change that this pass was woken for.
   */
  #observe(): void {
    const { asw, executor, mountTable, events, logger, driftLog: log, onMountLost } = this.#options;
    const table = mountTable.current();
    const drifts = findDrift(asw, table);
    const settled = drifts.filter(({ volumeName, podUid }) => !executor.isBusy(volumeName, podUid));
    this.#isTableDirty = settled.length < drifts.length || executor.running.length > 0;
    for (const drift of settled) applyDrift(drift, { asw, events, logger, log });
    for (const { volumeName, observed, finding } of settled) {
      if (finding.kind === 'absent' && observed !== undefined) onMountLost(volumeName, observed.device);
    }
    reportStrays(findStrayMounts(asw, table), { log, events });
    log.retain(asw.volumes);
    // Their mount has gone: what it stood in the way of need not wait for the end of its backoff.
    executor.retryWhere(
      ({ operation: { volumeName }, error: { code, facts } }) =>
        code === 'ForeignMount' &&
        facts.target !== undefined &&
        !isHeldByForeign(asw.get(volumeName), facts.target, table),
    );
  }

  /** What is asked for under an operation's key, as text: a failure counts only against the same wish. */
  #wishOf(operation: Operation): string {
    const volume = this.#dsw.volumes.get(operation.volumeName);
    if (volume === undefined) return 'not wanted';
    const podUid = 'pod' in operation ? operation.pod.pod.uid : undefined;
    const mount = podUid === undefined ? undefined : volume.pods.get(podUid)?.mount;
    const { attachment } = volume.recipe;
    const secret = attachment?.kind === 'iscsi' ? attachment.secret : undefined;
    const size = volume.size?.desiredBytes.toString();
    return JSON.stringify([volume.recipe, mount, size, secret && this.#options.secrets.revisionOf(secret)]);
  }
}
