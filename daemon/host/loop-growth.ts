import { constants } from 'node:fs';
import type { LoopDevice } from '../ports/loop-devices.ts';
import { StorageError } from '../world/storage-error.ts';
import { describeBlockDevice } from './block-device.ts';
import { LOOP_SET_CAPACITY } from './loop-ioctl.ts';
import { hasBacking, loopStatus, openLoopNode } from './loop-node.ts';
import { ioctlInt, withFd } from './syscalls.ts';

/** The kernel drops what does not fill a sector (loop.c, get_size). */
const sectorBytes = 512n;

export interface LoopGrowth {
  readonly devicePath: string;
  readonly backing: LoopDevice['backing'];
  /** The file at the image's path, as it is now. */
  readonly image: { readonly dev: bigint; readonly ino: bigint; readonly size: bigint };
  /** Of the error message. */
  readonly action: string;
}

/**
 * LOOP_SET_CAPACITY, only ever to more: the ioctl takes whatever length the file has, and a device that became shorter
 * under a mounted filesystem would be data lost. Throws SyscallError, StorageError.
 */
export function growLoop({ devicePath, backing, image, action }: LoopGrowth): 'grown' | 'asLong' {
  if (image.dev !== backing.device || image.ino !== backing.inode) {
    throw refused(`${action}: another file lies where its image was`, devicePath);
  }
  return withFd(openLoopNode(devicePath, constants.O_RDONLY), (fd) => {
    const status = loopStatus(fd, devicePath);
    if (status === undefined || !hasBacking(status, backing)) {
      throw refused(`${action}: it no longer has its image`, devicePath);
    }
    const wanted = (image.size / sectorBytes) * sectorBytes;
    const { sizeBytes } = describeBlockDevice(devicePath);
    if (wanted < sizeBytes) {
      const figures = `its image has ${image.size} bytes, the device ${sizeBytes}`;
      throw refused(`${action}: ${figures}: somebody cut the image`, devicePath);
    }
    if (wanted === sizeBytes) return 'asLong';
    ioctlInt(fd, LOOP_SET_CAPACITY, 0);
    return 'grown';
  });
}

function refused(message: string, devicePath: string): StorageError {
  return new StorageError(message, { code: 'FailedPrecondition', operation: 'grow', target: devicePath });
}
