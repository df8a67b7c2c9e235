/** Numbers of linux/mount.h, linux/openat2.h and linux/fcntl.h, and the structures that those calls take. */

/** node:fs has O_DIRECTORY and O_NOFOLLOW, whose numbers differ between x86-64 and arm64; these are the same. */
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_NO_AUTOMOUNT = 0x800;
export const AT_EMPTY_PATH = 0x1000;
/** "Do not synchronise attributes, just take what is cached": a dead file server is not asked. */
export const AT_STATX_DONT_SYNC = 0x4000;

export const MS_REMOUNT = 32;
export const MS_BIND = 4096;

export const UMOUNT_NOFOLLOW = 8;

export const OPEN_TREE_CLONE = 1;
export const OPEN_TREE_CLOEXEC = 0o2000000;
export const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
export const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
export const FSCONFIG_SET_FLAG = 0;

export const RESOLVE_NO_XDEV = 0x1;
export const RESOLVE_NO_MAGICLINKS = 0x2;
export const RESOLVE_NO_SYMLINKS = 0x4;
export const RESOLVE_BENEATH = 0x8;

/** struct open_how; O_CLOEXEC is always added, so that no child inherits the descriptor. */
export function openHow(flags: number, resolve: number): Buffer {
  const how = Buffer.alloc(24);
  how.writeUInt32LE(flags | O_CLOEXEC, 0);
  how.writeUInt32LE(resolve, 16);
  return how;
}

/** struct mount_attr: attributes to set, attributes to clear; propagation and user namespace stay as they are. */
export function mountAttr(set: number, clear: number): Buffer {
  const attributes = Buffer.alloc(32);
  attributes.writeUInt32LE(set, 0);
  attributes.writeUInt32LE(clear, 8);
  return attributes;
}
