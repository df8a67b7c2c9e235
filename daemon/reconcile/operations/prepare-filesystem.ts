import { decideFormat } from '../../plan/format-decision.ts';
import type { ProbeResult } from '../../world/probe-result.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { UniqueVolumeName } from '../../world/unique-volume-name.ts';
import type { DeviceMount } from '../../world/volume-recipe.ts';
import type { AttachedDevice, FormatRecord, VolumeRecord } from '../../world/volume-record.ts';
import { backingOf } from './loop-backing.ts';
import type { OperationContext } from './operation-context.ts';

interface Device {
  readonly attached: AttachedDevice;
  readonly deviceMount: DeviceMount;
}

/** Brings the device to a mountable filesystem: made if proven blank, checked if it was there, refused otherwise. */
export async function prepareFilesystem(
  volumeName: UniqueVolumeName,
  { attached, deviceMount }: Device,
  context: OperationContext,
): Promise<void> {
  const { asw, host, signal } = context;
  const record = asw.get(volumeName)?.record;
  const device = attached.devicePath;
  const { fsType, readOnly } = deviceMount;
  const isBlank = isOwnAndUntouched(record, context);
  if (record?.format?.state === 'started' && record.recipe.attachment?.isOwned === true && !isBlank) {
    await giveUpInterruptedFormat(record, record.format, context);
  }
  const probe: ProbeResult = isBlank ? { kind: 'blank' } : await host.blockProbe.probe(device, signal);
  const decision = decideFormat({ device, wanted: fsType, readOnly, probe, record: record?.format });
  if (decision.kind === 'refuse') throw decision.error;
  if (decision.kind === 'format') {
    asw.markFormat(volumeName, { state: 'started', fsType, at: context.clock.timestamp() });
    context.saveRecord(volumeName);
    await context.durable();
    await host.filesystems.make(device, fsType, signal);
  } else if (!readOnly && host.mountTable.current().ofDevice(attached.deviceNumber).length === 0) {
    // A pod's bind keeps the filesystem mounted when the global mount was taken away: e2fsck refuses it then, rightly.
    await host.filesystems.check(device, fsType, signal);
  }
  if (record?.format?.state !== 'done') {
    asw.markFormat(volumeName, { state: 'done', fsType, at: context.clock.timestamp() });
    context.saveRecord(volumeName);
    await context.durable();
  }
}

/**
 * The daemon ended between the start of mkfs and its record: what is on the image may be anything, but nothing was ever
 * mounted from it. So it is detached, and the next attach puts a new blank image in its place. While that mkfs still
 * runs, it has the device open, and the detach is refused: the next try comes later.
 */
async function giveUpInterruptedFormat(
  { name, attached }: VolumeRecord,
  format: FormatRecord,
  { asw, host, saveRecord, durable }: OperationContext,
): Promise<never> {
  if (attached?.loopBacking !== undefined) {
    host.loopDevices.detach(attached.devicePath, backingOf(attached.loopBacking));
  }
  asw.markFormat(name, { ...format, state: 'interrupted' });
  asw.markVolumeAsDetached(name);
  saveRecord(name);
  await durable();
  throw new StorageError(`Cannot use "${attached?.devicePath ?? name}": its format was cut off, it begins anew`, {
    code: 'Aborted',
    progress: 'transient',
    operation: 'mountDevice',
  });
}

/**
 * An image that moored made and never formatted is blank when the kernel says that not one byte of it was ever written:
 * that proves every byte, where probes of head and tail prove two ends.
 */
function isOwnAndUntouched(record: VolumeRecord | undefined, { host }: OperationContext): boolean {
  const attachment = record?.recipe.attachment;
  if (attachment?.isOwned !== true || record?.format?.state === 'done') return false;
  return host.images.stat(attachment.path)?.isAllHole === true;
}
