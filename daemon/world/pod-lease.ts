import type { PodReference } from './volume-record.ts';

/**
 * A unit's promise to others that a pod's volumes are there, and moored's that they stay until the unit has stopped:
 * `moored-pod@.service`. What is in `targetPaths` is not unmounted while the lease lasts.
 */
export interface PodLease {
  /** The whole name of the systemd unit, "moored-pod@default-web.service". */
  readonly unit: string;
  readonly pod: PodReference;
  /** Where the pod's volumes were mounted when the lease was given. */
  readonly targetPaths: readonly string[];
}

/** A wish that a unit stops, because moored wants to take away, or cannot give back, what it was promised. */
export interface LeaseRelease {
  readonly unit: string;
  readonly pod: PodReference;
  readonly reason: string;
}
