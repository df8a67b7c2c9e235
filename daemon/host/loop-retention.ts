import { constants } from 'node:fs';
import type { LoopDevice } from '../ports/loop-devices.ts';
import { LO_FLAGS_AUTOCLEAR, LOOP_SET_STATUS64, withFlags } from './loop-ioctl.ts';
import { hasBacking, isAutoclear, loopStatus, openLoopNode } from './loop-node.ts';
import { ioctl, withFd } from './syscalls.ts';

/**
 * Takes back a detach that waits for the last close. Of the flags LOOP_SET_STATUS64 clears no other than autoclear
 * (LOOP_SET_STATUS_CLEARABLE_FLAGS, since Linux 5.8; before it, what the kernel itself answered is written back).
 */
export function keepLoop(devicePath: string, backing: LoopDevice['backing']): 'kept' | 'notAttached' {
  return withFd(openLoopNode(devicePath, constants.O_RDWR), (fd) => {
    const status = loopStatus(fd, devicePath);
    if (status === undefined || !hasBacking(status, backing)) return 'notAttached';
    if (isAutoclear(status)) {
      ioctl(fd, LOOP_SET_STATUS64, withFlags(status.raw, status.info.flags & ~LO_FLAGS_AUTOCLEAR));
    }
    return 'kept';
  });
}
