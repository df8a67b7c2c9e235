import {
  encodeLoopConfig,
  encodeLoopInfo,
  LO_FLAGS_DIRECT_IO,
  LO_FLAGS_READ_ONLY,
  LOOP_CLR_FD,
  LOOP_CONFIGURE,
  LOOP_SET_DIRECT_IO,
  LOOP_SET_FD,
  LOOP_SET_STATUS64,
} from './loop-ioctl.ts';
import { failedWith } from './syscall-error.ts';
import { ioctl, ioctlInt } from './syscalls.ts';

/**
 * The loop driver's default, asked for by its number: with direct I/O newer kernels would take the sector size of the
 * disk below instead, and a filesystem made with sectors of 512 could not be mounted after a move to a disk with 4096.
 */
const BLOCK_SIZE = 512;

export interface LoopConfiguration {
  /** Open for reading and, unless readOnly, for writing. */
  readonly imageFd: number;
  readonly path: string;
  readonly readOnly: boolean;
}

/**
 * Gives a free device its backing file: direct I/O where the filesystem below can, no partition scan (a hostile image
 * is not asked for one), and no autoclear, so that the device outlives the daemon. Throws SyscallError; EBUSY: somebody
 * else was first.
 */
export function configureLoop(deviceFd: number, configuration: LoopConfiguration): void {
  const { imageFd, path, readOnly } = configuration;
  const flags = LO_FLAGS_DIRECT_IO | (readOnly ? LO_FLAGS_READ_ONLY : 0);
  try {
    // A flag for direct I/O that the file cannot have is dropped silently (loop.c, loop_update_dio).
    ioctl(deviceFd, LOOP_CONFIGURE, encodeLoopConfig(imageFd, BLOCK_SIZE, encodeLoopInfo(path, flags)));
  } catch (thrown) {
    if (!failedWith(thrown, 'EINVAL', 'ENOTTY')) throw thrown;
    configureLoopInSteps(deviceFd, configuration);
  }
}

/** As configureLoop before Linux 5.8. A file that is open for reading only makes the device read-only. */
export function configureLoopInSteps(deviceFd: number, { imageFd, path }: LoopConfiguration): void {
  ioctlInt(deviceFd, LOOP_SET_FD, imageFd);
  try {
    ioctl(deviceFd, LOOP_SET_STATUS64, encodeLoopInfo(path, 0));
  } catch (thrown) {
    ioctlInt(deviceFd, LOOP_CLR_FD, 0);
    throw thrown;
  }
  try {
    ioctlInt(deviceFd, LOOP_SET_DIRECT_IO, 1);
  } catch (thrown) {
    // The file, or a kernel before 4.10, cannot; buffered it works all the same.
    if (!failedWith(thrown, 'EINVAL', 'ENOTTY', 'EOPNOTSUPP')) throw thrown;
  }
}
