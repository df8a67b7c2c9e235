import { fstatSync, statfsSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path/posix';
import { StorageError, type StorageErrorCode } from '../world/storage-error.ts';
import { O_PATH } from './mount-syscalls.ts';
import type { PathOpener } from './open-beneath.ts';
import { failedWith } from './syscall-error.ts';
import { AT_FDCWD, openat, withFd } from './syscalls.ts';

/** f_type of statfs(2), from linux/magic.h and the filesystems' own sources, where the data is on another machine. */
const remoteFilesystems: Readonly<Record<number, string>> = {
  0x6969: 'nfs',
  0x517b: 'smbfs',
  0xff534d42: 'cifs',
  0xfe534d42: 'smb3',
  0x65735546: 'fuse',
  0x01021997: '9p',
  0x00c36400: 'ceph',
  0x5346414f: 'afs',
  0x6b414653: 'afs',
  0x73757245: 'coda',
  0x0bd00bd0: 'lustre',
  0x19830326: 'beegfs',
  0x786f4256: 'vboxsf',
};

/**
 * Opens an image: absolute path, no symlink in any component, a regular file. It is looked at through an O_PATH
 * descriptor first, since merely opening a FIFO blocks and opening a tape rewinds it, and then opened through that
 * descriptor, so that what was checked is what is opened.
 *
 * @param action for messages, e.g. `Cannot attach "/x.img"`
 * @param flags O_RDONLY or O_RDWR
 */
export function openImage(path: string, flags: number, opener: PathOpener, action: string): number {
  if (!isAbsolute(path) || path !== normalize(path) || path.endsWith('/') || path.includes('\0')) {
    throw refusal('InvalidArgument', `${action}: not a plain absolute path`, path);
  }
  return withFd(lookUp(path, opener, action), (found) => {
    requireRegularFile(found, path, action);
    try {
      return openat(AT_FDCWD, `/proc/self/fd/${found}`, flags);
    } catch (thrown) {
      if (!failedWith(thrown, 'EROFS')) throw thrown;
      const message = `${action}: its filesystem is read-only`;
      throw new StorageError(message, { code: 'FailedPrecondition', source: path, errno: thrown.code, cause: thrown });
    }
  });
}

/** A server that stops answering would stop the daemon with it, in the loop driver's calls to the backing file. */
export function requireLocalFilesystem(fd: number, path: string, action: string): void {
  const { type } = statfsSync(`/proc/self/fd/${fd}`);
  const remote = remoteFilesystems[type];
  if (remote === undefined) return;
  const hint = 'keep the image on a disk of this machine, or mount the share itself as a volume';
  const message = `${action}: it is on ${remote}, wanted a local filesystem`;
  throw new StorageError(message, { code: 'FailedPrecondition', source: path, hint });
}

/** Also refuses what would be a device of no sectors: the kernel drops what does not fill one (512 bytes). */
export function requireSectors(fd: number, path: string, action: string): void {
  const { size } = fstatSync(fd, { bigint: true });
  if (size === 0n) throw refusal('FailedPrecondition', `${action}: it is empty`, path);
  if (size < 512n) {
    throw refusal('FailedPrecondition', `${action}: ${size} bytes are less than one sector of 512`, path);
  }
}

function lookUp(path: string, opener: PathOpener, action: string): number {
  try {
    return opener.open(path, O_PATH);
  } catch (thrown) {
    if (failedWith(thrown, 'ENOENT')) throw refusal('NotFound', `${action}: no such file`, path, thrown);
    if (failedWith(thrown, 'ELOOP')) throw symlinkRefusal(path, action, thrown);
    throw thrown;
  }
}

function requireRegularFile(fd: number, path: string, action: string): void {
  const status = fstatSync(fd);
  if (status.isFile()) return;
  // The way without openat2 opens the symlink itself, as O_PATH with O_NOFOLLOW does.
  if (status.isSymbolicLink()) throw symlinkRefusal(path, action);
  const kind = status.isDirectory() ? 'a directory' : status.isBlockDevice() ? 'a block device' : 'a special file';
  throw refusal('FailedPrecondition', `${action}: it is ${kind}, wanted a regular file`, path);
}

function symlinkRefusal(path: string, action: string, cause?: unknown): StorageError {
  return refusal('PermissionDenied', `${action}: there is a symlink in the path`, path, cause);
}

function refusal(code: StorageErrorCode, message: string, source: string, cause?: unknown): StorageError {
  return new StorageError(message, { code, source, cause });
}
