import type { EventRecorder } from '../ports/events.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';

/** Something that stays as it is until somebody acts. */
export interface StandingDrift {
  readonly message: string;
  /** The command that would help; '' when none is known. */
  readonly help: string;
  /** RFC 3339 */
  readonly since: string;
}

/** What other people did to one volume, since the daemon's start. */
export interface VolumeDrift {
  readonly count: number;
  readonly lastMessage: string;
  /** RFC 3339 */
  readonly lastAt: string;
  readonly standing: readonly StandingDrift[];
  /** Who still uses a mount that was taken away lazily, in words; '' when nobody is known to. */
  readonly holders: string;
}

const none: VolumeDrift = { count: 0, lastMessage: '', lastAt: '', standing: [], holders: '' };

/** Counts drift by volume and keeps what stands. Reconciler and attachment watch write it. */
export class DriftLog {
  readonly #clock: { timestamp(): string };
  readonly #volumes = new Map<UniqueVolumeName, VolumeDrift>();
  /** By volume and a key of its source; the key names the source first: "stray …", "attachment". */
  readonly #standing = new Map<UniqueVolumeName, Map<string, StandingDrift>>();

  constructor(clock: { timestamp(): string }) {
    this.#clock = clock;
  }

  get volumes(): ReadonlyMap<UniqueVolumeName, VolumeDrift> {
    return this.#volumes;
  }

  count(name: UniqueVolumeName, lastMessage: string): void {
    const before = this.#volumes.get(name) ?? none;
    this.#volumes.set(name, { ...before, count: before.count + 1, lastMessage, lastAt: this.#clock.timestamp() });
  }

  /** @returns true when it was not known before: then it is counted, and worth an event */
  stand(name: UniqueVolumeName, key: string, { message, help }: Omit<StandingDrift, 'since'>): boolean {
    const standing = this.#standing.get(name) ?? new Map<string, StandingDrift>();
    if (standing.get(key)?.message === message) return false;
    standing.set(key, { message, help, since: this.#clock.timestamp() });
    this.#standing.set(name, standing);
    this.count(name, message);
    this.#show(name);
    return true;
  }

  /** @returns true when it stood before */
  end(name: UniqueVolumeName, key: string): boolean {
    const isEnded = this.#standing.get(name)?.delete(key) ?? false;
    if (isEnded) this.#show(name);
    return isEnded;
  }

  /** Of one source, all that stands: what is not among them has ended. */
  keep(source: string, keys: ReadonlyMap<UniqueVolumeName, ReadonlySet<string>>): void {
    for (const [name, standing] of this.#standing) {
      for (const key of standing.keys()) {
        if (key.startsWith(source) && keys.get(name)?.has(key) !== true) this.end(name, key);
      }
    }
  }

  /** @returns true when it was not known before */
  markHolders(name: UniqueVolumeName, holders: string): boolean {
    const before = this.#volumes.get(name);
    if (before === undefined || before.holders === holders) return false;
    this.#volumes.set(name, { ...before, holders });
    return true;
  }

  /** Drops what is known of volumes that are no longer there. */
  retain(names: { has(name: UniqueVolumeName): boolean }): void {
    for (const name of this.#volumes.keys()) {
      if (names.has(name)) continue;
      this.#volumes.delete(name);
      this.#standing.delete(name);
    }
  }

  #show(name: UniqueVolumeName): void {
    const standing = [...(this.#standing.get(name)?.values() ?? [])];
    this.#volumes.set(name, { ...(this.#volumes.get(name) ?? none), standing });
  }
}

/** Tells of a volume's drift under the name that `describe` and `explain` look for. */
export function recordDrift(
  events: EventRecorder,
  name: UniqueVolumeName,
  { reason, message, help }: { readonly reason: ReasonCode; readonly message: string; readonly help: string },
): void {
  events.record({ reason, regarding: `Volume/${name}`, message: help === '' ? message : `${message}; ${help}` });
}
