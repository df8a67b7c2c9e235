import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import type { StorageError } from '../world/storage-error.ts';
import type { ControlEvent } from './claim-world.ts';

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

/** What is waited for, by object; each is told once, and again only when it is another reason or message. */
export class ControlWaits {
  readonly #clock: Clock;
  readonly #events: EventRecorder;
  readonly #waits = new Map<string, ControlWait>();

  constructor(clock: Clock, events: EventRecorder) {
    this.#clock = clock;
    this.#events = events;
  }

  get all(): ReadonlyMap<string, ControlWait> {
    return this.#waits;
  }

  set(key: string, event: ControlEvent & { readonly isToldElsewhere?: true }, retryAt?: number): void {
    const { reason, message, error } = event;
    const before = this.#waits.get(key);
    const isSame = before?.reason === reason && before.message === message;
    const since = isSame ? before.since : this.#clock.timestamp();
    const cause = error === undefined ? {} : { error };
    this.#waits.set(key, { reason, message, since, ...cause, ...(retryAt === undefined ? {} : { retryAt }) });
    if (!isSame && event.isToldElsewhere !== true) this.tell(key, event);
  }

  tell(key: string, { reason, message, type, error }: ControlEvent): void {
    const cause = error === undefined ? {} : { error };
    this.#events.record({ reason, regarding: key, message, ...cause, ...(type === undefined ? {} : { type }) });
  }

  delete(key: string): void {
    this.#waits.delete(key);
  }
}
