import type { Operation } from '../../plan/operation.ts';
import type { AttachedDevice, VolumeRecord } from '../../world/volume-record.ts';
import { attachedLoop, backingOf } from './loop-backing.ts';
import type { OperationContext } from './operation-context.ts';

/** Takes our loop device off the image; a device that we did not make stays as it is. */
export async function detachVolume(operation: Operation<'detachVolume'>, context: OperationContext): Promise<void> {
  const { volumeName } = operation;
  const { asw, host } = context;
  const record = asw.get(volumeName)?.record;
  if (record === undefined) return;
  const attached = record.attached ?? findInterruptedAttach(record, context);
  if (attached?.loopBacking !== undefined && record.isLoopAdopted !== true) {
    asw.markAttachAsUncertain(volumeName);
    context.saveRecord(volumeName);
    await context.durable();
    // A busy detach is deferred by the kernel until the last user closes the device (loop(4)): then this throws Busy.
    host.loopDevices.detach(attached.devicePath, backingOf(attached.loopBacking));
  }
  asw.markVolumeAsDetached(volumeName);
  context.saveRecord(volumeName);
}

/** An attach that ended between the ioctl and its record: the intent was durable, so the device on the image is ours. */
function findInterruptedAttach(record: VolumeRecord, { host }: OperationContext): AttachedDevice | undefined {
  const path = record.recipe.attachment?.path;
  if (path === undefined || path.startsWith('/dev/')) return undefined;
  if (host.images.stat(path) === undefined) return undefined;
  const loop = host.loopDevices.find(path);
  return loop === undefined ? undefined : attachedLoop(loop);
}
