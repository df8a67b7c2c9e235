import type { ActualVolume } from '../../world/actual-state-of-world.ts';
import { expectedDeviceMount } from '../../world/expected-mounts.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { PodVolumeRecord } from '../../world/volume-record.ts';
import { parentOf } from './mount-device.ts';
import { mountNfs } from './mount-nfs.ts';
import { verify } from './mount-verification.ts';
import type { OperationContext } from './operation-context.ts';
import { flagsOf } from './pod-mount-flags.ts';
import { assertSameDevice } from './same-device.ts';

/** Mounts on a target that is proven to have no mount. */
export async function makePodMount(
  actual: ActualVolume,
  record: PodVolumeRecord,
  context: OperationContext,
): Promise<void> {
  const { mounter, directories } = context.host;
  const { mount, targetPath: target } = record;
  const flags = flagsOf(mount);
  directories.ensureDirectory(parentOf(target));
  switch (mount.kind) {
    case 'tmpfs': {
      const size = mount.sizeBytes === undefined ? {} : { sizeBytes: BigInt(mount.sizeBytes) };
      directories.seal(target);
      mounter.mountTmpfs({ target, mode: 0o777, flags, ...size });
      return;
    }
    case 'bind': {
      const source = await verifiedGlobalMount(actual, context);
      directories.seal(target);
      mounter.bind({ source, target, flags });
      return;
    }
    case 'local':
      directories.seal(target);
      mounter.bind({ source: mount.source, target, flags, isUsersDirectory: true });
      return;
    case 'deviceBind': {
      await assertSameDevice(actual.record.name, context);
      const source = verifiedDevice(actual, context);
      directories.ensureFile(target);
      mounter.bind({ source, target, flags });
      return;
    }
    case 'nfs':
      directories.seal(target);
      return mountNfs(mount, target, context);
    case 'directory':
      return;
  }
}

/** A global mount that went away under us would make a bind of an empty directory (kubernetes#106729). */
async function verifiedGlobalMount(volume: ActualVolume, context: OperationContext): Promise<string> {
  const expected = expectedDeviceMount(volume);
  if (expected === undefined) throw notReady(volume, 'it has no global mount');
  try {
    await verify(expected, context);
  } catch (error) {
    context.asw.markDeviceAsUncertain(volume.record.name);
    throw error;
  }
  return expected.path;
}

/** The node must still lead to what was attached: a number given back may belong to another volume by now. */
function verifiedDevice(volume: ActualVolume, { host }: OperationContext): string {
  const { attached } = volume.record;
  if (attached === undefined) throw notReady(volume, 'it is not attached');
  const { deviceNumber } = host.blockProbe.describe(attached.devicePath);
  if (deviceNumber === attached.deviceNumber) return attached.devicePath;
  throw notReady(volume, `"${attached.devicePath}" is now device ${deviceNumber}, was ${attached.deviceNumber}`);
}

function notReady(volume: ActualVolume, cause: string): StorageError {
  return new StorageError(`Cannot mount volume "${volume.record.name}": ${cause}`, {
    code: 'FailedPrecondition',
    progress: 'transient',
    operation: 'mountVolume',
  });
}
