import type { Operation } from '../../plan/operation.ts';
import { expectedDeviceMount } from '../../world/expected-mounts.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { OperationContext } from './operation-context.ts';
import { unmountIfThere } from './unmount-volume.ts';

/** Unmounts the global mount (CSI: NodeUnstage). */
export async function unmountDevice(operation: Operation<'unmountDevice'>, context: OperationContext): Promise<void> {
  const { volumeName } = operation;
  const { asw, host } = context;
  const actual = asw.get(volumeName);
  const expected = actual && expectedDeviceMount(actual);
  if (actual === undefined || expected === undefined) return;
  await assertNoOtherMounts(expected.path, context);
  asw.markDeviceAsUncertain(volumeName);
  await unmountIfThere(expected, { mayHang: true }, context);
  host.directories.remove(expected.path);
  asw.markDeviceAsUnmounted(volumeName);
  context.saveRecord(volumeName);
}

/**
 * As the kubelet: no device is unmounted while another mount refers to it (GetDeviceMountRefs). Which device that is, the
 * mount at the path says: the number in the record may have been given to another volume since, at a reboot.
 */
async function assertNoOtherMounts(path: string, { host }: OperationContext): Promise<void> {
  const table = await host.mountTable.refresh();
  const device = table.top(path)?.device;
  if (device === undefined) return;
  const others = table.ofDevice(device).filter((mount) => mount.mountPoint !== path);
  if (others.length === 0) return;
  const places = others.map((mount) => `"${mount.mountPoint}"`).join(', ');
  throw new StorageError(`Cannot unmount device at "${path}": still mounted at ${places}`, {
    code: 'Busy',
    progress: 'transient',
    operation: 'unmountDevice',
    target: path,
    hint: `if they are not wanted: umount ${others.map((mount) => mount.mountPoint).join(' ')}`,
  });
}
