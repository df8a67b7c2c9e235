import { constants, readFileSync } from 'node:fs';
import {
  O_PATH,
  openHow,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} from './mount-syscalls.ts';
import { SyscallError } from './syscall-error.ts';
import { AT_FDCWD, close, openat, openat2, type Path, withFd } from './syscalls.ts';

/**
 * Opens paths of which no component is a symlink: with a path that has no ".." in it, that is enough to stay below the
 * directory it starts with. openat2(2) does it in one call; before 5.6 one openat(O_NOFOLLOW) per component.
 */
export interface PathOpener {
  /** Opens an absolute path. ELOOP or ENOTDIR: there is a symlink in it. */
  open(path: string, flags: number): number;
  /** Opens one entry of a directory, which must be on the same mount: EXDEV when something is mounted on it. */
  openEntry(dirfd: number, name: Path, flags: number): number;
}

const NO_LINKS = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;

export const openat2Opener: PathOpener = {
  open: (path, flags) => openat2(AT_FDCWD, path, howOf(flags, NO_LINKS)),
  openEntry(dirfd, name, flags) {
    const resolve = NO_LINKS | RESOLVE_NO_XDEV | (name === '..' ? 0 : RESOLVE_BENEATH);
    return openat2(dirfd, name, howOf(flags, resolve));
  },
};

const hows = new Map<string, Buffer>();

/** The same few are used for every path: made once each. */
function howOf(flags: number, resolve: number): Buffer {
  const key = `${flags} ${resolve}`;
  const how = hows.get(key) ?? openHow(flags | constants.O_NOFOLLOW, resolve);
  hows.set(key, how);
  return how;
}

export const openatOpener: PathOpener = {
  open(path, flags) {
    const components = path.split('/').filter((component) => component !== '');
    const last = components.pop() ?? '.';
    let at = openat(AT_FDCWD, '/', O_PATH);
    for (const component of components) {
      const below = withFd(at, (fd) => openat(fd, component, O_PATH | constants.O_NOFOLLOW | constants.O_DIRECTORY));
      at = below;
    }
    return withFd(at, (fd) => openat(fd, last, flags | constants.O_NOFOLLOW));
  },
  openEntry(dirfd, name, flags) {
    const fd = openat(dirfd, name, flags | constants.O_NOFOLLOW);
    if (mountIdOf(fd) === mountIdOf(dirfd)) return fd;
    close(fd);
    throw new SyscallError('openat', 18, 'Invalid cross-device link');
  },
};

/** proc_pid_fdinfo(5): "mnt_id … the ID of the mount containing this file" (mountinfo's id, Linux 3.15). */
export function mountIdOf(fd: number): string {
  const text = readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1');
  const id = /^mnt_id:\s*(\d+)$/m.exec(text)?.[1];
  if (id === undefined) throw new Error(`Cannot tell the mount of file descriptor ${fd}: no mnt_id in its fdinfo`);
  return id;
}
