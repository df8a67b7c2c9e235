import type { PodLease } from '../world/pod-lease.ts';

/** The leases of this machine. They outlive the daemon, and end with the unit that has them, whether it runs or not. */
export interface PodLeases {
  /** As of now; what ended a moment ago is not among them. */
  current(): readonly PodLease[];
  /** Gives a lease, or changes the one that the unit has. */
  grant(lease: PodLease): void;
  /** Ends a lease whose unit is known to be down. */
  revoke(unit: string): void;
  /** Called soon after leases changed. Returns the unsubscribe. */
  onChange(listener: () => void): () => void;
}
