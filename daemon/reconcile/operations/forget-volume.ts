import type { Operation } from '../../plan/operation.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { UniqueVolumeName } from '../../world/unique-volume-name.ts';
import { parentOf } from './mount-device.ts';
import type { OperationContext } from './operation-context.ts';

/** Nothing of the volume is mounted or attached: its directory goes, an inline volume's image, its record. */
export async function forgetVolume(operation: Operation<'forgetVolume'>, context: OperationContext): Promise<void> {
  const { asw, host } = context;
  const record = asw.get(operation.volumeName)?.record;
  if (record === undefined) return;
  const { globalMountPath, attachment } = record.recipe;
  if (globalMountPath !== '') {
    host.directories.remove(globalMountPath);
    host.directories.remove(parentOf(globalMountPath));
  }
  if (attachment?.kind === 'image' && attachment.create !== undefined) {
    await forgetFormat(record.name, context);
    removeImage(attachment.path, attachment.volumeHandle, context);
  }
  context.retireRecord(record);
  await context.durable();
  asw.forgetVolume(record.name);
}

/** On disk before the image goes: the volume, wanted again after we ended in between, may be formatted: its image is a new one then. */
async function forgetFormat(name: UniqueVolumeName, context: OperationContext): Promise<void> {
  context.asw.forgetFormat(name);
  context.saveRecord(name);
  await context.durable();
}

/** A file that is there and is not ours was the reason why the volume was never made: it is left alone. */
function removeImage(path: string, volumeHandle: string, { host }: OperationContext): void {
  try {
    host.images.remove(path, volumeHandle);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'FailedPrecondition') throw error;
  }
}
