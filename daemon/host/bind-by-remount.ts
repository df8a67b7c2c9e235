import { constants, readFileSync } from 'node:fs';
import type { BindRequest, MountFlags } from '../ports/mounter.ts';
import { boundOptions, mountFlagsOf, repairedOptions } from './mount-attributes.ts';
import { parseMountInfo } from './mount-info-text.ts';
import { MS_BIND, MS_REMOUNT, O_PATH, UMOUNT_NOFOLLOW } from './mount-syscalls.ts';
import { mountIdOf } from './open-beneath.ts';
import { AT_FDCWD, mount, openat, umount2, withFd } from './syscalls.ts';

/**
 * Binds by mount(2), for kernels before 5.12. A bind takes no flags of its own (mount(2): "the remaining bits … are
 * ignored"), so it is remounted: for a moment a read-only bind is writable. A remount replaces all flags: those of the
 * source are repeated, or they would be lifted. A bind whose remount fails is taken back.
 */
export function bindByRemount(source: number, { target, flags }: BindRequest): void {
  withPath(target, (to) => mount(pathOf(source), pathOf(to), null, MS_BIND, null));
  const sourceOptions = mountOptionsAt(source);
  try {
    withPath(target, (to) => remountBind(to, boundOptions(sourceOptions, flags)));
  } catch (thrown) {
    umount2(target, UMOUNT_NOFOLLOW);
    throw thrown;
  }
}

/** Gives the mount that `fd` is the root of the flags asked for, and leaves it its other restrictions. */
export function repairByRemount(fd: number, flags: MountFlags): void {
  remountBind(fd, repairedOptions(mountOptionsAt(fd), flags));
}

function remountBind(fd: number, options: readonly string[]): void {
  mount('none', pathOf(fd), null, MS_REMOUNT | MS_BIND | mountFlagsOf(options), null);
}

/** From the table, not by statfs(2): that would ask a file server. */
function mountOptionsAt(fd: number): readonly string[] {
  const id = BigInt(mountIdOf(fd));
  const found = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8')).find((candidate) => candidate.id === id);
  if (found === undefined) throw new Error(`Cannot read the flags of mount ${id}: it is not in the mount table`);
  return found.options;
}

function withPath<T>(path: string, use: (fd: number) => T): T {
  return withFd(openat(AT_FDCWD, path, O_PATH | constants.O_NOFOLLOW), use);
}

function pathOf(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
