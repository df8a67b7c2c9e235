import type { Operation } from '../../plan/operation.ts';
import { expectedDeviceMount } from '../../world/expected-mounts.ts';
import { observedOf } from '../../world/recorded-mount.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { UniqueVolumeName } from '../../world/unique-volume-name.ts';
import type { AttachedDevice } from '../../world/volume-record.ts';
import { explainDuplicateUuid } from './duplicate-uuid.ts';
import { lookAt, verify } from './mount-verification.ts';
import type { OperationContext } from './operation-context.ts';
import { filesystemOptions, perMountFlags } from './pod-mount-flags.ts';
import { prepareFilesystem } from './prepare-filesystem.ts';
import { assertSameDevice } from './same-device.ts';

/** The global mount: once per volume, whatever the number of its pods (CSI: NodeStage). */
export async function mountDevice(operation: Operation<'mountDevice'>, context: OperationContext): Promise<void> {
  const { volumeName } = operation;
  const { asw, host } = context;
  const volume = asw.get(volumeName);
  const expected = volume && expectedDeviceMount(volume);
  const attached = volume?.record.attached;
  const deviceMount = volume?.record.recipe.deviceMount;
  if (volume === undefined || expected === undefined || attached === undefined || deviceMount === undefined) {
    throw new StorageError(`Cannot mount volume "${volumeName}": it is not attached`, {
      code: 'FailedPrecondition',
      progress: 'transient',
      operation: 'mountDevice',
    });
  }
  const flags = { readOnly: deviceMount.readOnly, extra: perMountFlags(deviceMount.options) };
  const found = await lookAt(expected, context);
  if (found.kind === 'flagsDiffer') host.mounter.setFlags(expected.path, flags);
  if (found.kind === 'absent') {
    await forgetEarlierMount(volumeName, context);
    await assertSameDevice(volumeName, context);
    await prepareFilesystem(volumeName, { attached, deviceMount }, context);
    await assertSameDevice(volumeName, context);
    host.directories.ensureDirectory(parentOf(expected.path));
    host.directories.seal(expected.path);
    asw.markDeviceAsUncertain(volumeName);
    const request = {
      device: attached.devicePath,
      target: expected.path,
      fsType: deviceMount.fsType,
      flags,
      options: filesystemOptions(deviceMount.options),
    };
    await host.mounter.mountDevice(request, context.signal).catch(async (thrown: unknown) => {
      // Only here does a final error prove that there is no mount: an earlier failure says nothing of what was there.
      if (thrown instanceof StorageError && thrown.progress === 'final') asw.markDeviceAsUnmounted(volumeName);
      throw await explainDuplicateUuid(thrown, { device: attached.devicePath, deviceMount }, context);
    });
  }
  const mount = await verify(expectedDeviceMount(asw.get(volumeName) ?? volume) ?? expected, context);
  if (deviceMount.fsType === 'btrfs') assertOurDevice(mount.source, attached, expected.path);
  asw.markDeviceAsMounted(volumeName, observedOf(mount));
  context.saveRecord(volumeName);
}

/**
 * What an earlier mount looked like (before a reboot, on another loop device) says nothing of the next one, and would make
 * that a stranger's if we ended before its own look is recorded.
 */
async function forgetEarlierMount(volumeName: UniqueVolumeName, context: OperationContext): Promise<void> {
  const { asw } = context;
  const isRecorded = asw.get(volumeName)?.record.deviceObserved !== undefined;
  asw.markDeviceAsUnmounted(volumeName);
  if (!isRecorded) return;
  context.saveRecord(volumeName);
  await context.durable();
}

/**
 * For btrfs the device number in mountinfo is the filesystem's own: there the source names the device. Elsewhere the
 * number has proven it, and the source may be another name of the device ("/dev/mapper/vg-data" for "/dev/vg/data").
 */
function assertOurDevice(source: string, attached: AttachedDevice, path: string): void {
  if (source === '' || source === attached.devicePath || attached.devicePath.startsWith('/dev/disk/')) return;
  throw new StorageError(
    `Cannot use the mount at "${path}": its source is "${source}", wanted "${attached.devicePath}"`,
    {
      code: 'ForeignMount',
      operation: 'mountDevice',
      source,
      target: path,
    },
  );
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
