import type { IscsiDisk, IscsiSession, IscsiWay } from '../../ports/iscsi-initiator.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { IscsiAttachment } from '../../world/volume-recipe.ts';
import type { IscsiPathRecord, VolumeRecord } from '../../world/volume-record.ts';
import type { OperationContext } from '../operations/operation-context.ts';
import { describeLun, isRecordedSession, otherPathsThrough, wayOf } from './iscsi-way.ts';

interface OpenPath {
  readonly path: IscsiPathRecord;
  readonly way: IscsiWay;
  /** Absent: the session has gone, or another one is in its place. */
  readonly session?: IscsiSession;
  /** Absent: the device has gone, or it was there before us. */
  readonly disk?: IscsiDisk;
}

/**
 * Deletes the devices that we made, by session and LUN, then logs out of each session that we opened and that no other
 * volume of ours uses. What is gone already is gone (kubernetes#141839). Repeatable at every point.
 */
export async function detachIscsi(
  record: VolumeRecord,
  attachment: IscsiAttachment,
  context: OperationContext,
): Promise<void> {
  context.asw.markAttachAsUncertain(record.name);
  context.saveRecord(record.name);
  await context.durable();
  await context.host.iscsi.exclusive(attachment.iqn, context.signal, () => detach(record, attachment, context));
}

async function detach(record: VolumeRecord, attachment: IscsiAttachment, context: OperationContext): Promise<void> {
  const { iscsi: initiator } = context.host;
  const paths = (record.iscsi?.paths ?? []).map((path) => openPath(path, attachment, context));
  const disks = paths.flatMap(({ disk }) => (disk === undefined ? [] : [disk]));
  const [multipath] = disks.flatMap((disk) => initiator.multipath(disk) ?? []);
  // All of it is looked at before any of it is touched.
  for (const device of multipath === undefined ? disks : [multipath, ...disks]) {
    assertUnused(device, `Cannot detach ${describeLun(attachment)}`, context);
  }
  if (multipath !== undefined) await initiator.removeMultipath(multipath, context.signal);
  for (const { disk, session } of paths) {
    if (disk !== undefined && session !== undefined) {
      await initiator.removeDisk(session, attachment.lun, context.signal);
    }
  }
  for (const path of paths) await leaveSession(path, record, context);
  const { wwid } = context.asw.get(record.name)?.record.iscsi ?? {};
  context.asw.markIscsi(record.name, { paths: [], ...(wwid === undefined ? {} : { wwid }) });
}

function openPath(path: IscsiPathRecord, attachment: IscsiAttachment, { host }: OperationContext): OpenPath {
  const way = wayOf(attachment, path.portal);
  const session = host.iscsi.session(way);
  if (session === undefined || !isRecordedSession(path, session)) return { path, way };
  const disk = path.isDeviceOurs ? host.iscsi.disk(session, attachment.lun) : undefined;
  return disk === undefined ? { path, way, session } : { path, way, session, disk };
}

async function leaveSession(
  { path, way, session }: OpenPath,
  record: VolumeRecord,
  context: OperationContext,
): Promise<void> {
  const { iscsi: initiator } = context.host;
  if (!path.isSessionOurs) return;
  if (session === undefined) {
    // Somebody logged out of it. A session in its place is theirs; the record of the login is ours all the same.
    if (initiator.session(way)?.hasOurInterface !== true) initiator.forget(way);
    return;
  }
  if (otherPathsThrough(context.asw, record.name, way, session).length > 0) return;
  for (const disk of initiator.disks(session))
    assertUnused(disk, `Cannot log out of "${way.iqn}" at "${way.portal}"`, context);
  await initiator.logout(way, session, context.signal);
}

/** Whoever still has it is told by name, and nothing is taken from under him. */
function assertUnused(disk: IscsiDisk, action: string, { host }: OperationContext): void {
  const users = host.iscsi.usersOf(disk);
  if (users.length === 0) return;
  throw new StorageError(`${action}: "${disk.devicePath}" is in use, ${users.join(', ')}`, {
    code: 'Busy',
    progress: 'transient',
    operation: 'detachVolume',
    target: disk.devicePath,
    hint: `lsblk ${disk.devicePath}; findmnt --source ${disk.devicePath}`,
  });
}
