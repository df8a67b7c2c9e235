import { decideFormat } from '../../plan/format-decision.ts';
import type { ProbeResult } from '../../world/probe-result.ts';
import type { UniqueVolumeName } from '../../world/unique-volume-name.ts';
import type { DeviceMount } from '../../world/volume-recipe.ts';
import type { AttachedDevice, FormatRecord, VolumeRecord } from '../../world/volume-record.ts';
import { assertNotInterrupted } from './interrupted-format.ts';
import type { OperationContext } from './operation-context.ts';
import { assertSameDevice } from './same-device.ts';

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
  const { host, signal } = context;
  const record = context.asw.get(volumeName)?.record;
  const device = attached.devicePath;
  const { fsType, readOnly } = deviceMount;
  const isUntouched = isOwnAndUntouched(record, context);
  if (!isUntouched) await assertNotInterrupted(record, context);
  const probe: ProbeResult = isUntouched ? { kind: 'blank' } : await host.blockProbe.probe(device, signal);
  const { sizeBytes: deviceBytes } = host.blockProbe.describe(device);
  const decision = decideFormat({ device, deviceBytes, wanted: fsType, readOnly, probe, record: record?.format });
  if (decision.kind === 'refuse') throw decision.error;
  if (decision.kind === 'format') {
    await recordFormat(volumeName, 'started', fsType, context);
    await assertSameDevice(volumeName, context);
    await host.filesystems.make(device, fsType, signal, isUntouched ? 'everyByte' : 'bothEnds');
  } else if (!readOnly && !isMounted(attached.deviceNumber, context)) {
    await host.filesystems.check(device, fsType, signal);
  }
  if (record?.format?.state !== 'done') await recordFormat(volumeName, 'done', fsType, context);
}

/**
 * An image that moored made and never formatted is blank when the kernel says that not one byte of it was ever written:
 * that proves every byte, where probes of head and tail prove two ends. It is the device's own file that must say so: the
 * one at the path may have been put there since.
 */
function isOwnAndUntouched(record: VolumeRecord | undefined, { host }: OperationContext): boolean {
  const attachment = record?.recipe.attachment;
  const backing = record?.attached?.loopBacking;
  if (attachment?.kind !== 'image' || !attachment.isOwned || backing === undefined) return false;
  if (record?.format?.state === 'done') return false;
  const image = host.images.stat(attachment.path);
  const isBacking = image?.device === BigInt(backing.device) && image.inode === BigInt(backing.inode);
  return isBacking && image.isAllHole;
}

/** A pod's bind keeps the filesystem mounted when the global mount was taken away: e2fsck refuses it then, rightly. */
function isMounted(deviceNumber: string, { host }: OperationContext): boolean {
  return host.mountTable.current().ofDevice(deviceNumber).length > 0;
}

/** Durable before and after mkfs: what lies between tells the next start that nothing was ever mounted. */
async function recordFormat(
  volumeName: UniqueVolumeName,
  state: FormatRecord['state'],
  fsType: string,
  context: OperationContext,
): Promise<void> {
  context.asw.markFormat(volumeName, { state, fsType, at: context.clock.timestamp() });
  context.saveRecord(volumeName);
  await context.durable();
}
