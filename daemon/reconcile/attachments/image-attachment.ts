/** An image gets a loop device; a block device is used as it is. */
import type { Host } from '../../ports/host.ts';
import type { LoopDevice } from '../../ports/loop-devices.ts';
import type { VolumeToMount } from '../../world/desired-state-of-world.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { ImageAttachment } from '../../world/volume-recipe.ts';
import type { AttachedDevice, LoopBacking, VolumeRecord } from '../../world/volume-record.ts';
import { nameHolders } from '../operations/busy-mount.ts';
import { attachedLoop, backingOf } from '../operations/loop-backing.ts';
import type { OperationContext } from '../operations/operation-context.ts';
import type { AttachmentKind } from './attachment-kind.ts';

export const imageAttachment: AttachmentKind<ImageAttachment> = {
  /** Written before the first effect, so it also tells whose a loop device is that is found later. */
  firstFacts(attachment, context) {
    const { path, isOwned } = attachment;
    const isAdopted = !isDeviceNode(path) && !isOwned && context.host.loopDevices.find(path) !== undefined;
    const backingToAttach = isDeviceNode(path) ? undefined : backingAt(path, context.host);
    return {
      ...(isAdopted ? { isLoopAdopted: true } : {}),
      ...(backingToAttach === undefined ? {} : { backingToAttach }),
    };
  },

  async attach(volume, attachment, context, isFirst) {
    const record = context.asw.get(volume.name)?.record;
    // Its file may have another name by now, or none: what is at the path then is not what the volume has.
    if (record?.attached?.loopBacking !== undefined && isStillAttached(record, attachment, context.host)) {
      return record.attached;
    }
    const isInterrupted = record?.format?.state === 'interrupted';
    // The search asks every loop device of the machine, so it is left out where it cannot find anything of ours.
    const isNew = isFirst || isInterrupted || record === undefined;
    const earlier = isNew ? undefined : findInterruptedAttach(record, context);
    if (earlier !== undefined) return attachedLoop(writable(earlier, attachment));
    if (attachment.create !== undefined) createImage(volume, attachment, attachment.create, context);
    if (isInterrupted) await replaceImage(volume, attachment, context);
    if (!isDeviceNode(attachment.path)) await recordBacking(volume, attachment, context);
    return attach(attachment, context);
  },

  async detach(record, attachment, context) {
    const { asw, host } = context;
    const isProven = isStillAttached(record, attachment, host);
    const found = isProven ? undefined : findInterruptedAttach(record, context);
    const attached = isProven ? record.attached : found && attachedLoop(found);
    if (attached?.loopBacking === undefined || record.isLoopAdopted === true) return;
    asw.markAttachAsUncertain(record.name);
    context.saveRecord(record.name);
    await context.durable();
    // A busy detach is deferred by the kernel until the last user closes the device (loop(4)): then this throws Busy.
    try {
      host.loopDevices.detach(attached.devicePath, backingOf(attached.loopBacking));
    } catch (thrown) {
      const { deviceNumber, devicePath } = attached;
      throw await nameHolders(thrown, { kind: 'device', deviceNumber, devicePath }, context);
    }
  },

  isStillAttached,

  /** Of a block device that is used as it is, the kernel knows the size by itself. */
  rescan({ attached }, { path }, { host }) {
    const { devicePath, loopBacking } = attached ?? {};
    if (devicePath !== undefined && loopBacking !== undefined) {
      host.loopDevices.grow(devicePath, backingOf(loopBacking), path);
    }
    return Promise.resolve();
  },

  /**
   * A loop device in no use can be detached by anybody (`losetup --detach-all`), no mount table tells of it, and its number
   * goes to the next image. A disk of this machine is named by its user.
   */
  assertSameDevice: (record, attachment, { asw, host }) => {
    if (record.attached?.loopBacking === undefined || isStillAttached(record, attachment, host))
      return Promise.resolve();
    const { devicePath } = record.attached;
    asw.markAttachAsUncertain(record.name);
    return Promise.reject(
      new StorageError(`Cannot use "${devicePath}": it no longer has the volume's image, somebody detached it`, {
        code: 'Aborted',
        progress: 'transient',
        operation: 'mountDevice',
        source: devicePath,
      }),
    );
  },
};

function isStillAttached({ attached }: VolumeRecord, { path }: ImageAttachment, host: Host): boolean {
  const { loopDevices, blockProbe } = host;
  if (attached === undefined) return false;
  if (attached.loopBacking === undefined) {
    // By the path that was asked for: after a reboot /dev/disk/by-id/… may lead to another node and number.
    const { node, deviceNumber } = blockProbe.describe(path);
    return node === attached.devicePath && deviceNumber === attached.deviceNumber;
  }
  const backing = loopDevices.status(attached.devicePath)?.backing;
  const { device, inode } = attached.loopBacking;
  return backing?.device === BigInt(device) && backing.inode === BigInt(inode);
}

function createImage(
  { pods, plugin, recipe }: VolumeToMount,
  { path, volumeHandle }: ImageAttachment,
  create: ImageAttachment['create'] & object,
  { host, clock }: OperationContext,
): void {
  const owner = pods.values().next().value?.pod;
  if (owner === undefined) return;
  host.images.create(path, {
    apiVersion: 'moored.dev/v1',
    driver: plugin,
    volumeHandle,
    pod: owner,
    sizeBytes: create.sizeBytes,
    fsType: recipe.deviceMount?.fsType ?? '',
    createdAt: clock.timestamp(),
  });
}

/** A power cut or a kill in the middle of mkfs left neither a blank image nor a filesystem. */
async function replaceImage(
  { name }: VolumeToMount,
  { path, volumeHandle }: ImageAttachment,
  context: OperationContext,
): Promise<void> {
  context.host.images.replace(path, volumeHandle);
  context.asw.forgetFormat(name);
  context.saveRecord(name);
  await context.durable();
}

function attach(attachment: ImageAttachment, { host }: OperationContext): AttachedDevice {
  const { path, readOnly } = attachment;
  if (isDeviceNode(path)) {
    // By its own node: that is what the mount table shows, whatever link led to it.
    const { node, deviceNumber } = host.blockProbe.describe(path);
    return { devicePath: node, deviceNumber };
  }
  return attachedLoop(writable(host.loopDevices.attach(path, { readOnly }), attachment));
}

function writable(loop: LoopDevice, { path, readOnly }: ImageAttachment): LoopDevice {
  if (!loop.readOnly || readOnly) return loop;
  throw new StorageError(`Cannot attach "${path}": "${loop.devicePath}" already has it, read-only`, {
    code: 'FailedPrecondition',
    operation: 'attachVolume',
    source: path,
    target: loop.devicePath,
  });
}

/** Durable before the file gets a device: an attach that may have happened is known by it, whatever becomes of the name. */
async function recordBacking(
  { name }: VolumeToMount,
  { path }: ImageAttachment,
  context: OperationContext,
): Promise<void> {
  const backing = backingAt(path, context.host);
  const record = context.asw.get(name)?.record;
  if (backing === undefined || isSameFile(backing, intendedBacking(record))) return;
  context.asw.markBackingToAttach(name, backing);
  context.saveRecord(name);
  await context.durable();
}

function backingAt(path: string, { images }: Host): LoopBacking | undefined {
  const facts = images.stat(path);
  return facts && { device: facts.device.toString(), inode: facts.inode.toString(), path };
}

function intendedBacking(record: VolumeRecord | undefined): LoopBacking | undefined {
  return record?.backingToAttach ?? record?.attached?.loopBacking;
}

function isSameFile(one: LoopBacking, other: LoopBacking | undefined): boolean {
  return one.inode === other?.inode && one.path === other.path;
}

/**
 * An attach that ended between the ioctl and its record: the file was in the record before, so the device on it is ours.
 * `attached` may be the device of an attach before that, from before a reboot.
 */
function findInterruptedAttach(record: VolumeRecord, { host }: OperationContext): LoopDevice | undefined {
  if (record.attached !== undefined && record.isAttachUncertain !== true) return undefined;
  const backing = intendedBacking(record);
  const loop = backing && host.loopDevices.findBacking(backingOf(backing));
  return loop && { ...loop, backing: backingOf(backing) };
}

/** Below /dev a volume's path is a block device (links such as /dev/disk/by-id/… are fine there); elsewhere an image. */
function isDeviceNode(path: string): boolean {
  return path.startsWith('/dev/');
}
