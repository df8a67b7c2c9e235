/** The steps in which a claim comes to rest: Pending or Lost, with the reason. Pure. */
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import { StorageError } from '../world/storage-error.ts';
import type { ControlStep } from './claim-world.ts';

/** Phase Pending without capacity and modes, whatever a stale status says; then the reason. */
export function pending(
  claim: StoredPersistentVolumeClaim,
  reason: ReasonCode,
  message: string,
  error?: StorageError,
): ControlStep {
  const { status } = claim;
  const isPending = status?.phase === 'Pending' && status.capacity === undefined;
  return isPending
    ? wait(reason, message, error)
    : { kind: 'write', object: { ...claim, status: { phase: 'Pending' } } };
}

/** What no later volume or class makes possible: only another claim or class does. */
export function unimplemented(claim: StoredPersistentVolumeClaim, message: string): ControlStep {
  return pending(claim, 'ProvisioningFailed', message, new StorageError(message, { code: 'Unimplemented' }));
}

export function lost(claim: StoredPersistentVolumeClaim, reason: ReasonCode, message: string): ControlStep {
  if (claim.status?.phase !== 'Lost') return { kind: 'write', object: { ...claim, status: { phase: 'Lost' } } };
  return wait(reason, message);
}

export function wait(reason: ReasonCode, message: string, error?: StorageError): ControlStep {
  return { kind: 'wait', reason, message, ...(error === undefined ? {} : { error }) };
}
