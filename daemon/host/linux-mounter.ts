import { constants } from 'node:fs';
import { basename, dirname } from 'node:path/posix';
import type { BindRequest, DeviceMountRequest, Mounter, MountFlags, TmpfsRequest } from '../ports/mounter.ts';
import { StorageError, type StorageErrorFacts } from '../world/storage-error.ts';
import { bindByRemount, repairByRemount } from './bind-by-remount.ts';
import { fileStatus } from './file-status.ts';
import type { KernelFeatures } from './kernel-features.ts';
import { addedAttributes, mountFlagsOf, optionsOf, repairedAttributes } from './mount-attributes.ts';
import {
  AT_EMPTY_PATH,
  MOVE_MOUNT_F_EMPTY_PATH,
  MOVE_MOUNT_T_EMPTY_PATH,
  mountAttr,
  O_PATH,
  OPEN_TREE_CLOEXEC,
  OPEN_TREE_CLONE,
  UMOUNT_NOFOLLOW,
} from './mount-syscalls.ts';
import type { MountTools } from './mount-tools.ts';
import { openat2Opener, openatOpener, type PathOpener } from './open-beneath.ts';
import { storageErrorFromErrno } from './storage-error-from-errno.ts';
import { failedWith } from './syscall-error.ts';
import { AT_FDCWD, close, mount, mountSetattr, moveMount, openat, openTree, umount2, withFd } from './syscalls.ts';

/**
 * Mounts: tmpfs and binds by system call, block filesystems by mount(8) in a child that can be given up.
 *
 * Each target is opened first with O_PATH|O_NOFOLLOW and mounted on by descriptor: a symlink put in its place is refused
 * (ELOOP, ENOTDIR) or comes too late.
 */
export class LinuxMounter implements Mounter {
  readonly #features: KernelFeatures;
  readonly #opener: PathOpener;
  readonly #tools: MountTools;

  constructor(features: KernelFeatures, tools: MountTools) {
    this.#features = features;
    this.#opener = features.openat2 ? openat2Opener : openatOpener;
    this.#tools = tools;
  }

  mountTmpfs(request: TmpfsRequest): void {
    const { target } = request;
    const data = this.#tmpfsOptions(request);
    const flags = optionsOf(request.flags);
    attempt(`Cannot mount tmpfs at "${target}"`, { target, flags: [...flags, data].join(',') }, () =>
      withFd(openNoFollow(target), (fd) => mount('tmpfs', inProc(fd), 'tmpfs', mountFlagsOf(flags), data)),
    );
  }

  bind(request: BindRequest): void {
    const { source, target } = request;
    const facts = { source, target, flags: ['bind', ...optionsOf(request.flags)].join(',') };
    attempt(`Cannot bind "${source}" at "${target}"`, facts, () => {
      const from = request.isUsersDirectory
        ? this.#opener.open(source, O_PATH | constants.O_DIRECTORY)
        : openNoFollow(source);
      withFd(from, (fd) => {
        if (this.#features.mountSetattr) bindClone(fd, request);
        else bindByRemount(fd, request);
      });
    });
  }

  setFlags(target: string, flags: MountFlags): void {
    const facts = { target, flags: optionsOf(flags).join(',') };
    attempt(`Cannot set the flags of "${target}"`, facts, () =>
      withFd(openNoFollow(target), (fd) => {
        if (!this.#features.mountSetattr) return repairByRemount(fd, flags);
        const { set, clear } = repairedAttributes(flags);
        return mountSetattr(fd, '', AT_EMPTY_PATH, mountAttr(set, clear));
      }),
    );
  }

  async mountDevice(request: DeviceMountRequest, signal: AbortSignal): Promise<void> {
    const { device, target } = request;
    const facts = { operation: 'mount', source: device, target };
    const fd = attempt(`Cannot mount "${device}" at "${target}"`, facts, () => {
      requireBlockDevice(device);
      return openNoFollow(target);
    });
    try {
      await this.#tools.mount(request, `/proc/${process.pid}/fd/${fd}`, signal);
    } finally {
      close(fd);
    }
  }

  async unmount(
    target: string,
    options: { readonly mayHang: boolean },
    signal: AbortSignal,
  ): Promise<'unmounted' | 'notMounted'> {
    const action = `Cannot unmount "${target}"`;
    if (!options.mayHang) return attempt(action, { target }, () => unmountNow(target));
    if (!attempt(action, { target }, () => this.#isMountPoint(target))) return 'notMounted';
    await this.#tools.unmount(target, signal);
    return 'unmounted';
  }

  #tmpfsOptions({ sizeBytes, mode, target }: TmpfsRequest): string {
    if (sizeBytes !== undefined && sizeBytes <= 0n) {
      // tmpfs(5): "size=0" means no limit at all.
      const message = `Cannot mount tmpfs at "${target}" with ${sizeBytes} bytes: not a positive size`;
      throw new StorageError(message, { code: 'InvalidArgument', target });
    }
    const size = sizeBytes === undefined ? [] : [`size=${sizeBytes}`];
    const noswap = this.#features.tmpfsNoswap ? ['noswap'] : [];
    return [...size, `mode=${mode.toString(8)}`, ...noswap].join(',');
  }

  /**
   * Asked of the parent directory, and answered without a look at what is mounted: RESOLVE_NO_XDEV fails (EXDEV) before
   * the root of a dead file server would be asked for anything. A symlink is ELOOP or ENOTDIR.
   */
  #isMountPoint(target: string): boolean {
    try {
      return withFd(this.#opener.open(dirname(target), O_PATH | constants.O_DIRECTORY), (parent) => {
        close(this.#opener.openEntry(parent, basename(target), O_PATH));
        return false;
      });
    } catch (thrown) {
      if (failedWith(thrown, 'EXDEV')) return true;
      if (failedWith(thrown, 'ENOENT')) return false;
      throw thrown;
    }
  }
}

/** A clone gets its flags before it is attached: a read-only bind was never visible writable. */
function bindClone(source: number, { target, flags }: BindRequest): void {
  const { set, clear } = addedAttributes(flags);
  const from = openTree(source, '', OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
  withFd(from, () => {
    mountSetattr(from, '', AT_EMPTY_PATH, mountAttr(set, clear));
    withFd(openNoFollow(target), (to) =>
      moveMount(from, '', to, '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH),
    );
  });
}

function unmountNow(target: string): 'unmounted' | 'notMounted' {
  try {
    umount2(target, UMOUNT_NOFOLLOW);
    return 'unmounted';
  } catch (thrown) {
    if (failedWith(thrown, 'EINVAL', 'ENOENT')) return 'notMounted';
    throw thrown;
  }
}

/** mount(8) would quietly make a loop device for a regular file. */
function requireBlockDevice(device: string): void {
  const kind = withFd(openat(AT_FDCWD, device, O_PATH), (fd) => fileStatus(fd, '').kind);
  if (kind === 'blockDevice') return;
  const message = `Cannot mount "${device}": it is a ${kind}, not a block device`;
  throw new StorageError(message, { code: 'InvalidArgument', source: device });
}

function openNoFollow(path: string): number {
  const fd = openat(AT_FDCWD, path, O_PATH | constants.O_NOFOLLOW);
  if (fileStatus(fd, '').kind !== 'symlink') return fd;
  close(fd);
  throw new StorageError(`Cannot mount on or from "${path}": it is a symlink`, {
    code: 'FailedPrecondition',
    target: path,
  });
}

function inProc(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

function attempt<T>(action: string, facts: StorageErrorFacts, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw storageErrorFromErrno(thrown, action, facts);
  }
}
