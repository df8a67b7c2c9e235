/** What stands in the way of a volume or a claim, as every answer of the daemon says it. */
import type { ControlWait } from '../controllers/control-waits.ts';
import type { StalledServer } from '../ports/nfs-servers.ts';
import { failureReason } from '../reconcile/operation-events.ts';
import type { FailedOperation } from '../reconcile/operation-executor.ts';
import type { VolumeCondition } from '../reconcile/volume-health.ts';
import type { PodVolumeError } from '../world/desired-state-of-world.ts';
import { adviceFor, needsChange } from '../world/reasons/advice.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import type { StorageError } from '../world/storage-error.ts';

export interface Obstacle {
  readonly reason: ReasonCode;
  /** The cause, word for word. */
  readonly message: string;
  /** What to do, a line each. */
  readonly help?: string;
  readonly needsChange?: true;
}

export function failedObstacle({ operation, error }: FailedOperation): Obstacle {
  return obstacle(failureReason(operation, error), error.message, error);
}

export function stalledObstacle({ server, since, cause }: StalledServer): Obstacle {
  return obstacle('ServerStalled', `NFS server "${server}" does not answer since ${since}: ${cause}`);
}

/** Mounted, but the kernel no longer writes to it. */
export function abnormalObstacle({ message, advice }: VolumeCondition): Obstacle {
  const reason = 'VolumeConditionAbnormal';
  return { reason, message, help: adviceFor(reason, undefined, advice) };
}

/** @param claimWait why the volume's claim waits, when that is what the pod waits for */
export function unresolvedObstacle({ reason, error }: PodVolumeError, claimWait: ControlWait | undefined): Obstacle {
  if (reason !== 'ClaimNotBound') return obstacle(reason, error.message, error);
  if (claimWait === undefined) return obstacle(reason, error.message);
  return { ...waitObstacle(claimWait), reason, message: `${error.message}: ${claimWait.message}` };
}

export function waitObstacle({ reason, message, error }: ControlWait): Obstacle {
  return obstacle(reason, message, error);
}

function obstacle(reason: ReasonCode, message: string, error?: StorageError): Obstacle {
  const help = adviceFor(reason, error);
  return {
    reason,
    message,
    ...(help === '' ? {} : { help }),
    ...(error !== undefined && needsChange(error) ? { needsChange: true } : {}),
  };
}
