import { StorageError } from '../../world/storage-error.ts';
import type { VolumeRecord } from '../../world/volume-record.ts';
import { backingOf } from './loop-backing.ts';
import type { OperationContext } from './operation-context.ts';

/**
 * The daemon ended between the start of mkfs and its record: what is on the image may be anything, but nothing was ever
 * mounted from it. An image of ours is detached, and the next attach puts a new blank one in its place. While that mkfs
 * still runs, it has the device open, and the detach is refused: the next try comes later.
 *
 * @throws StorageError Aborted (transient) when it was so
 */
export async function assertNotInterrupted(record: VolumeRecord | undefined, context: OperationContext): Promise<void> {
  const attachment = record?.recipe.attachment;
  if (record?.format?.state !== 'started' || attachment?.kind !== 'image' || !attachment.isOwned) return;
  const { name, attached, format } = record;
  const { asw, host } = context;
  if (attached?.loopBacking !== undefined) {
    host.loopDevices.detach(attached.devicePath, backingOf(attached.loopBacking));
  }
  asw.markFormat(name, { ...format, state: 'interrupted' });
  asw.markVolumeAsDetached(name);
  context.saveRecord(name);
  await context.durable();
  throw new StorageError(`Cannot use "${attached?.devicePath ?? name}": its format was cut off, it begins anew`, {
    code: 'Aborted',
    progress: 'transient',
    operation: 'mountDevice',
  });
}
