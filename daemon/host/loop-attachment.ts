import { constants } from 'node:fs';
import { basename } from 'node:path/posix';
import type { LoopDevice } from '../ports/loop-devices.ts';
import { StorageError } from '../world/storage-error.ts';
import { configureLoop, type LoopConfiguration } from './loop-configuration.ts';
import { LO_FLAGS_AUTOCLEAR, LOOP_CLR_FD, LOOP_CTL_GET_FREE, LOOP_SET_STATUS64, withFlags } from './loop-ioctl.ts';
import { hasBacking, isAutoclear, type LoopStatus, loopStatus, missingNode, openLoopNode } from './loop-node.ts';
import { devicesOn, type FileIdentity, isWholeFile } from './loop-search.ts';
import { loopFactsOf } from './loop-sysfs.ts';
import { failedWith } from './syscall-error.ts';
import { AT_FDCWD, close, ioctl, ioctlInt, openat, withFd } from './syscalls.ts';
import { withWriteLease } from './write-lease.ts';

/** Others may take the number that LOOP_CTL_GET_FREE named; each lost race means that somebody else got a device. */
const ATTEMPTS = 256;
/** <linux/fs.h>: _IO(0x12, 93), with a pointer to an int. */
const BLKROSET = 0x125d;

export interface Attachment extends FileIdentity, LoopConfiguration {
  /** Of the error message. */
  readonly action: string;
}

/** Gives the file a device, or answers the one it has. Throws SyscallError, StorageError: nothing is attached then. */
export function attachLoop(attachment: Attachment): LoopDevice {
  const alone = withWriteLease(attachment.imageFd, () => attachAlone(attachment));
  if (alone !== undefined) return alone.result;
  const existing = devicesOn(attachment);
  if (existing.length > 0) return adopt(existing, attachment.action);
  const { fd, devicePath } = takeFree(attachment);
  return withFd(fd, () => {
    let isKept = false;
    try {
      // Nothing stops somebody else from attaching the file between our look and our attach: look again, ours yields.
      const others = devicesOn(attachment).filter(({ device }) => device.devicePath !== devicePath);
      if (others.length > 0) return adopt(others, attachment.action);
      const ours = loopStatus(fd, devicePath);
      if (ours === undefined) throw takenAway(devicePath, attachment.action);
      isKept = true;
      return ours.device;
    } finally {
      if (!isKept) clearLoop(fd);
    }
  });
}

/** Nobody has the file open, so no device is on it, and none can be put there before ours is. */
function attachAlone(attachment: Attachment): LoopDevice {
  const { fd, devicePath } = takeFree(attachment);
  return withFd(fd, () => {
    const ours = loopStatus(fd, devicePath);
    if (ours === undefined) throw takenAway(devicePath, attachment.action);
    return ours.device;
  });
}

/** LOOP_CLR_FD; false when somebody else had cleared it. Others that have the device open keep it until they close it. */
export function clearLoop(fd: number): boolean {
  try {
    ioctlInt(fd, LOOP_CLR_FD, 0);
    return true;
  } catch (thrown) {
    if (failedWith(thrown, 'ENXIO')) return false;
    throw thrown;
  }
}

/** The device that the file has already, if it is one and shows all of it. */
function adopt(found: readonly LoopStatus[], action: string): LoopDevice {
  const [only] = found;
  if (only === undefined || found.length > 1 || !isWholeFile(only)) throw ambiguous(found, action);
  if (isAutoclear(only)) keepAfterLastClose(only, action);
  return only.device;
}

/**
 * Calls off a detach that waits for the last close. It would take the device from under us between attach and mount,
 * and its number could by then belong to another file.
 */
function keepAfterLastClose(before: LoopStatus, action: string): void {
  const { devicePath, backing } = before.device;
  withFd(openLoopNode(devicePath, constants.O_RDONLY), (fd) => {
    const now = loopStatus(fd, devicePath);
    if (now === undefined || !hasBacking(now, backing)) throw takenAway(devicePath, action);
    ioctl(fd, LOOP_SET_STATUS64, withFlags(now.raw, now.info.flags & ~LO_FLAGS_AUTOCLEAR));
  });
}

function takeFree(attachment: Attachment): { readonly fd: number; readonly devicePath: string } {
  const flags = attachment.readOnly ? constants.O_RDONLY : constants.O_RDWR;
  return withFd(openat(AT_FDCWD, '/dev/loop-control', constants.O_RDWR), (control) => {
    for (let attempt = 1; ; attempt += 1) {
      const devicePath = `/dev/loop${ioctlInt(control, LOOP_CTL_GET_FREE, 0)}`;
      try {
        return { devicePath, fd: openConfigured(devicePath, flags, attachment) };
      } catch (thrown) {
        // EBUSY: somebody else took it; ENXIO: somebody removed it.
        if (attempt === ATTEMPTS || !failedWith(thrown, 'EBUSY', 'ENXIO')) throw thrown;
      }
    }
  });
}

function openConfigured(devicePath: string, flags: number, attachment: Attachment): number {
  const fd = openFree(devicePath, flags);
  try {
    configureLoop(fd, attachment);
    if (!attachment.readOnly) makeWritable(fd, devicePath);
    return fd;
  } catch (thrown) {
    close(fd);
    throw thrown;
  }
}

/**
 * `blockdev --setro` by somebody before us outlives the detach (the flag is the disk's, not the backing file's): without
 * this, the next mount from the device would be read-only, and silently so.
 */
function makeWritable(fd: number, devicePath: string): void {
  if (loopFactsOf(basename(devicePath)).readOnly) ioctl(fd, BLKROSET, Buffer.alloc(4));
}

function openFree(devicePath: string, flags: number): number {
  try {
    return openLoopNode(devicePath, flags);
  } catch (thrown) {
    throw failedWith(thrown, 'ENOENT') ? missingNode(devicePath, thrown) : thrown;
  }
}

function ambiguous(found: readonly LoopStatus[], action: string): StorageError {
  const paths = found.map(({ device }) => device.devicePath);
  const quoted = paths.map((path) => `"${path}"`).join(' and ');
  const what = found.every(isWholeFile) ? `${quoted} have it already` : `${quoted} has only a part of it`;
  const hint = `losetup --detach ${paths.join(' ')}`;
  return new StorageError(`${action}: ${what}`, { code: 'FailedPrecondition', hint });
}

function takenAway(devicePath: string, action: string): StorageError {
  return new StorageError(`${action}: somebody took "${devicePath}" off it`, { code: 'Aborted', target: devicePath });
}
