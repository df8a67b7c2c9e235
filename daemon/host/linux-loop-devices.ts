import { constants, fstatSync } from 'node:fs';
import type { LoopDevice, LoopDevices } from '../ports/loop-devices.ts';
import { StorageError, type StorageErrorFacts } from '../world/storage-error.ts';
import { openImage, requireLocalFilesystem, requireSectors } from './image-file.ts';
import type { KernelFeatures } from './kernel-features.ts';
import { attachLoop, clearLoop } from './loop-attachment.ts';
import { growLoop } from './loop-growth.ts';
import { hasBacking, isAutoclear, loopStatus, loopStatusOf, openLoopNode } from './loop-node.ts';
import { keepLoop } from './loop-retention.ts';
import { devicesOn, devicesOnceOn, type FileIdentity, isWholeFile } from './loop-search.ts';
import { backingPathOf, loopFactsOf, loopNamesInUse } from './loop-sysfs.ts';
import { openat2Opener, openatOpener, type PathOpener } from './open-beneath.ts';
import { storageErrorFromErrno } from './storage-error-from-errno.ts';
import { failedWith } from './syscall-error.ts';
import { withFd } from './syscalls.ts';

/**
 * Loop devices by ioctl (loop(4)). A file is known by device and inode, never by its name. LOOP_GET_STATUS64 asks the
 * filesystem of the backing file: a device that somebody else put on a dead file server blocks the question.
 */
export class LinuxLoopDevices implements LoopDevices {
  readonly #opener: PathOpener;

  constructor(features: Pick<KernelFeatures, 'openat2'>) {
    this.#opener = features.openat2 ? openat2Opener : openatOpener;
  }

  attach(imagePath: string, { readOnly }: { readonly readOnly: boolean }): LoopDevice {
    const action = `Cannot attach "${imagePath}"`;
    return act(action, { operation: 'attach', source: imagePath }, () =>
      withFd(
        openImage(imagePath, readOnly ? constants.O_RDONLY : constants.O_RDWR, this.#opener, action),
        (imageFd) => {
          requireLocalFilesystem(imageFd, imagePath, action);
          requireSectors(imageFd, imagePath, action);
          return attachLoop({ ...identityOf(imageFd, imagePath), imageFd, readOnly, action });
        },
      ),
    );
  }

  find(imagePath: string): LoopDevice | undefined {
    const action = `Cannot find the loop device of "${imagePath}"`;
    return act(action, { source: imagePath }, () =>
      withFd(openImage(imagePath, constants.O_RDONLY, this.#opener, action), (imageFd) => {
        const found = devicesOn(identityOf(imageFd, imagePath));
        return found.find(isWholeFile)?.device;
      }),
    );
  }

  findBacking(backing: LoopDevice['backing']): LoopDevice | undefined {
    return act(`Cannot find the loop device of "${backing.path}"`, { source: backing.path }, () => {
      return devicesOnceOn(backing).find(isWholeFile)?.device;
    });
  }

  status(devicePath: string): LoopDevice | undefined {
    return act(`Cannot read the state of "${devicePath}"`, { target: devicePath }, () => {
      requireLoopPath(devicePath);
      return loopStatusOf(devicePath)?.device;
    });
  }

  list(): readonly LoopDevice[] {
    return loopNamesInUse().flatMap((name) => this.#statusOrName(name) ?? []);
  }

  detach(devicePath: string, backing: LoopDevice['backing']): 'detached' | 'notAttached' {
    return act(`Cannot detach "${devicePath}"`, { operation: 'detach', target: devicePath }, () => {
      requireLoopPath(devicePath);
      const before = loopStatusOf(devicePath);
      if (before === undefined || !hasBacking(before, backing)) return 'notAttached';
      const isCleared = withFd(claim(devicePath), (fd) => {
        const now = loopStatus(fd, devicePath);
        return now !== undefined && hasBacking(now, backing) && clearLoop(fd);
      });
      if (!isCleared) return 'notAttached';
      requireGone(devicePath, backing);
      return 'detached';
    });
  }

  grow(devicePath: string, backing: LoopDevice['backing'], imagePath: string): 'grown' | 'asLong' {
    const action = `Cannot grow "${devicePath}"`;
    return act(action, { operation: 'grow', source: imagePath, target: devicePath }, () => {
      requireLoopPath(devicePath);
      return withFd(openImage(imagePath, constants.O_RDONLY, this.#opener, action), (imageFd) =>
        growLoop({ devicePath, backing, action, image: fstatSync(imageFd, { bigint: true }) }),
      );
    });
  }

  keep(devicePath: string, backing: LoopDevice['backing']): 'kept' | 'notAttached' {
    return act(`Cannot keep "${devicePath}" attached`, { operation: 'keep', target: devicePath }, () => {
      requireLoopPath(devicePath);
      return keepLoop(devicePath, backing);
    });
  }

  /** One sick device must not hide the others: it is listed with identity 0, which no file has. */
  #statusOrName(name: string): LoopDevice | undefined {
    const devicePath = `/dev/${name}`;
    try {
      return this.status(devicePath);
    } catch (thrown) {
      if (!(thrown instanceof StorageError)) throw thrown;
      return { devicePath, backing: { device: 0n, inode: 0n, path: backingPathOf(name) }, ...loopFactsOf(name) };
    }
  }
}

function identityOf(fd: number, path: string): FileIdentity {
  const { dev, ino, nlink } = fstatSync(fd, { bigint: true });
  return { path, device: dev, inode: ino, links: nlink };
}

/**
 * Opens with O_EXCL, which a mount, a swap area or device-mapper keeps others from: so a device in use is refused before
 * anything is done to it, in whatever mount namespace it is mounted.
 */
function claim(devicePath: string): number {
  try {
    return openLoopNode(devicePath, constants.O_RDONLY | constants.O_EXCL);
  } catch (cause) {
    if (!failedWith(cause, 'EBUSY')) throw cause;
    const message = `Cannot detach "${devicePath}": it is mounted or otherwise in use`;
    throw new StorageError(message, { code: 'Busy', errno: cause.code, cause, ...holderFacts(devicePath) });
  }
}

/** While others have it open, LOOP_CLR_FD succeeds, but only sets autoclear: the last close will detach (loop(4)). */
function requireGone(devicePath: string, backing: LoopDevice['backing']): void {
  const status = loopStatusOf(devicePath);
  // Without autoclear it is a new attachment of the same file, by somebody else.
  if (status === undefined || !hasBacking(status, backing) || !isAutoclear(status)) return;
  throw new StorageError(`Cannot detach "${devicePath}" yet: somebody has it open, their last close will detach it`, {
    code: 'Busy',
    progress: 'uncertain',
    ...holderFacts(devicePath),
  });
}

function holderFacts(devicePath: string): {
  readonly operation: string;
  readonly target: string;
  readonly hint: string;
} {
  return { operation: 'detach', target: devicePath, hint: `findmnt --source ${devicePath}; fuser -vam ${devicePath}` };
}

function requireLoopPath(devicePath: string): void {
  if (/^\/dev\/loop\d+$/.test(devicePath)) return;
  const message = `Cannot use "${devicePath}" as a loop device: wanted /dev/loop<number>`;
  throw new StorageError(message, { code: 'InvalidArgument', target: devicePath });
}

function act<T>(action: string, facts: StorageErrorFacts, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw storageErrorFromErrno(thrown, action, facts);
  }
}
