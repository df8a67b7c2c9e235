import { constants, fstatSync } from 'node:fs';
import { dirname } from 'node:path/posix';
import type { CopyWay } from '../../ports/image-copies.ts';
import { StorageError } from '../../world/storage-error.ts';
import { mountIdOf } from '../open-beneath.ts';
import { failedWith } from '../syscall-error.ts';
import { AT_FDCWD, ioctlInt, openat, syncfs, withFd } from '../syscalls.ts';

/** linux/fs.h: _IOWR('X', 119, int), _IOWR('X', 120, int). */
const FIFREEZE = 0xc0045877;
const FITHAW = 0xc0045878;

/** The filesystem did not thaw: somebody has to. */
export class FreezeNotEnded extends StorageError {}

type Freeze = Extract<CopyWay, { kind: 'frozen' }>;

/**
 * Runs `work` with the filesystem frozen (FIFREEZE): what was written is on its device, its log is at rest, and whoever
 * writes waits. It is written out once before, so that they do not wait for that.
 *
 * @param besides descriptors of the filesystem that is written to meanwhile: freezing that one would never end
 */
export async function whileFrozen<T>(
  freeze: Freeze,
  besides: readonly number[],
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly frozenMs: number }> {
  const action = `Cannot freeze the filesystem at "${freeze.mountPoint}"`;
  const fd = openat(AT_FDCWD, freeze.mountPoint, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  return await withFdAsync(fd, async () => {
    assertItsOwn(fd, freeze, besides, action);
    syncfs(fd);
    const start = performance.now();
    try {
      ioctlInt(fd, FIFREEZE, 0);
    } catch (thrown) {
      if (!failedWith(thrown, 'EBUSY')) throw thrown;
      const hint = `if it is not wanted: fsfreeze --unfreeze ${freeze.mountPoint}`;
      throw new StorageError(`${action}: somebody has frozen it already`, { code: 'Busy', hint });
    }
    try {
      const result = await work();
      return { result, frozenMs: Math.ceil(performance.now() - start) };
    } finally {
      thaw(fd, action);
    }
  });
}

/** A mount point that lost its mount is a directory of the filesystem around it, which holds the images. */
function assertItsOwn(fd: number, freeze: Freeze, besides: readonly number[], action: string): void {
  const { dev } = fstatSync(fd, { bigint: true });
  const isMountPoint = withFd(
    openat(AT_FDCWD, dirname(freeze.mountPoint), constants.O_RDONLY | constants.O_DIRECTORY),
    (parent) => mountIdOf(parent) !== mountIdOf(fd),
  );
  // btrfs shows a number of its own in mountinfo, and another one of each subvolume here (btrfs_getattr).
  const isExpected = freeze.fsType === 'btrfs' || deviceText(dev) === freeze.deviceNumber;
  const isOther = besides.every((other) => fstatSync(other, { bigint: true }).dev !== dev);
  if (isMountPoint && isExpected && isOther) return;
  throw new StorageError(`${action}: the volume is not mounted there any more`, {
    code: 'Aborted',
    progress: 'transient',
  });
}

function thaw(fd: number, action: string): void {
  try {
    ioctlInt(fd, FITHAW, 0);
  } catch (thrown) {
    // EINVAL: somebody has thawed it meanwhile; nobody waits any more.
    if (failedWith(thrown, 'EINVAL')) return;
    throw new FreezeNotEnded(`${action}: it does not thaw: ${String(thrown)}`, {
      code: 'Internal',
      progress: 'uncertain',
    });
  }
}

/** "major:minor" of a dev_t as stat(2) gives it (gnu_dev_major and gnu_dev_minor). */
function deviceText(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

async function withFdAsync<T>(fd: number, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } finally {
    withFd(fd, () => undefined);
  }
}
