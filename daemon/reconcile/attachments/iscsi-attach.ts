import type { IscsiDisk } from '../../ports/iscsi-initiator.ts';
import type { VolumeToMount } from '../../world/desired-state-of-world.ts';
import type { ReasonCode } from '../../world/reasons/reason-table.ts';
import { asStorageError, StorageError } from '../../world/storage-error.ts';
import type { UniqueVolumeName } from '../../world/unique-volume-name.ts';
import type { IscsiAttachment } from '../../world/volume-recipe.ts';
import type { AttachedDevice, IscsiPathRecord } from '../../world/volume-record.ts';
import type { OperationContext } from '../operations/operation-context.ts';
import { chapOf } from './iscsi-chap.ts';
import { identify } from './iscsi-identity.ts';
import { describeLun, isRecordedSession, otherPathsThrough, wayOf } from './iscsi-way.ts';

interface Attaching {
  readonly name: UniqueVolumeName;
  readonly attachment: IscsiAttachment;
  readonly context: OperationContext;
}

/**
 * Logs in at every portal and looks for the one LUN there. Any path is enough; the others are told as an event and tried
 * again later (IscsiPathWatch).
 */
export function attachIscsi(
  { name }: VolumeToMount,
  attachment: IscsiAttachment,
  context: OperationContext,
): Promise<AttachedDevice> {
  const { iscsi } = context.host;
  const attaching = { name, attachment, context };
  return iscsi.exclusive(attachment.iqn, context.signal, () =>
    attach(attaching).catch((thrown: unknown) => {
      throw notFinalWhileOpen(thrown, attaching);
    }),
  );
}

/** Final would say that nothing was done: of the step that failed it is true, of the sessions before it, it is not. */
function notFinalWhileOpen(thrown: unknown, { name, attachment, context }: Attaching): StorageError {
  const error = asStorageError(thrown, `Cannot attach ${describeLun(attachment)}`);
  const hasPaths = (context.asw.get(name)?.record.iscsi?.paths.length ?? 0) > 0;
  if (error.progress !== 'final' || !hasPaths) return error;
  return new StorageError(error.message, { ...error.facts, code: error.code, progress: 'transient', cause: error });
}

async function attach(attaching: Attaching): Promise<AttachedDevice> {
  const { attachment, context } = attaching;
  const paths = attachment.portals.map((portal) => plannedPath(portal, attaching));
  await recordPaths(paths, attaching);
  // One portal that does not answer must not keep the others waiting.
  const outcomes = await Promise.all(paths.map((path) => openPath(path, attaching)));
  await recordPaths(
    outcomes.flatMap((outcome) => pathAfter(outcome, attaching)),
    attaching,
  );
  const disks = outcomes.flatMap(({ disk }) => (disk === undefined ? [] : [disk]));
  const failures = outcomes.flatMap(({ path, error }) => (error === undefined ? [] : [{ portal: path.portal, error }]));
  const [first] = disks;
  if (first === undefined) throw noPath(failures, attaching);
  identify(disks, attaching);
  const device = await deviceOver(first, disks, attaching);
  if (attachment.readOnly && outcomes.every(({ path }) => path.isDeviceOurs)) {
    for (const disk of new Set([...disks, device])) await context.host.iscsi.setReadOnly(disk, context.signal);
  }
  for (const { portal, error } of failures) reportMissing(portal, error, attaching);
  return { devicePath: device.devicePath, deviceNumber: device.deviceNumber };
}

/** What is there before us is not ours; what we recorded as ours, or another volume of ours did, still is. */
function plannedPath(portal: string, { name, attachment, context }: Attaching): IscsiPathRecord {
  const { iscsi: initiator } = context.host;
  const way = wayOf(attachment, portal);
  const session = initiator.session(way);
  if (session === undefined) return { portal, isSessionOurs: true, isDeviceOurs: true };
  const known = context.asw.get(name)?.record.iscsi?.paths.find((path) => path.portal === portal);
  const hasDisk = initiator.disk(session, attachment.lun) !== undefined;
  if (known !== undefined && isRecordedSession(known, session)) {
    return { ...known, sessionId: session.id, isDeviceOurs: known.isDeviceOurs || !hasDisk };
  }
  const others = otherPathsThrough(context.asw, name, way, session);
  const isSessionOurs = others.some(({ path }) => path.isSessionOurs);
  return { portal, sessionId: session.id, isSessionOurs, isDeviceOurs: !hasDisk };
}

/** Durable before login and scan: what is found later on these ways is then known as ours. */
async function recordPaths(paths: readonly IscsiPathRecord[], { name, context }: Attaching): Promise<void> {
  const { wwid } = context.asw.get(name)?.record.iscsi ?? {};
  context.asw.markIscsi(name, { paths, ...(wwid === undefined ? {} : { wwid }) });
  context.saveRecord(name);
  await context.durable();
}

interface PathOutcome {
  readonly path: IscsiPathRecord;
  readonly disk?: IscsiDisk;
  readonly error?: StorageError;
}

async function openPath(path: IscsiPathRecord, { attachment, context }: Attaching): Promise<PathOutcome> {
  const { iscsi: initiator } = context.host;
  const way = wayOf(attachment, path.portal);
  try {
    if (path.sessionId === undefined) {
      await initiator.login({ ...way, ...chapOf(attachment, context.secrets) }, context.signal);
    }
    const session = initiator.session(way);
    if (session === undefined) throw pathError(path, 'the login has ended, but there is no session', 'uncertain');
    if (session.state !== 'LOGGED_IN') throw pathError(path, `its session is down ("${session.state}")`, 'transient');
    const found = initiator.disk(session, attachment.lun);
    return { path, disk: found ?? (await initiator.scan(session, attachment.lun, context.signal)) };
  } catch (thrown) {
    return { path, error: asStorageError(thrown, `Cannot use portal "${path.portal}"`) };
  }
}

/** A session that was not made leaves nothing to remember, unless the login may still be under way. */
function pathAfter({ path, error }: PathOutcome, { attachment, context }: Attaching): readonly IscsiPathRecord[] {
  const session = context.host.iscsi.session(wayOf(attachment, path.portal));
  if (session === undefined) return error?.progress === 'uncertain' ? [path] : [];
  // Somebody else logged in on this way in the moment between our look and our login.
  const isSessionOurs = path.isSessionOurs && session.hasOurInterface;
  return [{ ...path, sessionId: session.id, isSessionOurs }];
}

/** While it is mounted the device stays what it was; else dm-multipath, where it took the disks; else the first path. */
async function deviceOver(
  first: IscsiDisk,
  disks: readonly IscsiDisk[],
  { name, attachment, context }: Attaching,
): Promise<IscsiDisk> {
  const { asw, host, signal } = context;
  const known = asw.get(name)?.record.attached?.deviceNumber;
  const multipath = disks.flatMap((disk) => host.iscsi.multipath(disk) ?? []);
  const same = [...disks, ...multipath].find(({ deviceNumber }) => deviceNumber === known);
  if (same !== undefined) return same;
  if (attachment.portals.length === 1) return multipath[0] ?? first;
  const device = multipath[0] ?? (await host.iscsi.waitForMultipath(first, signal));
  if (device === undefined && disks.length > 1) {
    report(
      name,
      'MultipathUnavailable',
      `${describeLun(attachment)} has ${disks.length} paths, but there is no dm-multipath: only "${first.devicePath}" is used`,
      context,
    );
  }
  return device ?? first;
}

function reportMissing(portal: string, error: StorageError, { name, attachment, context }: Attaching): void {
  report(
    name,
    'PathMissing',
    `${describeLun(attachment)} is used without portal "${portal}": ${error.message}`,
    context,
  );
}

function report(name: UniqueVolumeName, reason: ReasonCode, message: string, { events }: OperationContext): void {
  events.record({ reason, regarding: `Volume/${name}`, message });
}

function pathError(path: IscsiPathRecord, cause: string, progress: StorageError['progress']): StorageError {
  return new StorageError(`Cannot use portal "${path.portal}": ${cause}`, { code: 'Unavailable', progress });
}

function noPath(
  failures: readonly { readonly portal: string; readonly error: StorageError }[],
  { attachment }: Attaching,
): StorageError {
  const [primary] = failures;
  const causes = failures.map(({ portal, error }) => `portal "${portal}": ${error.message}`);
  const isUncertain = failures.some(({ error }) => error.progress === 'uncertain');
  return new StorageError(`Cannot attach ${describeLun(attachment)}: ${causes.join('; ')}`, {
    ...primary?.error.facts,
    code: primary?.error.code ?? 'Unavailable',
    progress: isUncertain ? 'uncertain' : (primary?.error.progress ?? 'transient'),
    operation: 'attachVolume',
    cause: primary?.error,
  });
}
