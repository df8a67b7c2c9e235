import type { Attachment } from '../../world/volume-recipe.ts';
import type { AttachmentKind } from './attachment-kind.ts';
import { imageAttachment } from './image-attachment.ts';
import { iscsiAttachment } from './iscsi-attachment.ts';

type Kinds = { readonly [K in Attachment['kind']]: AttachmentKind<Extract<Attachment, { kind: K }>> };

/** A kind without an entry does not compile. */
const kinds: Kinds = { image: imageAttachment, iscsi: iscsiAttachment };

/** The kind's own code; the table above is what proves that it gets attachments of its own kind only. */
export function attachmentKindOf<A extends Attachment>(attachment: A): AttachmentKind<A> {
  return kinds[attachment.kind] as unknown as AttachmentKind<A>;
}
