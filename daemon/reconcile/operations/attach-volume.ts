import type { Operation } from '../../plan/operation.ts';
import type { VolumeToMount } from '../../world/desired-state-of-world.ts';
import type { UniqueVolumeName } from '../../world/unique-volume-name.ts';
import type { Attachment } from '../../world/volume-recipe.ts';
import type { VolumeRecord } from '../../world/volume-record.ts';
import { attachmentKindOf } from '../attachments/attachment-kinds.ts';
import type { OperationContext } from './operation-context.ts';

/** Makes the volume a block device of this machine. */
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
  const attached = await attachmentKindOf(attachment).attach(volume, attachment, context, known === undefined);
  asw.markVolumeAsAttached(volumeName, attached);
  if (known?.attached !== undefined && known.attached.devicePath !== attached.devicePath) {
    distrustDeviceBinds(volumeName, context);
  }
  context.saveRecord(volumeName);
}

/** Written before the first effect. */
function firstRecord(volume: VolumeToMount, attachment: Attachment, context: OperationContext): VolumeRecord {
  const { name, plugin, recipe } = volume;
  const { format, iscsi } = context.retiredRecord(name) ?? {};
  return {
    ...{ name, plugin, recipe, pods: {} },
    ...attachmentKindOf(attachment).firstFacts(attachment, context),
    ...(iscsi === undefined ? {} : { iscsi }),
    ...(format === undefined ? {} : { format }),
  };
}

/** A bind of the node that the volume had before: that number may be another volume's by now. mountVolume makes it anew. */
function distrustDeviceBinds(volumeName: UniqueVolumeName, { asw }: OperationContext): void {
  for (const pod of Object.values(asw.get(volumeName)?.record.pods ?? {})) {
    if (pod.mount.kind === 'deviceBind') asw.markVolumeMountAs(volumeName, pod.pod.uid, 'VolumeMountUncertain');
  }
}
