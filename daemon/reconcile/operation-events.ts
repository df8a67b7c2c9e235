import type { Operation, OperationKind } from '../plan/operation.ts';
import type { MooredEvent } from '../ports/events.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import type { StorageError } from '../world/storage-error.ts';

/** Upstream's reasons where it has one; it stays silent when an unmount or a detach fails (kubelet.md 6), we do not. */
const failureReasons: Readonly<Record<OperationKind, ReasonCode>> = {
  attachVolume: 'FailedAttachVolume',
  mountDevice: 'FailedMount',
  expandVolume: 'VolumeResizeFailed',
  mountVolume: 'FailedMount',
  unmountVolume: 'FailedUnmount',
  unmountDevice: 'FailedUnmountDevice',
  detachVolume: 'FailedDetachVolume',
  forgetVolume: 'FailedCleanup',
};

export function failureReason(operation: Pick<Operation, 'kind'>, error: Pick<StorageError, 'code'>): ReasonCode {
  return error.code === 'FilesystemMismatch' ? 'FailedMountOnFilesystemMismatch' : failureReasons[operation.kind];
}

export function failureEvent(operation: Operation, error: StorageError): MooredEvent {
  const reason = failureReason(operation, error);
  return { reason, regarding: regardingOf(operation), message: error.message, error };
}

/** A grown filesystem is told to those who use it, in upstream's words; other successes show in what is mounted. */
export function successEvents(operation: Operation): readonly MooredEvent[] {
  if (operation.kind !== 'expandVolume' || operation.volume.recipe.deviceMount === undefined) return [];
  return [...operation.volume.pods.values()].map(({ pod, specName }) => ({
    reason: 'FileSystemResizeSuccessful',
    regarding: `Pod/${pod.namespace}/${pod.name}`,
    message: `MountVolume.NodeExpandVolume succeeded for volume "${specName}"`,
  }));
}

function regardingOf(operation: Operation): string {
  if (operation.kind !== 'mountVolume') return `Volume/${operation.volumeName}`;
  return `Pod/${operation.pod.pod.namespace}/${operation.pod.pod.name}`;
}
