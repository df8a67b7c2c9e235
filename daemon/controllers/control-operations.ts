/** The effects that steps ask for: one at a time for each object, a failed one again after a backoff. */
import type { ObjectKey } from '../api/meta.ts';
import { backoffDelayMs } from '../plan/backoff.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import { asStorageError, type StorageError } from '../world/storage-error.ts';
import type { ControlEvent } from './claim-world.ts';
import type { ControlWaits } from './control-waits.ts';

export interface ControlOperation {
  readonly key: ObjectKey;
  /** What is asked for: when it changes, failures of before do not count. */
  readonly wish: string;
  readonly failureReason: ReasonCode;
  run(): Promise<void>;
}

interface ControlOperationsOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly waits: ControlWaits;
  /** An operation ended, or may be tried again: its object is to be looked at. */
  readonly onChange: (keys: readonly ObjectKey[]) => void;
}

interface Failure {
  readonly failures: number;
  readonly notBefore: number;
  readonly wish: string;
  readonly event: ControlEvent;
}

/** How long what found no room waits at most: nothing tells of space that was freed. */
const spaceMs = 30_000;

function delayOf({ code }: StorageError, failures: number, random: number): number {
  const delay = backoffDelayMs(failures, random);
  return code === 'ResourceExhausted' ? Math.min(delay, spaceMs) : delay;
}

export class ControlOperations {
  readonly #options: ControlOperationsOptions;
  readonly #running = new Set<ObjectKey>();
  readonly #failures = new Map<ObjectKey, Failure>();
  readonly #inFlight = new Set<Promise<void>>();
  #cancelTimer: (() => void) | undefined;

  constructor(options: ControlOperationsOptions) {
    this.#options = options;
  }

  failureOf(key: ObjectKey): ControlEvent | undefined {
    return this.#failures.get(key)?.event;
  }

  forget(key: ObjectKey): void {
    this.#failures.delete(key);
  }

  start(operation: ControlOperation): void {
    const { key, wish } = operation;
    const failure = this.#failures.get(key);
    if (this.#running.has(key)) return;
    if (failure !== undefined && failure.wish === wish && failure.notBefore > this.#options.clock.monotonic()) return;
    this.#running.add(key);
    const run = this.#run(operation).finally(() => {
      this.#inFlight.delete(run);
      this.#running.delete(key);
      this.#options.onChange([key]);
    });
    this.#inFlight.add(run);
  }

  /** Resolves when none is under way and none follows from those that ended. */
  async idle(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled(this.#inFlight);
  }

  stop(): void {
    this.#cancelTimer?.();
  }

  async #run(operation: ControlOperation): Promise<void> {
    const { clock, random, logger, waits } = this.#options;
    const { key, wish, failureReason } = operation;
    try {
      await operation.run();
      this.#failures.delete(key);
      waits.delete(key);
    } catch (thrown) {
      const error = asStorageError(thrown, `Cannot serve "${key}"`);
      const before = this.#failures.get(key);
      const failures = (before?.wish === wish ? before.failures : 0) + 1;
      const delay = delayOf(error, failures, random());
      const notBefore = clock.monotonic() + delay;
      const event = { reason: failureReason, message: error.message, error };
      this.#failures.set(key, { failures, notBefore, wish, event });
      waits.set(key, event, notBefore);
      logger.warn('claim step failed', { object: key, reason: failureReason, error: error.message, retryInMs: delay });
      this.#retryAfter(delay);
    }
  }

  /** One timer, for the first that may be tried again. */
  #retryAfter(delayMs: number): void {
    const { clock, onChange } = this.#options;
    this.#cancelTimer?.();
    this.#cancelTimer = clock.after(delayMs + 1, () => {
      const now = clock.monotonic();
      const left = [...this.#failures].filter(([, { notBefore }]) => notBefore > now);
      const next = Math.min(...left.map(([, { notBefore }]) => notBefore - now));
      if (Number.isFinite(next)) this.#retryAfter(next);
      onChange([...this.#failures].flatMap(([key, { notBefore }]) => (notBefore <= now ? key : [])));
    });
  }
}
