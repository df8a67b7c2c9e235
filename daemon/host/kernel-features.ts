import { FSCONFIG_SET_FLAG, mountAttr, openHow, RESOLVE_NO_SYMLINKS } from './mount-syscalls.ts';
import { listMountIds, mountInfoId, statmountTellsAll } from './statmount.ts';
import { failedWith } from './syscall-error.ts';
import { AT_FDCWD, close, fsconfig, fsopen, mountSetattr, openat2, openTree, withFd } from './syscalls.ts';

/** What this kernel (and the seccomp filter around the daemon) lets us call. Each absent one has an older way. */
export interface KernelFeatures {
  /** listmount(2) and statmount(2), and with them ids that are never used again: 6.8. Else: the recycled ids. */
  readonly listmount: boolean;
  /** A statmount(2) that also tells source and superblock options: 6.13. Else: mountinfo text only. */
  readonly statmount: boolean;
  /** open_tree, move_mount (5.2) and mount_setattr (5.12). Else: bind, then remount. */
  readonly mountSetattr: boolean;
  /** openat2(2): 5.6. Else: one openat(O_NOFOLLOW) per path component. */
  readonly openat2: boolean;
  /** The tmpfs option "noswap": 6.4. Else a tmpfs may be swapped out. */
  readonly tmpfsNoswap: boolean;
}

/** Asks the kernel once, with calls that change nothing. */
export function probeKernelFeatures(): KernelFeatures {
  return {
    listmount: works(() => listMountIds().every((id) => mountInfoId(id) !== undefined)),
    statmount: works(statmountTellsAll),
    mountSetattr: isPresent(() => mountSetattr(-1, '', 0, mountAttr(0, 0))) && isPresent(() => openTree(-1, '', 0)),
    openat2: works(() => {
      close(openat2(AT_FDCWD, '/', openHow(0, RESOLVE_NO_SYMLINKS)));
      return true;
    }),
    tmpfsNoswap: works(() => {
      withFd(fsopen('tmpfs', 0), (fd) => fsconfig(fd, FSCONFIG_SET_FLAG, 'noswap', null, 0));
      return true;
    }),
  };
}

/** Whether the call exists: a bad descriptor is answered EBADF, a missing call ENOSYS, a filtered one EPERM. */
function isPresent(probe: () => unknown): boolean {
  try {
    probe();
    return true;
  } catch (thrown) {
    return !failedWith(thrown, 'ENOSYS', 'EPERM');
  }
}

function works(probe: () => boolean): boolean {
  try {
    return probe();
  } catch (thrown) {
    if (failedWith(thrown, 'ENOSYS', 'EPERM', 'EINVAL', 'ENODEV')) return false;
    throw thrown;
  }
}
