import type { Operation } from '../../plan/operation.ts';
import type { VolumeToMount } from '../../world/desired-state-of-world.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { ImageAttachment } from '../../world/volume-recipe.ts';
import type { AttachedDevice, VolumeRecord } from '../../world/volume-record.ts';
import { attachedLoop } from './loop-backing.ts';
import type { OperationContext } from './operation-context.ts';

/** Makes the volume a block device of this machine: an image gets a loop device, a block device is used as it is. */
export async function attachVolume(operation: Operation<'attachVolume'>, context: OperationContext): Promise<void> {
  const { volume, volumeName } = operation;
  const { asw } = context;
  const attachment = volume.recipe.attachment;
  if (attachment === undefined) return;
  const known = asw.get(volumeName)?.record;
  asw.addVolume(known === undefined ? firstRecord(volume, attachment, context) : { ...known, recipe: volume.recipe });
  asw.markAttachAsUncertain(volumeName);
  context.saveRecord(volumeName);
  await context.durable();
  if (attachment.create !== undefined) createImage(volume, attachment.create, context);
  if (asw.get(volumeName)?.record.format?.state === 'interrupted') await replaceImage(volume, attachment, context);
  asw.markVolumeAsAttached(volumeName, attach(attachment, context));
  context.saveRecord(volumeName);
}

/** Written before the first effect, so it also tells whose a loop device is that is found later. */
function firstRecord(volume: VolumeToMount, attachment: ImageAttachment, context: OperationContext): VolumeRecord {
  const format = context.retiredRecord(volume.name)?.format;
  const isLoopAdopted = !isDeviceNode(attachment.path) && !attachment.isOwned && isInUse(attachment.path, context);
  return {
    name: volume.name,
    plugin: volume.plugin,
    recipe: volume.recipe,
    pods: {},
    ...(isLoopAdopted ? { isLoopAdopted: true } : {}),
    ...(format === undefined ? {} : { format }),
  };
}

function isInUse(path: string, { host }: OperationContext): boolean {
  return host.loopDevices.find(path) !== undefined;
}

function createImage(
  volume: VolumeToMount,
  create: ImageAttachment['create'] & object,
  { host, clock }: OperationContext,
): void {
  const owner = volume.pods.values().next().value?.pod;
  const path = volume.recipe.attachment?.path;
  if (owner === undefined || path === undefined) return;
  host.images.create(path, {
    apiVersion: 'moored.dev/v1',
    driver: volume.plugin,
    volumeHandle: volume.recipe.attachment?.volumeHandle ?? '',
    pod: owner,
    sizeBytes: create.sizeBytes,
    fsType: volume.recipe.deviceMount?.fsType ?? '',
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

/** Below /dev a volume's path is a block device (links such as /dev/disk/by-id/… are fine there); elsewhere an image. */
function isDeviceNode(path: string): boolean {
  return path.startsWith('/dev/');
}
