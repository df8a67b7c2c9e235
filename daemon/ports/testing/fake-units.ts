import type { PodLease } from '../../world/pod-lease.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { PodLeases } from '../pod-leases.ts';
import type { ServiceManager } from '../service-manager.ts';

/** Units with leases, and the systemd that stops them: a unit asked to stop ends its lease when the test says so. */
export class FakeUnits implements PodLeases, ServiceManager {
  /** Every stop that was asked for, in order. */
  readonly asked: string[] = [];
  /** Units that are down although their lease is there. */
  readonly inactive = new Set<string>();
  isSystemdThere = true;
  readonly #leases = new Map<string, PodLease>();
  readonly #listeners = new Set<() => void>();

  current(): readonly PodLease[] {
    return [...this.#leases.values()];
  }

  grant(lease: PodLease): void {
    this.#leases.set(lease.unit, lease);
    this.#changed();
  }

  revoke(unit: string): void {
    this.#leases.delete(unit);
    this.#changed();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stop(unit: string): Promise<'stopping' | 'inactive'> {
    this.asked.push(unit);
    if (this.isSystemdThere) return Promise.resolve(this.inactive.has(unit) ? 'inactive' : 'stopping');
    const facts = { code: 'Internal', progress: 'transient', operation: 'stopUnit', target: unit } as const;
    return Promise.reject(new StorageError(`Cannot stop unit "${unit}": no systemd`, facts));
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
