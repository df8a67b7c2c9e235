import { failedWith } from './syscall-error.ts';
import { ioctl } from './syscalls.ts';

/** linux/fs.h: _IOR('f', 1, long) and _IOW('f', 2, long); the kernel reads and writes 32 bits all the same. */
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_IMMUTABLE_FL = 0x10;

/**
 * Sets the immutable flag of an open file, as `chattr +i`: nobody, root included, can then add or remove an entry.
 * False where it cannot be: the filesystem has no flags (ENOTTY, EOPNOTSUPP), or CAP_LINUX_IMMUTABLE is missing (EPERM).
 */
export function makeImmutable(fd: number): boolean {
  try {
    changeFlags(fd, (flags) => flags | FS_IMMUTABLE_FL);
    return true;
  } catch (thrown) {
    if (failedWith(thrown, 'ENOTTY', 'EOPNOTSUPP', 'EPERM')) return false;
    throw thrown;
  }
}

/** Takes the immutable flag off; nothing to do where the filesystem has no flags. Throws SyscallError. */
export function makeMutable(fd: number): void {
  try {
    changeFlags(fd, (flags) => flags & ~FS_IMMUTABLE_FL);
  } catch (thrown) {
    if (!failedWith(thrown, 'ENOTTY', 'EOPNOTSUPP')) throw thrown;
  }
}

function changeFlags(fd: number, change: (flags: number) => number): void {
  const flags = Buffer.alloc(8);
  ioctl(fd, FS_IOC_GETFLAGS, flags);
  const before = flags.readInt32LE(0);
  const after = change(before);
  if (after === before) return;
  flags.writeInt32LE(after, 0);
  ioctl(fd, FS_IOC_SETFLAGS, flags);
}
