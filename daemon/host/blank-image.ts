import { fstatSync, readSync } from 'node:fs';
import { StorageError } from '../world/storage-error.ts';
import { fromNode } from './node-errno.ts';
import { failedWith } from './syscall-error.ts';
import { lseek } from './syscalls.ts';

const SEEK_DATA = 3;
/** Where the signatures of filesystems, partition tables and RAID members are. */
const END_BYTES = 64 * 1024;

/**
 * Whether not one byte of the file was ever written, by two proofs that do not depend on each other: lseek(2) knows of
 * no data in it, and both ends read as zeros. An empty file proves nothing.
 *
 * @throws StorageError DataLoss when the two disagree; SyscallError when it cannot be read
 */
export function isAllHole(fd: number, path: string): boolean {
  const { size } = fstatSync(fd, { bigint: true });
  if (size === 0n || hasData(fd)) return false;
  if (areZeros(fd, 0n) && areZeros(fd, size > END_BYTES ? size - BigInt(END_BYTES) : 0n)) return true;
  const message = `Cannot trust "${path}": its filesystem says that it is one hole, but it has data`;
  throw new StorageError(message, { code: 'DataLoss', source: path });
}

/** SEEK_DATA answers ENXIO when there is only a hole up to the end; a filesystem without holes calls all of it data. */
function hasData(fd: number): boolean {
  try {
    lseek(fd, 0n, SEEK_DATA);
    return true;
  } catch (thrown) {
    if (failedWith(thrown, 'ENXIO')) return false;
    if (failedWith(thrown, 'EINVAL')) return true;
    throw thrown;
  }
}

const zeros = Buffer.alloc(END_BYTES);
/** One for all: there is no await between its filling and its last reading. */
const buffer = Buffer.alloc(END_BYTES);

function areZeros(fd: number, start: bigint): boolean {
  buffer.fill(0);
  let length = 0;
  for (let count = -1; count !== 0 && length < END_BYTES; length += count) {
    count = fromNode(() => readSync(fd, buffer, length, END_BYTES - length, start + BigInt(length)));
  }
  return buffer.equals(zeros);
}
