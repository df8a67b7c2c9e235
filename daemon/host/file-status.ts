import { AT_EMPTY_PATH, AT_NO_AUTOMOUNT, AT_STATX_DONT_SYNC, AT_SYMLINK_NOFOLLOW } from './mount-syscalls.ts';
import { type Path, statx } from './syscalls.ts';

const STATX_TYPE_MODE_INO_SIZE = 0x1 | 0x2 | 0x100 | 0x200;
const STATX_ATTR_IMMUTABLE = 0x10;

export type FileKind = 'directory' | 'file' | 'symlink' | 'blockDevice' | 'other';

/** S_IFMT values of stat(2). */
const kinds: Readonly<Record<number, FileKind>> = {
  0o040000: 'directory',
  0o100000: 'file',
  0o120000: 'symlink',
  0o060000: 'blockDevice',
};

export interface FileStatus {
  readonly kind: FileKind;
  /** Permission bits only. */
  readonly mode: number;
  readonly inode: bigint;
  readonly size: bigint;
  readonly isImmutable: boolean;
}

const result = Buffer.alloc(256);

/** statx(2) of `name` in `dirfd`, or of `dirfd` itself when `name` is "". Follows no symlink and asks no file server. */
export function fileStatus(dirfd: number, name: Path): FileStatus {
  const flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC | (name === '' ? AT_EMPTY_PATH : 0);
  statx(dirfd, name, flags, STATX_TYPE_MODE_INO_SIZE, result);
  const mode = result.readUInt16LE(28);
  return {
    kind: kinds[mode & 0o170000] ?? 'other',
    mode: mode & 0o7777,
    inode: result.readBigUInt64LE(32),
    size: result.readBigUInt64LE(40),
    isImmutable: (result.readUInt32LE(8) & STATX_ATTR_IMMUTABLE) !== 0,
  };
}
