/** linux/loop.h: the numbers and structures of the loop driver; the same on every 64-bit little-endian machine. */

export const LOOP_SET_FD = 0x4c00;
export const LOOP_CLR_FD = 0x4c01;
export const LOOP_SET_STATUS64 = 0x4c04;
export const LOOP_GET_STATUS64 = 0x4c05;
/** Takes the device to the length of its file, whichever is longer: longer or shorter. */
export const LOOP_SET_CAPACITY = 0x4c07;
export const LOOP_SET_DIRECT_IO = 0x4c08;
/** Since 5.8: file, flags and name in one step, so that nobody sees a device that is half configured. */
export const LOOP_CONFIGURE = 0x4c0a;
export const LOOP_CTL_GET_FREE = 0x4c82;

export const LO_FLAGS_READ_ONLY = 1;
export const LO_FLAGS_AUTOCLEAR = 4;
export const LO_FLAGS_DIRECT_IO = 16;

const INFO_SIZE = 232;
/** struct loop_config: fd and block size, struct loop_info64, 64 reserved bytes. */
const CONFIG_SIZE = 8 + INFO_SIZE + 64;
/** LO_NAME_SIZE, the NUL included. */
const NAME_SIZE = 64;
const OFFSET_OF_FLAGS = 52;
const OFFSET_OF_NAME = 56;

/** What LOOP_GET_STATUS64 tells of a device in use. */
export interface LoopInfo {
  /**
   * st_dev of the backing file: the kernel puts huge_encode_dev() of it here and into struct stat alike, so the two
   * compare as numbers (drivers/block/loop.c, loop_get_status; both come from vfs_getattr, on btrfs and overlay too).
   */
  readonly device: bigint;
  readonly inode: bigint;
  /** Bytes of the file that the device skips at the start; 0 for a whole file. */
  readonly offset: bigint;
  /** Bytes at most; 0 is all. */
  readonly sizeLimit: bigint;
  /** N of /dev/loopN. */
  readonly number: number;
  readonly flags: number;
}

/** Room for the kernel's answer to LOOP_GET_STATUS64. */
export function emptyLoopInfo(): Buffer {
  return Buffer.alloc(INFO_SIZE);
}

export function decodeLoopInfo(info: Buffer): LoopInfo {
  return {
    device: info.readBigUInt64LE(0),
    inode: info.readBigUInt64LE(8),
    offset: info.readBigUInt64LE(24),
    sizeLimit: info.readBigUInt64LE(32),
    number: info.readUInt32LE(40),
    flags: info.readUInt32LE(OFFSET_OF_FLAGS),
  };
}

/** struct loop_info64 for LOOP_SET_STATUS64 or within struct loop_config. `path` is only shown, by losetup(8). */
export function encodeLoopInfo(path: string, flags: number): Buffer {
  const info = emptyLoopInfo();
  info.writeUInt32LE(flags, OFFSET_OF_FLAGS);
  tailOf(path).copy(info, OFFSET_OF_NAME);
  return info;
}

/** The kernel's own answer with other flags: offset, size limit and name stay. */
export function withFlags(info: Buffer, flags: number): Buffer {
  const changed = Buffer.from(info);
  changed.writeUInt32LE(flags, OFFSET_OF_FLAGS);
  return changed;
}

/** struct loop_config. @param blockSize in bytes, a power of two from 512 to the page size */
export function encodeLoopConfig(fd: number, blockSize: number, info: Buffer): Buffer {
  const config = Buffer.alloc(CONFIG_SIZE);
  config.writeUInt32LE(fd, 0);
  config.writeUInt32LE(blockSize, 4);
  info.copy(config, 8);
  return config;
}

/** As much of the end of `path` as fits, in whole characters: an image's name tells more than its root directory. */
function tailOf(path: string): Buffer {
  const bytes = Buffer.from(path);
  let start = Math.max(0, bytes.length - (NAME_SIZE - 1));
  while (isContinuation(bytes[start])) start += 1;
  return bytes.subarray(start);
}

/** A byte of a UTF-8 character that is not its first. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
