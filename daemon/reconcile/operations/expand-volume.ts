import type { Operation } from '../../plan/operation.ts';
import type { ActualVolume } from '../../world/actual-state-of-world.ts';
import { expectedDeviceMount } from '../../world/expected-mounts.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { AttachedDevice } from '../../world/volume-record.ts';
import { attachmentKindOf } from '../attachments/attachment-kinds.ts';
import { verify } from './mount-verification.ts';
import type { OperationContext } from './operation-context.ts';

/**
 * Grows the device, then the filesystem on it, with the data in use (CSI: NodeExpandVolume). No intent is recorded: each
 * step looks at what is there and does the rest, so that one cut off anywhere is simply run again.
 */
export async function expandVolume(operation: Operation<'expandVolume'>, context: OperationContext): Promise<void> {
  const { volumeName, size } = operation;
  const { asw } = context;
  const actual = asw.get(volumeName);
  const attached = actual?.record.attached;
  if (actual === undefined || attached === undefined) {
    throw new StorageError(`Cannot expand volume "${volumeName}": it is not attached`, {
      code: 'FailedPrecondition',
      progress: 'transient',
      operation: 'expandVolume',
    });
  }
  const { attachment } = actual.record.recipe;
  if (attachment !== undefined) await attachmentKindOf(attachment).rescan(actual.record, attachment, context);
  requireSize(operation, attached, context);
  await growFilesystem(actual, attached, context);
  asw.markVolumeAsExpanded(volumeName, size.persistentVolume, size.desiredBytes);
  context.saveRecord(volumeName);
}

/** A device that has not grown is what is wrong: a filesystem that "was grown" to it would say nothing. */
function requireSize(
  { volumeName, size }: Operation<'expandVolume'>,
  { devicePath }: AttachedDevice,
  { host }: OperationContext,
): void {
  const { sizeBytes } = host.blockProbe.describe(devicePath);
  if (sizeBytes >= size.desiredBytes) return;
  const cause = `"${devicePath}" has ${sizeBytes} bytes, wanted ${size.desiredBytes}`;
  throw new StorageError(`Cannot expand volume "${volumeName}": ${cause}`, {
    code: 'FailedPrecondition',
    progress: 'transient',
    operation: 'expandVolume',
    target: devicePath,
    hint: 'grow the device or the image, or take the capacity of the volume back',
  });
}

/** Through the global mount, which is writable whatever the pods' binds are. A Block volume has no filesystem of ours. */
async function growFilesystem(
  actual: ActualVolume,
  attached: AttachedDevice,
  context: OperationContext,
): Promise<void> {
  const { deviceMount } = actual.record.recipe;
  const expected = expectedDeviceMount(actual);
  if (deviceMount === undefined || expected === undefined) return;
  await verify(expected, context);
  const request = { device: attached.devicePath, fsType: deviceMount.fsType, mountPoint: expected.path };
  await context.host.filesystems.grow(request, context.signal);
}
