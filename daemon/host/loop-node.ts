import { constants, fstatSync } from 'node:fs';
import { basename } from 'node:path/posix';
import type { LoopDevice } from '../ports/loop-devices.ts';
import { StorageError } from '../world/storage-error.ts';
import {
  decodeLoopInfo,
  emptyLoopInfo,
  LO_FLAGS_AUTOCLEAR,
  LO_FLAGS_READ_ONLY,
  LOOP_GET_STATUS64,
  type LoopInfo,
} from './loop-ioctl.ts';
import { backingPathOf, hasBackingFile } from './loop-sysfs.ts';
import { failedWith } from './syscall-error.ts';
import { AT_FDCWD, ioctl, openat, withFd } from './syscalls.ts';

/** /dev/loopN, open: each question about a device is asked through one descriptor, so that the answers belong together. */

/** @param flags O_RDONLY or O_RDWR, with O_EXCL to claim the device. Throws SyscallError. */
export function openLoopNode(devicePath: string, flags: number): number {
  return openat(AT_FDCWD, devicePath, flags | constants.O_NONBLOCK | constants.O_NOFOLLOW);
}

/** Opens for a question. undefined: there is no such device, or it is being taken down (ENXIO). */
function openLoopNodeToRead(devicePath: string): number | undefined {
  try {
    return openLoopNode(devicePath, constants.O_RDONLY);
  } catch (thrown) {
    if (failedWith(thrown, 'ENXIO', 'ENODEV')) return undefined;
    if (!failedWith(thrown, 'ENOENT')) throw thrown;
    if (!hasBackingFile(basename(devicePath))) return undefined;
    throw missingNode(devicePath, thrown);
  }
}

/** A device in use. */
export interface LoopStatus {
  readonly device: LoopDevice;
  readonly info: LoopInfo;
  /** struct loop_info64 as the kernel gave it. */
  readonly raw: Buffer;
}

/**
 * What the device behind the descriptor has; undefined: nothing, or nothing that is wanted. Throws SyscallError when that
 * cannot be known, StorageError when the node is another device than its name says.
 */
export function loopStatus(fd: number, devicePath: string, isWanted = anything): LoopStatus | undefined {
  const raw = emptyLoopInfo();
  try {
    ioctl(fd, LOOP_GET_STATUS64, raw);
  } catch (thrown) {
    if (failedWith(thrown, 'ENXIO')) return undefined;
    throw thrown;
  }
  const info = decodeLoopInfo(raw);
  const name = basename(devicePath);
  if (name !== `loop${info.number}`) throw wrongNode(devicePath, info.number);
  if (!isWanted(info)) return undefined;
  const { device, inode, flags } = info;
  return {
    raw,
    info,
    device: {
      devicePath,
      backing: { device, inode, path: backingPathOf(name) },
      readOnly: (flags & LO_FLAGS_READ_ONLY) !== 0,
      deviceNumber: deviceNumberOf(fd),
    },
  };
}

/** loopStatus of a device by its path. */
export function loopStatusOf(devicePath: string, isWanted = anything): LoopStatus | undefined {
  const fd = openLoopNodeToRead(devicePath);
  return fd === undefined ? undefined : withFd(fd, (open) => loopStatus(open, devicePath, isWanted));
}

/** Whether it is this file, by what the kernel said when it was attached. */
export function hasBacking(
  { info }: LoopStatus,
  backing: { readonly device: bigint; readonly inode: bigint },
): boolean {
  return info.device === backing.device && info.inode === backing.inode;
}

export function isAutoclear({ info }: LoopStatus): boolean {
  return (info.flags & LO_FLAGS_AUTOCLEAR) !== 0;
}

function anything(_info: LoopInfo): boolean {
  return true;
}

function wrongNode(devicePath: string, number: number): StorageError {
  const message = `Cannot use "${devicePath}": its node is that of loop${number}`;
  return new StorageError(message, { code: 'FailedPrecondition', target: devicePath });
}

/** The kernel has the device, our /dev does not: it made one on demand, and this /dev is not its devtmpfs. */
export function missingNode(devicePath: string, cause: unknown): StorageError {
  const name = basename(devicePath);
  const hint = `the numbers are in /sys/block/${name}/dev: mknod -m 0660 ${devicePath} b <major> <minor>, or mount devtmpfs`;
  return new StorageError(`Cannot open "${devicePath}": the kernel has the device, /dev has no node for it`, {
    code: 'Unavailable',
    target: devicePath,
    errno: 'ENOENT',
    hint,
    cause,
  });
}

/** "major:minor" of the node itself: with the module option max_part minors are not N. makedev(3) packs them so. */
function deviceNumberOf(fd: number): string {
  const { rdev } = fstatSync(fd, { bigint: true });
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}
