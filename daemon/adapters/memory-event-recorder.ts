import type { Clock } from '../ports/clock.ts';
import type { EventRecorder, MooredEvent, RecordedEvent } from '../ports/events.ts';
import { adviceFor } from '../world/reasons/advice.ts';
import { reasons } from '../world/reasons/reason-table.ts';

/** The last events, equal ones counted. Bounded: an endless failure cannot fill the memory. */
export class MemoryEventRecorder implements EventRecorder {
  readonly #clock: Pick<Clock, 'timestamp'>;
  readonly #limit: number;
  readonly #events = new Map<string, RecordedEvent>();

  constructor(clock: Pick<Clock, 'timestamp'>, limit = 1_000) {
    this.#clock = clock;
    this.#limit = limit;
  }

  record(event: MooredEvent): void {
    const key = `${event.regarding}\n${event.reason}\n${event.message}`;
    const known = this.#events.get(key);
    const lastTimestamp = this.#clock.timestamp();
    const { count, firstTimestamp } = known ?? { count: 0, firstTimestamp: lastTimestamp };
    // Put at the end again: the oldest by last sight is the first to go.
    this.#events.delete(key);
    this.#events.set(key, { ...said(event), count: count + 1, firstTimestamp, lastTimestamp });
    const oldest = this.#events.keys().next().value;
    if (this.#events.size > this.#limit && oldest !== undefined) this.#events.delete(oldest);
  }

  list(): readonly RecordedEvent[] {
    return [...this.#events.values()];
  }
}

/** What the table of reasons says, beside what happened. */
function said({ error, ...event }: MooredEvent): Omit<RecordedEvent, 'count' | 'firstTimestamp' | 'lastTimestamp'> {
  const type = event.type ?? reasons[event.reason].type;
  const help = adviceFor(event.reason, error);
  return { ...event, type, ...(help === '' ? {} : { help }) };
}
