import type { IscsiDisk, IscsiInitiator } from '../../ports/iscsi-initiator.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { IscsiAttachment } from '../../world/volume-recipe.ts';
import type { VolumeRecord } from '../../world/volume-record.ts';
import type { OperationContext } from '../operations/operation-context.ts';
import type { AttachmentKind } from './attachment-kind.ts';
import { attachIscsi } from './iscsi-attach.ts';
import { detachIscsi } from './iscsi-detach.ts';
import { describeLun, wayOf } from './iscsi-way.ts';

/** A LUN of an iSCSI target: sessions to its portals, one scan, one block device (or dm-multipath over several). */
export const iscsiAttachment: AttachmentKind<IscsiAttachment> = {
  firstFacts: () => ({}),
  attach: attachIscsi,
  detach: detachIscsi,

  isStillAttached: ({ attached, iscsi }, attachment, { iscsi: initiator }) =>
    recordedDisks(iscsi, attachment, initiator).some(
      (disk) => isDevice(disk, attached?.deviceNumber, initiator) && disk.wwid === iscsi?.wwid,
    ),

  /**
   * The kernel keeps what a LUN said of itself when it was found: it is asked anew, for storage may have put another one
   * at this address meanwhile (kubernetes#59946, #90982).
   */
  async assertSameDevice(record, attachment, context) {
    const { iscsi: initiator } = context.host;
    const { attached, iscsi } = record;
    const disks: IscsiDisk[] = [];
    for (const session of sessionsOf(iscsi, attachment, initiator)) {
      await initiator.rescan(session, attachment.lun, context.signal);
      disks.push(...optional(initiator.disk(session, attachment.lun)));
    }
    const stranger = disks.find(({ wwid }) => wwid !== iscsi?.wwid);
    if (stranger !== undefined) throw changedIdentity(record, attachment, stranger, context);
    if (disks.some((disk) => isDevice(disk, attached?.deviceNumber, initiator))) return;
    context.asw.markAttachAsUncertain(record.name);
    throw new StorageError(
      `Cannot use ${describeLun(attachment)}: "${attached?.devicePath ?? ''}" is no longer its device`,
      {
        code: 'Unavailable',
        progress: 'transient',
        operation: 'attachVolume',
      },
    );
  },

  /** Asked anew who it is, a LUN also says how large it is. */
  rescan: (record, attachment, context) => iscsiAttachment.assertSameDevice(record, attachment, context),
};

function changedIdentity(
  { name, iscsi }: VolumeRecord,
  attachment: IscsiAttachment,
  { devicePath, wwid }: IscsiDisk,
  context: OperationContext,
): StorageError {
  context.asw.markAttachAsUncertain(name);
  const message = `Cannot use "${devicePath}" as ${describeLun(attachment)}: it is "${wwid}" now, was "${iscsi?.wwid ?? ''}"`;
  return new StorageError(message, { code: 'FailedPrecondition', progress: 'transient', operation: 'attachVolume' });
}

function sessionsOf(iscsi: VolumeRecord['iscsi'], attachment: IscsiAttachment, initiator: IscsiInitiator) {
  return (iscsi?.paths ?? []).flatMap(({ portal, sessionId }) => {
    const session = initiator.session(wayOf(attachment, portal));
    return session !== undefined && session.id === sessionId ? [session] : [];
  });
}

function recordedDisks(
  iscsi: VolumeRecord['iscsi'],
  attachment: IscsiAttachment,
  initiator: IscsiInitiator,
): readonly IscsiDisk[] {
  return sessionsOf(iscsi, attachment, initiator).flatMap((session) =>
    optional(initiator.disk(session, attachment.lun)),
  );
}

function isDevice(disk: IscsiDisk, deviceNumber: string | undefined, initiator: IscsiInitiator): boolean {
  return disk.deviceNumber === deviceNumber || initiator.multipath(disk)?.deviceNumber === deviceNumber;
}

function optional<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}
