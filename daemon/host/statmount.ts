import type { MountInfo } from '../world/mount-info.ts';
import { unescapeOctal } from './mount-info-text.ts';
import { failedWith } from './syscall-error.ts';
import { listmount, statmount } from './syscalls.ts';

/** LSMT_ROOT: everything below the root directory of this process. */
const LSMT_ROOT = 0xffff_ffff_ffff_ffffn;

/** STATMOUNT_ bits of what MountInfo needs, with the offset of each answer in struct statmount (linux/mount.h, 6.13). */
const SB_BASIC = 0x1n;
const MNT_BASIC = 0x2n;
const MNT_ROOT = 0x8n;
const MNT_POINT = 0x10n;
const FS_TYPE = 0x20n;
const MNT_OPTS = 0x80n;
const FS_SUBTYPE = 0x100n;
const SB_SOURCE = 0x200n;
const WANTED = SB_BASIC | MNT_BASIC | MNT_ROOT | MNT_POINT | FS_TYPE | MNT_OPTS | FS_SUBTYPE | SB_SOURCE;

const STRINGS_OFFSET = 512;

/** MOUNT_ATTR_ bits in the order in which mountinfo prints them (fs/proc_namespace.c, show_mnt_opts). */
const attributeNames = [
  [0x2, 'nosuid'],
  [0x4, 'nodev'],
  [0x8, 'noexec'],
  [0x10, 'noatime'],
  [0x80, 'nodiratime'],
] as const;

/** SB_ bits in the order of show_sb_opts. */
const superblockNames = [
  [0x10, 'sync'],
  [0x80, 'dirsync'],
  [0x40, 'mand'],
  [0x2000000, 'lazytime'],
] as const;

const request = Buffer.alloc(24);
request.writeUInt32LE(24);
let answer = Buffer.alloc(4096);
let ids = new BigUint64Array(512);

/** The 64-bit unique ids of all mounts that this process can reach, ascending: by age. They are never used again. */
export function listMountIds(): BigUint64Array {
  for (let last = 0n, count = 0; ; ) {
    request.writeBigUInt64LE(LSMT_ROOT, 8);
    request.writeBigUInt64LE(last, 16);
    count += listmount(request, ids.subarray(count));
    if (count < ids.length) return ids.slice(0, count);
    last = ids[count - 1] ?? 0n;
    const larger = new BigUint64Array(ids.length * 2);
    larger.set(ids);
    ids = larger;
  }
}

export function isSameIds(a: BigUint64Array, b: BigUint64Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
}

/** The id that mountinfo gives the mount with this unique id; undefined when it is gone. */
export function mountInfoId(id: bigint): number | undefined {
  return unlessGone(() => {
    fillAnswer(id, MNT_BASIC);
    return answer.readUInt32LE(56);
  });
}

/** One mount as the kernel wrote it: `bytes` are equal exactly when nothing that MountInfo tells has changed. */
export interface MountReading {
  readonly bytes: Buffer;
  readonly info: MountInfo;
}

/**
 * Reads one mount; the same reading as `before` when nothing changed, undefined when the mount is gone (ENOENT).
 * Asks no file server: everything comes from the kernel's own structures.
 */
export function readMount(id: bigint, before?: MountReading): MountReading | undefined {
  return unlessGone(() => {
    const length = fillAnswer(id, WANTED);
    if (before !== undefined && before.bytes.equals(answer.subarray(0, length))) return before;
    const bytes = Buffer.from(answer.subarray(0, length));
    return { bytes, info: decode(bytes) };
  });
}

/** Throws ENOSYS where the calls are missing; false where the kernel (6.8 to 6.12) cannot tell sources and options. */
export function statmountTellsAll(): boolean {
  const [first] = listMountIds();
  if (first === undefined) return false;
  fillAnswer(first, SB_SOURCE);
  return (answer.readBigUInt64LE(8) & SB_SOURCE) !== 0n;
}

function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (failedWith(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}

function fillAnswer(id: bigint, wanted: bigint): number {
  for (;;) {
    request.writeBigUInt64LE(id, 8);
    request.writeBigUInt64LE(wanted, 16);
    try {
      statmount(request, answer);
      return answer.readUInt32LE(0);
    } catch (thrown) {
      if (!failedWith(thrown, 'EOVERFLOW')) throw thrown;
      answer = Buffer.alloc(answer.length * 2);
    }
  }
}

function decode(bytes: Buffer): MountInfo {
  const mask = bytes.readBigUInt64LE(8);
  const string = (bit: bigint, offset: number) => {
    if ((mask & bit) === 0n) return '';
    const start = STRINGS_OFFSET + bytes.readUInt32LE(offset);
    return bytes.toString('utf8', start, bytes.indexOf(0, start));
  };
  const subtype = string(FS_SUBTYPE, 120);
  return {
    id: bytes.readBigUInt64LE(40),
    parentId: bytes.readBigUInt64LE(48),
    device: `${bytes.readUInt32LE(16)}:${bytes.readUInt32LE(20)}`,
    root: string(MNT_ROOT, 104),
    mountPoint: string(MNT_POINT, 108),
    options: mountOptions(bytes.readUInt32LE(64)),
    fsType: string(FS_TYPE, 36) + (subtype === '' ? '' : `.${subtype}`),
    source: string(SB_SOURCE, 124),
    superOptions: [...superblockOptions(bytes.readUInt32LE(32)), ...splitOptions(string(MNT_OPTS, 4))],
  };
}

function mountOptions(attributes: number): readonly string[] {
  const options = [(attributes & 1) !== 0 ? 'ro' : 'rw'];
  for (const [bit, name] of attributeNames) if ((attributes & bit) !== 0) options.push(name);
  if ((attributes & 0x70) === 0) options.push('relatime');
  if ((attributes & 0x200000) !== 0) options.push('nosymfollow');
  if ((attributes & 0x100000) !== 0) options.push('idmapped');
  return options;
}

function superblockOptions(flags: number): readonly string[] {
  const names = superblockNames.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
  return [(flags & 1) !== 0 ? 'ro' : 'rw', ...names];
}

/** Filesystems escape their options for mountinfo, and statmount passes them on so. */
function splitOptions(text: string): readonly string[] {
  return text === '' ? [] : text.split(',').map(unescapeOctal);
}
