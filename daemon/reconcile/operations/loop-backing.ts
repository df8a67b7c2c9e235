/** The identity of a loop device's backing file: a value in memory, decimal text in a record. */
import type { LoopDevice } from '../../ports/loop-devices.ts';
import type { AttachedDevice, LoopBacking } from '../../world/volume-record.ts';

export function attachedLoop({ devicePath, deviceNumber, backing }: LoopDevice): AttachedDevice {
  const { device, inode, path } = backing;
  return {
    devicePath,
    deviceNumber,
    loopBacking: { device: device.toString(), inode: inode.toString(), path },
  };
}

export function backingOf({ device, inode, path }: LoopBacking): LoopDevice['backing'] {
  return { device: BigInt(device), inode: BigInt(inode), path };
}
