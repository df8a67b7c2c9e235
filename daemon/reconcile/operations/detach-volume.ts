import type { Operation } from '../../plan/operation.ts';
import { attachmentKindOf } from '../attachments/attachment-kinds.ts';
import type { OperationContext } from './operation-context.ts';

/** Takes our part of the device away; what we did not make stays as it is. */
export async function detachVolume(operation: Operation<'detachVolume'>, context: OperationContext): Promise<void> {
  const { volumeName } = operation;
  const { asw } = context;
  const record = asw.get(volumeName)?.record;
  if (record === undefined) return;
  const { attachment } = record.recipe;
  if (attachment !== undefined) await attachmentKindOf(attachment).detach(record, attachment, context);
  asw.markVolumeAsDetached(volumeName);
  context.saveRecord(volumeName);
}
