import type { Host } from '../../ports/host.ts';
import type { VolumeToMount } from '../../world/desired-state-of-world.ts';
import type { Attachment } from '../../world/volume-recipe.ts';
import type { AttachedDevice, VolumeRecord } from '../../world/volume-record.ts';
import type { OperationContext } from '../operations/operation-context.ts';

/** How one kind of volume becomes a block device, and stops being one. */
export interface AttachmentKind<A extends Attachment> {
  /** What the very first record says of the machine as it was before us; nothing has been done yet. */
  firstFacts(attachment: A, context: OperationContext): Partial<VolumeRecord>;
  /**
   * The record says that an attach is under way, and is durable. Idempotent: what is there is used.
   * @param isFirst there was no record before this operation's: no earlier attach can have been interrupted
   */
  attach(volume: VolumeToMount, attachment: A, context: OperationContext, isFirst: boolean): Promise<AttachedDevice>;
  /** Undoes what the record says is our doing, and what an interrupted attach may have done. What is gone is gone. */
  detach(record: VolumeRecord, attachment: A, context: OperationContext): Promise<void>;
  /** After a restart: is the recorded device still the recorded volume? Throws when that cannot be known. */
  isStillAttached(record: VolumeRecord, attachment: A, host: Host): boolean;
  /** Before a device is formatted, mounted or handed out: it must be the volume that was attached. */
  assertSameDevice(record: VolumeRecord, attachment: A, context: OperationContext): Promise<void>;
  /** Has the kernel see that the device became larger; one that did not stays as it is. Never to less. */
  rescan(record: VolumeRecord, attachment: A, context: OperationContext): Promise<void>;
}
