/** An image gets a loop device; a block device is used as it is. */
import type { Host } from '../../ports/host.ts';
import type { VolumeToMount } from '../../world/desired-state-of-world.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { ImageAttachment } from '../../world/volume-recipe.ts';
import type { AttachedDevice, VolumeRecord } from '../../world/volume-record.ts';
import { nameHolders } from '../operations/busy-mount.ts';
import { attachedLoop, backingOf } from '../operations/loop-backing.ts';
import type { OperationContext } from '../operations/operation-context.ts';
import type { AttachmentKind } from './attachment-kind.ts';

export const imageAttachment: AttachmentKind<ImageAttachment> = {
  /** Written before the first effect, so it also tells whose a loop device is that is found later. */
  firstFacts(attachment, context) {
    const { path, isOwned } = attachment;
    const isAdopted = !isDeviceNode(path) && !isOwned && context.host.loopDevices.find(path) !== undefined;
    return isAdopted ? { isLoopAdopted: true } : {};
  },

  async attach(volume, attachment, context) {
    const record = context.asw.get(volume.name)?.record;
    // Its file may have another name by now, or none: what is at the path then is not what the volume has.
    if (record?.attached?.loopBacking !== undefined && isStillAttached(record, attachment, context.host)) {
      return record.attached;
    }
    if (attachment.create !== undefined) createImage(volume, attachment, attachment.create, context);
    const isInterrupted = context.asw.get(volume.name)?.record.format?.state === 'interrupted';
    if (isInterrupted) await replaceImage(volume, attachment, context);
    return attach(attachment, context);
  },

  async detach(record, attachment, context) {
    const { asw, host } = context;
    const isProven = isStillAttached(record, attachment, host);
    const attached = isProven ? record.attached : findInterruptedAttach(record, attachment, context);
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

function attach({ path, readOnly }: ImageAttachment, { host }: OperationContext): AttachedDevice {
  if (isDeviceNode(path)) {
    // By its own node: that is what the mount table shows, whatever link led to it.
    const { node, deviceNumber } = host.blockProbe.describe(path);
    return { devicePath: node, deviceNumber };
  }
  const loop = host.loopDevices.attach(path, { readOnly });
  if (loop.readOnly && !readOnly) {
    throw new StorageError(`Cannot attach "${path}": "${loop.devicePath}" already has it, read-only`, {
      code: 'FailedPrecondition',
      operation: 'attachVolume',
      source: path,
      target: loop.devicePath,
    });
  }
  return attachedLoop(loop);
}

/**
 * An attach that ended between the ioctl and its record: the intent was durable, so the device on the image is ours. What
 * the record names may be the device of an attach before that, from before a reboot.
 */
function findInterruptedAttach(
  record: VolumeRecord,
  { path }: ImageAttachment,
  { host }: OperationContext,
): VolumeRecord['attached'] {
  if (record.attached !== undefined && record.isAttachUncertain !== true) return undefined;
  if (isDeviceNode(path) || host.images.stat(path) === undefined) return undefined;
  const loop = host.loopDevices.find(path);
  return loop === undefined ? undefined : attachedLoop(loop);
}

/** Below /dev a volume's path is a block device (links such as /dev/disk/by-id/… are fine there); elsewhere an image. */
function isDeviceNode(path: string): boolean {
  return path.startsWith('/dev/');
}
