/**
 * Runs operations: one at a time for a volume's key, each with a deadline; counts failures for the backoff; is, through
 * the operations, the only writer of the actual state of world while the daemon runs.
 */
import { backoffDelayMs } from '../plan/backoff.ts';
import {
  isHeavy,
  isInProcess,
  type Operation,
  type OperationKind,
  operationKey,
  podUidOf,
  serverOfOperation,
} from '../plan/operation.ts';
import type { PlanContext } from '../plan/pass.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Logger } from '../ports/logger.ts';
import type { NfsServers } from '../ports/nfs-servers.ts';
import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { AttachState } from '../world/mount-state.ts';
import { asStorageError, type StorageError } from '../world/storage-error.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import { failureEvent, successEvents } from './operation-events.ts';
import { execute } from './operations/executors.ts';
import type { OperationContext } from './operations/operation-context.ts';

/** How long an operation may take before its children are ended and it counts as uncertain. */
const deadlineMs: Readonly<Record<OperationKind, number>> = {
  attachVolume: 60_000,
  mountDevice: 600_000,
  expandVolume: 600_000,
  mountVolume: 120_000,
  unmountVolume: 120_000,
  unmountDevice: 120_000,
  detachVolume: 60_000,
  forgetVolume: 60_000,
};

/** About half a millisecond each, in which nothing else happens; enough to share one write of the state and one look. */
const mostInProcess = 256;

export interface RunningOperation {
  readonly operation: Operation;
  readonly startedAt: string;
  readonly attempt: number;
}

export interface FailedOperation {
  readonly operation: Operation;
  readonly failures: number;
  readonly notBefore: number;
  readonly since: string;
  readonly error: StorageError;
  /** What was asked for; when it changes, the next try does not wait. */
  readonly wish: string;
}

export interface OperationExecutorOptions {
  readonly asw: ActualStateOfWorld;
  readonly contextFor: (signal: AbortSignal) => OperationContext;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: EventRecorder;
  /** In [0, 1), for the jitter. */
  readonly random: () => number;
  /** How many operations with children may run at once. */
  readonly heavyLimit: number;
  readonly servers: Pick<NfsServers, 'stalled'>;
  /** Called after each operation has ended. */
  readonly onEnd: () => void;
}

export class OperationExecutor {
  readonly #options: OperationExecutorOptions;
  readonly #running = new Map<string, RunningOperation>();
  readonly #failed = new Map<string, FailedOperation>();
  /** Of each running operation: its deadline, its cancel and the end of the daemon all go through it. */
  readonly #controllers = new Map<string, AbortController>();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #held = new Set<UniqueVolumeName>();

  constructor(options: OperationExecutorOptions) {
    this.#options = options;
  }

  get running(): readonly RunningOperation[] {
    return [...this.#running.values()];
  }

  get failed(): ReadonlyMap<string, FailedOperation> {
    return this.#failed;
  }

  isBusy(volumeName: UniqueVolumeName, podUid: string): boolean {
    return (
      this.#held.has(volumeName) || this.#running.has(volumeName) || this.#running.has(operationKey(volumeName, podUid))
    );
  }

  /** Keeps every operation off the volume until it is disposed: a copy of it is made. undefined while one runs. */
  hold(volumeName: UniqueVolumeName): Disposable | undefined {
    const isRunning = [...this.#running.values()].some(({ operation }) => operation.volumeName === volumeName);
    if (isRunning || this.#held.has(volumeName)) return undefined;
    this.#held.add(volumeName);
    return {
      [Symbol.dispose]: () => {
        this.#held.delete(volumeName);
        this.#options.onEnd();
      },
    };
  }

  /** What the planner must know of this executor. */
  planContext(now: number, draining: boolean): PlanContext {
    const running = [...this.#running.values()];
    const { heavyLimit } = this.#options;
    const heavy = running.filter(({ operation }) => isHeavy[operation.kind]).length;
    const inProcess = running.filter(({ operation }) => isInProcess(operation, this.#options.asw)).length;
    return {
      running: new Set([...this.#running.keys(), ...this.#held]),
      busyVolumes: new Set([...running.map(({ operation }) => operation.volumeName), ...this.#held]),
      backoff: new Map(
        [...this.#failed].map(([key, { operation, notBefore }]) => [key, { kind: operation.kind, notBefore }]),
      ),
      now,
      heavySlots: Math.max(heavyLimit - heavy, 0),
      // One place is never a retry's: what hangs each time would else have them all for as long as its deadlines are.
      retrySlots: Math.max(Math.max(heavyLimit - 1, 1) - heavy, 0),
      inProcessSlots: Math.max(mostInProcess - inProcess, 0),
      runningByServer: this.#runningByServer(running),
      stalledServers: this.#options.servers.stalled,
      draining,
    };
  }

  /** Forgets failures of what is asked for differently now, or no longer (kubernetes#116886). */
  forgetFailures(currentWish: (failed: FailedOperation) => string): void {
    for (const [key, failed] of this.#failed) if (currentWish(failed) !== failed.wish) this.#failed.delete(key);
  }

  #runningByServer(running: readonly RunningOperation[]): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { operation } of running) {
      const server = serverOfOperation(operation, this.#options.asw);
      if (server !== undefined) counts.set(server, (counts.get(server) ?? 0) + 1);
    }
    return counts;
  }

  /** What failed for want of this server need not wait for the end of its backoff: it answers again. */
  retryNow(server: string): void {
    this.retryWhere(({ operation }) => serverOfOperation(operation, this.#options.asw) === server);
  }

  /** What these failed for has changed. */
  retryWhere(isMeant: (failed: FailedOperation) => boolean): void {
    const now = this.#options.clock.monotonic();
    for (const [key, failed] of this.#failed) {
      if (isMeant(failed)) this.#failed.set(key, { ...failed, notBefore: Math.min(failed.notBefore, now) });
    }
  }

  start(operation: Operation, wish: string): void {
    const key = operationKey(operation.volumeName, podUidOf(operation));
    if (this.#running.has(key)) return;
    const attempt = (this.#failed.get(key)?.failures ?? 0) + 1;
    this.#running.set(key, { operation, startedAt: this.#options.clock.timestamp(), attempt });
    const controller = new AbortController();
    this.#controllers.set(key, controller);
    const stopClock = this.#options.clock.after(deadlineMs[operation.kind], () => controller.abort());
    const run = this.#run(key, operation, wish, controller.signal).finally(() => {
      stopClock();
      this.#running.delete(key);
      this.#controllers.delete(key);
      this.#inFlight.delete(run);
      this.#options.onEnd();
    });
    this.#inFlight.add(run);
  }

  /** Ends the children of a running operation; it then fails as uncertain, and what it did is undone or found. */
  cancel(operation: Operation): void {
    const key = operationKey(operation.volumeName, podUidOf(operation));
    this.#controllers.get(key)?.abort();
  }

  /** Waits for what is running, at most `graceMs`; then ends the children of what still runs. */
  async stop(graceMs: number): Promise<void> {
    const cancel = this.#options.clock.after(graceMs, () => {
      for (const controller of this.#controllers.values()) controller.abort();
    });
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
    cancel();
  }

  async #run(key: string, operation: Operation, wish: string, signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    const fields = { operation: operation.kind, volume: operation.volumeName, pod: podUidOf(operation) || undefined };
    const start = clock.monotonic();
    logger.info(`${operation.kind} started`, { ...fields, reason: operation.reason });
    const wasAttached = this.#options.asw.get(operation.volumeName)?.attachState ?? 'NotAttached';
    try {
      await execute(operation, this.#options.contextFor(signal));
      this.#failed.delete(key);
      for (const event of successEvents(operation)) this.#options.events.record(event);
      logger.info(`${operation.kind} done`, { ...fields, durationMs: Math.round(clock.monotonic() - start) });
    } catch (thrown) {
      const error = asStorageError(thrown, `Cannot ${operation.kind} "${operation.volumeName}"`);
      this.#settleState(operation, error, wasAttached);
      const failed = this.#countFailure(key, operation, error, wish);
      logger.warn(`${operation.kind} failed`, {
        ...fields,
        durationMs: Math.round(clock.monotonic() - start),
        error: error.message,
        code: error.code,
        progress: error.progress,
        failures: failed.failures,
        retryInMs: Math.round(failed.notBefore - clock.monotonic()),
      });
      this.#options.events.record(failureEvent(operation, error));
    }
  }

  /**
   * A final error means that nothing happened; after any other the state stays uncertain. mountDevice settles its own.
   * @param wasAttached before this try: of what an earlier one may have done its error says nothing
   */
  #settleState(operation: Operation, error: StorageError, wasAttached: AttachState): void {
    const { asw } = this.#options;
    const actual = asw.get(operation.volumeName);
    if (actual === undefined || error.progress !== 'final') return;
    if (operation.kind === 'attachVolume' && wasAttached === 'NotAttached') {
      asw.markVolumeAsDetached(operation.volumeName);
    }
    if (operation.kind === 'mountVolume') {
      asw.markVolumeMountAs(operation.volumeName, operation.pod.pod.uid, 'VolumeNotMounted');
    }
  }

  #countFailure(key: string, operation: Operation, error: StorageError, wish: string): FailedOperation {
    const { clock, random } = this.#options;
    const before = this.#failed.get(key);
    const isSame = before?.operation.kind === operation.kind;
    const failures = (isSame ? before.failures : 0) + 1;
    const failed: FailedOperation = {
      operation,
      failures,
      notBefore: clock.monotonic() + backoffDelayMs(failures, random()),
      since: isSame ? before.since : clock.timestamp(),
      error,
      wish,
    };
    this.#failed.set(key, failed);
    return failed;
  }
}
