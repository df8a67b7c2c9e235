import type { Host } from '../ports/host.ts';
import type { CopyWay } from '../ports/image-copies.ts';
import type { LoopDevice } from '../ports/loop-devices.ts';
import type { VolumesInUse } from '../ports/volumes-in-use.ts';
import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { MountInfo } from '../world/mount-info.ts';
import type { MountTable } from '../world/mount-table.ts';
import type { OperationExecutor } from './operation-executor.ts';

interface LiveVolumesOptions {
  readonly asw: ActualStateOfWorld;
  readonly hold: OperationExecutor['hold'];
  readonly host: Pick<Host, 'loopDevices' | 'mountTable'>;
}

/** The kernel is asked who has the image, and the actual state of world whose doing that is. */
export function liveVolumes({ asw, hold, host }: LiveVolumesOptions): VolumesInUse {
  return {
    hold,
    async copyWay({ name, imagePath }, { limitMs, isFrozen }) {
      const loop = host.loopDevices.find(imagePath);
      if (loop === undefined) return { kind: 'atRest' };
      const table = await host.mountTable.refresh();
      const record = asw.get(name)?.record;
      const mount = filesystemMount(loop, table, record?.recipe.globalMountPath);
      if (mount !== undefined) return isFrozen ? frozen(mount, limitMs) : { kind: 'atomic' };
      // A device that a pod has as it is, or that somebody else attached, may be written to at any moment.
      const isOurs = record?.attached?.devicePath === loop.devicePath && record.isLoopAdopted !== true;
      const hasPods = Object.keys(record?.pods ?? {}).length > 0;
      return isOurs && !hasPods ? { kind: 'atRest' } : { kind: 'atomic' };
    },
    async mountPointOf(imagePath) {
      const loop = host.loopDevices.find(imagePath);
      if (loop === undefined) return { isAttached: false };
      const mount = filesystemMount(loop, await host.mountTable.refresh());
      return { isAttached: true, ...(mount === undefined ? {} : { mountPoint: mount.mountPoint }) };
    },
  };
}

function frozen({ mountPoint, device, fsType }: MountInfo, limitMs: number): CopyWay {
  return { kind: 'frozen', mountPoint, deviceNumber: device, fsType, limitMs };
}

/** A freeze is the filesystem's, through whichever of its mounts it is asked for; a bind of the device's node is none. */
function filesystemMount(loop: LoopDevice, table: MountTable, globalMountPath?: string): MountInfo | undefined {
  // btrfs has a device number of its own in mountinfo: there the source names the device.
  const mounts = table.mounts.filter(
    ({ device, source, fsType }) =>
      fsType !== 'devtmpfs' && (device === loop.deviceNumber || source === loop.devicePath),
  );
  return mounts.find(({ mountPoint }) => mountPoint === globalMountPath) ?? mounts[0];
}
