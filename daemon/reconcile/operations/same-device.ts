import type { UniqueVolumeName } from '../../world/unique-volume-name.ts';
import { attachmentKindOf } from '../attachments/attachment-kinds.ts';
import type { OperationContext } from './operation-context.ts';

/** A name and a number may lead to another volume by now: the kind of attachment knows how to tell. */
export async function assertSameDevice(name: UniqueVolumeName, context: OperationContext): Promise<void> {
  const record = context.asw.get(name)?.record;
  const attachment = record?.recipe.attachment;
  if (record === undefined || attachment === undefined) return;
  await attachmentKindOf(attachment).assertSameDevice(record, attachment, context);
}
