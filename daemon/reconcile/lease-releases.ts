import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Logger } from '../ports/logger.ts';
import type { PodLeases } from '../ports/pod-leases.ts';
import type { ServiceManager } from '../ports/service-manager.ts';
import type { LeaseRelease } from '../world/pod-lease.ts';

export interface LeaseReleasesOptions {
  readonly leases: PodLeases;
  readonly services: ServiceManager;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
  /** One pass soon. */
  readonly wake: () => void;
}

/**
 * How soon a unit that still has its lease is asked again, in ms: a stop job may have been cancelled, or refused. How long
 * a stop takes is systemd's to bound (TimeoutStopSec= of each unit, SIGKILL after it), not ours.
 */
const askAgainMs = 30_000;

/** Has systemd stop the units whose leases stand in the way; the pass after the last of a pod's leases unmounts. */
export class LeaseReleases {
  readonly #options: LeaseReleasesOptions;
  /** By unit: when it may be asked again, and what ends the wait for that. */
  readonly #asked = new Map<string, { readonly notBefore: number; readonly cancel: () => void }>();
  readonly #stopped = new AbortController();

  constructor(options: LeaseReleasesOptions) {
    this.#options = options;
  }

  /** @param releases all that are wanted now: a unit that is not among them is not asked again */
  request(releases: readonly LeaseRelease[]): void {
    const { clock, wake } = this.#options;
    const byUnit = new Map(releases.map((release) => [release.unit, release]));
    for (const unit of [...this.#asked.keys()]) if (!byUnit.has(unit)) this.#forget(unit);
    const now = clock.monotonic();
    for (const release of byUnit.values()) {
      if ((this.#asked.get(release.unit)?.notBefore ?? now) > now) continue;
      this.#asked.set(release.unit, { notBefore: now + askAgainMs, cancel: clock.after(askAgainMs, wake) });
      void this.#ask(release);
    }
  }

  stop(): void {
    this.#stopped.abort();
    for (const unit of [...this.#asked.keys()]) this.#forget(unit);
  }

  #forget(unit: string): void {
    this.#asked.get(unit)?.cancel();
    this.#asked.delete(unit);
  }

  async #ask({ unit, pod, reason }: LeaseRelease): Promise<void> {
    const { services, leases, events, logger } = this.#options;
    const regarding = `Pod/${pod.namespace}/${pod.name}`;
    logger.info('unit is asked to stop', { unit, reason });
    events.record({
      reason: 'StoppingUnit',
      regarding,
      message: `Unit "${unit}" is stopped: ${reason}`,
    });
    try {
      // A unit that is down without having ended its lease would hold the volumes for ever.
      if ((await services.stop(unit, this.#stopped.signal)) === 'inactive') leases.revoke(unit);
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      logger.warn('unit cannot be stopped', { unit, error: message });
      events.record({ reason: 'FailedStopUnit', regarding, message });
    }
  }
}
