/** How large a filesystem says it is, from the bytes of its superblock. Pure. */
import type { FilesystemType } from './filesystem-type.ts';

export interface SuperblockPlace {
  /** Bytes from the start of the device. */
  readonly offset: number;
  readonly length: number;
}

/** Where the part of each superblock lies that tells its size. */
export const superblockPlaces: Readonly<Record<FilesystemType, SuperblockPlace>> = {
  ext4: { offset: 1024, length: 1024 },
  xfs: { offset: 0, length: 512 },
  btrfs: { offset: 65_536, length: 4096 },
};

/**
 * Bytes of the device that the filesystem takes; undefined when these are not the bytes of such a superblock.
 * ext4: fs/ext4/ext4.h, struct ext4_super_block, little-endian. xfs: struct xfs_dsb, big-endian. btrfs: struct
 * btrfs_super_block, whose dev_item is this device's share of what may be several.
 */
export function filesystemBytes(fsType: FilesystemType, superblock: DataView): bigint | undefined {
  if (superblock.byteLength < superblockPlaces[fsType].length) return undefined;
  switch (fsType) {
    case 'ext4':
      return ext4Bytes(superblock);
    case 'xfs':
      return superblock.getUint32(0) === 0x58465342
        ? superblock.getBigUint64(8) * BigInt(superblock.getUint32(4))
        : undefined;
    case 'btrfs':
      return superblock.getBigUint64(0x40) === 0x5f42485266535f4dn ? superblock.getBigUint64(0xd1, true) : undefined;
  }
}

const incompat64Bit = 0x80;

function ext4Bytes(superblock: DataView): bigint | undefined {
  const logBlockSize = superblock.getUint32(0x18, true);
  if (superblock.getUint16(0x38, true) !== 0xef53 || logBlockSize > 6) return undefined;
  const low = BigInt(superblock.getUint32(0x4, true));
  const has64Bit = (superblock.getUint32(0x60, true) & incompat64Bit) !== 0;
  const high = has64Bit ? BigInt(superblock.getUint32(0x150, true)) : 0n;
  return ((high << 32n) | low) * (1024n << BigInt(logBlockSize));
}

/** The bytes in what `od -A n -v -t x1` printed. */
export function bytesOfDump(text: string): DataView {
  const pairs = text.split(/\s+/).filter((pair) => pair !== '');
  return new DataView(Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)).buffer);
}
