/**
 * Every signature that this machine's libblkid knows, written where its tools would write it, at the head or at the tail of
 * a device: none may ever be called blank, and what was found is named. Offsets are those of util-linux, libblkid/src.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LinuxBlockProbe } from '../../daemon/host/linux-block-probe.ts';
import { LinuxFilesystems } from '../../daemon/host/linux-filesystems.ts';
import { SpawnedChildProcesses } from '../../daemon/host/spawned-child-processes.ts';
import { decideFormat, type FormatDecision } from '../../daemon/plan/format-decision.ts';
import type { ProbeResult } from '../../daemon/world/probe-result.ts';
import { mebibyte, type RealDevice, RealDevices, writeAt } from './real-devices.ts';
import { tool } from './real-mounts.ts';

const children = new SpawnedChildProcesses();
const probe = new LinuxBlockProbe(children);
const filesystems = new LinuxFilesystems(children);
const never = new AbortController().signal;
const KiB = 1024;
const size = 32 * mebibyte;
const tail = (fromEnd: number): number => size - fromEnd;

/** Bytes at an offset. `latin1` text, or numbers in hexadecimal. */
type Piece = readonly [offset: number, bytes: string | Buffer];

const hex = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');
const repeat = (count: number, piece: (index: number) => Piece): Piece[] =>
  Array.from({ length: count }, (_, index) => piece(index));
/** ZFS: uberblocks in a label; the name-value list before them may be empty. */
const zfs = (label: number): Piece[] => repeat(8, (index) => [label + 128 * KiB + index * KiB, hex('0cb1ba00')]);
/** MD 1.x: magic, major version 1, and, at 128, the sector of the superblock itself. */
const md1 = (offset: number): Piece[] => {
  const sector = Buffer.alloc(8);
  sector.writeBigUInt64LE(BigInt(offset / 512));
  return [
    [offset, hex('fc4e2ba9 01000000')],
    [offset + 144, sector],
  ];
};

/** By blkid's name for the type. Several rows of one type: at another place. */
const signatures: readonly (readonly [type: string, pieces: readonly Piece[]])[] = [
  // Members of something larger: to format one is to lose all of it.
  ['linux_raid_member', md1(4 * KiB)],
  ['linux_raid_member', md1(0)],
  ['linux_raid_member', md1(tail(8 * KiB))],
  ['linux_raid_member', [[tail(64 * KiB), hex('fc4e2ba9 00000000 5a000000')]]],
  ['LVM2_member', [[512, `LABELONE${'\0'.repeat(12)}\x20\0\0\0LVM2 001`]]],
  ['LVM1_member', [[0, 'HM\x01\0']]],
  ['zfs_member', zfs(0)],
  ['zfs_member', zfs(256 * KiB)],
  ['zfs_member', zfs(tail(256 * KiB))],
  ['zfs_member', zfs(tail(512 * KiB))],
  ['crypto_LUKS', [[0, 'LUKS\xba\xbe\0\x01']]],
  ['crypto_LUKS', [[0, 'LUKS\xba\xbe\0\x02']]],
  ['crypto_LUKS', [[16 * KiB, 'SKUL\xba\xbe\0\x02']]],
  ['BitLocker', [[0, '\xeb\x58\x90-FVE-FS-']]],
  ['bcache', [[4 * KiB + 24, hex('c68573f6 4e1a45ca 8265f57f 48ba6d81')]]],
  // Known to libblkid since 2.39.
  ['bcachefs', [[4 * KiB + 24, hex('c68573f6 66ce90a9 d96a60cf 803df7ef')]]],
  ['cs_fvault2', [[88, 'CS']]],
  ['ceph_bluestore', [[0, 'bluestore block device']]],
  ['drbd', [[tail(4 * KiB) + 60, hex('8374026b')]]],
  ['drbdmanage_control_volume', [[0, '$DRBDmgr=q']]],
  ['drbdproxy_datalog', [[16, 'DRBDdlh*']]],
  ['DM_snapshot_cow', [[0, 'SnAp']]],
  ['DM_verity_hash', [[0, 'verity\0\0\x01\0\0\0']]],
  ['DM_integrity', [[0, 'integrt\0\x01']]],
  ['stratis', [[516, '!Stra0tis\x86\xff\x02^\x41rh']]],
  ['stratis', [[9 * 512 + 4, '!Stra0tis\x86\xff\x02^\x41rh']]],
  ['vdo', [[0, 'dmvdo001']]],
  ['ubi', [[0, 'UBI#']]],
  ['VMFS_volume_member', [[mebibyte, hex('0dd001c0')]]],
  ['VMFS', [[2 * mebibyte, hex('5ef1ab2f')]]],
  ['oracleasm', [[32, 'ORCLDISK']]],
  ['mpool', [[0, 'mpoolDev']]],
  // Firmware RAID, at the tail.
  ['ddf_raid_member', [[tail(512), hex('de11de11')]]],
  ['isw_raid_member', [[tail(1024), 'Intel Raid ISM Cfg Sig. 1.0.00']]],
  ['lsi_mega_raid_member', [[tail(512), '$XIDE$']]],
  ['via_raid_member', [[tail(512), hex('55aa0004')]]],
  ['silicon_medley_raid_member', [[tail(512) + 0x60, hex('0000002f')]]],
  ['nvidia_raid_member', [[tail(1024), 'NVIDIA\0\0\x50\0\0\0']]],
  ['promise_fasttrack_raid_member', [[tail(63 * 512), 'Promise Technology, Inc.']]],
  ['hpt45x_raid_member', [[tail(11 * 512), hex('f3 16 78 5a')]]],
  ['hpt37x_raid_member', [[9 * 512 + 32, hex('f0 16 78 5a')]]],
  ['adaptec_raid_member', [[tail(512), 'DPTM']]],
  ['jmicron_raid_member', [[tail(512), 'JM']]],
  // Filesystems and swap.
  [
    'swap',
    [
      [4086, 'SWAPSPACE2'],
      [1024, hex('01000000 64000000')],
    ],
  ],
  ['swap', [[4086, 'SWAP-SPACE']]],
  ['swsuspend', [[4086, 'S1SUSPEND\0']]],
  ['swsuspend', [[4086, 'LINHIB0001']]],
  ['reiserfs', [[64 * KiB + 52, 'ReIsEr2Fs']]],
  ['reiser4', [[64 * KiB, 'ReIsEr4']]],
  ['jfs', [[32 * KiB, 'JFS1']]],
  ['xfs', [[0, 'XFSB']]],
  ['xfs_external_log', [[0, hex('feedbabe')]]],
  ['btrfs', [[64 * KiB + 64, '_BHRfS_M']]],
  ['ext4', [[1024 + 0x38, hex('53ef')]]],
  ['f2fs', [[1024, hex('1020f5f2')]]],
  ['nilfs2', [[1024 + 6, hex('3434')]]],
  ['exfs', [[0, 'EXFS']]],
  [
    'exfat',
    [
      [0, '\xeb\x76\x90EXFAT   '],
      [510, hex('55aa')],
    ],
  ],
  [
    'vfat',
    [
      [0, '\xeb\x3c\x90mkfs.fat'],
      [11, hex('0002 04 0100 02 0002 0080 f8 2000')],
      [54, 'FAT16   '],
      [510, hex('55aa')],
    ],
  ],
  [
    'ntfs',
    [
      [0, '\xeb\x52\x90NTFS    '],
      [510, hex('55aa')],
    ],
  ],
  ['ReFS', [[0, '\0\0\0ReFS\0']]],
  ['hfs', [[1024, 'BD']]],
  ['hfsplus', [[1024, 'H+\0\x04']]],
  ['apfs', [[32, 'NXSB']]],
  ['iso9660', [[32 * KiB, '\x01CD001\x01']]],
  [
    'udf',
    [
      [32 * KiB, '\0BEA01\x01'],
      [34 * KiB, '\0NSR02\x01'],
      [36 * KiB, '\0TEA01\x01'],
    ],
  ],
  ['ufs', [[8 * KiB + 1372, hex('54190100')]]],
  ['hpfs', [[8 * KiB, hex('49e895f9')]]],
  ['sysv', [[512 + 504, hex('207e18fd')]]],
  ['xenix', [[1024 + 1016, hex('445544 2b')]]],
  [
    'cramfs',
    [
      [0, hex('453dcd28')],
      [16, 'Compressed ROMFS'],
    ],
  ],
  ['romfs', [[0, '-rom1fs-']]],
  ['minix', [[1024 + 16, hex('7f13')]]],
  ['gfs', [[64 * KiB, hex('01161970 00000001')]]],
  [
    'gfs2',
    [
      [64 * KiB, hex('01161970 00000001')],
      [64 * KiB + 24, hex('00000709')],
    ],
  ],
  ['ocfs', [[8, 'OracleCFS']]],
  ['ocfs2', [[2 * KiB, 'OCFSV2']]],
  ['vxfs', [[1024, hex('f5fc01a5')]]],
  [
    'squashfs',
    [
      [0, 'hsqs'],
      [28, hex('0400')],
    ],
  ],
  [
    'squashfs3',
    [
      [0, 'hsqs'],
      [28, hex('0300')],
    ],
  ],
  ['nss', [[4 * KiB, 'SPB5']]],
  ['ubifs', [[0, hex('31181006')]]],
  ['bfs', [[0, hex('cefaad1b')]]],
  ['befs', [[512 + 32, '1SFB']]],
  ['zonefs', [[0, 'SFOZ']]],
  ['erofs', [[1024, hex('e2e1f5e0')]]],
];

/** Made with a tool below, not from bytes. */
const madeByTools = ['ext2', 'ext3', 'ext4dev', 'jbd'];

let devices: RealDevices;
let device: RealDevice;
beforeAll(() => {
  devices = new RealDevices();
  device = devices.blank(size);
});
afterAll(() => devices[Symbol.dispose]());

function decide(result: ProbeResult): FormatDecision {
  return decideFormat({
    device: device.path,
    deviceBytes: BigInt(size),
    wanted: 'ext4',
    readOnly: false,
    probe: result,
    record: undefined,
  });
}

function bytesOf(path: string, offset: number, length: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    readSync(fd, bytes, 0, length, offset);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

const named: string[] = [];

describe('a signature written as bytes', () => {
  it.each(signatures)('%s %j is refused, and nothing is written', async (type, pieces) => {
    for (const [offset, bytes] of pieces) writeAt(device, offset, bytes);
    try {
      const decision = decide(await probe.probe(device.path, never));
      // The kernel's one own filesystem that is wanted: used as it is, which its mount refuses, and never formatted.
      if (decision.kind === 'useAsIs') return;
      expect(decision.kind).toBe('refuse');
      const message = decision.kind === 'refuse' ? decision.error.message : '';
      expect(message).toMatch(/^Cannot use "\/dev\/loop\d+": (it holds|wrong fs type) /);
      if (message.includes(type)) named.push(type);
      else expect(message).toMatch(/signature|partition table|bytes that nothing recognises|wrong fs type|contradict/);
      for (const [offset, bytes] of pieces) {
        const written = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
        expect(bytesOf(device.path, offset, written.length)).toEqual(written);
      }
    } finally {
      for (const [offset, bytes] of pieces) writeAt(device, offset, Buffer.alloc(bytes.length));
    }
  });

  it('covers every type that this libblkid knows, and names most of them', () => {
    const known = tool('blkid', '-k').split('\n');
    const covered = new Set([...signatures.map(([type]) => type), ...madeByTools]);
    expect(known.filter((type) => !covered.has(type))).toEqual([]);
    // More than 40 with libblkid 2.38, 37 with 2.41, which believes less without a checksum.
    expect(named.length).toBeGreaterThan(30);
  });

  it('and the device, all of it taken away again, is blank: the matrix can fail', async () => {
    expect(await probe.probe(device.path, never)).toEqual({ kind: 'blank' });
  });
});

describe('a signature made by a tool', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['ext2', ['mke2fs', '-q', '-t', 'ext2'], /wrong fs type "ext2"/],
    ['ext3', ['mke2fs', '-q', '-t', 'ext3'], /wrong fs type "ext3"/],
    ['jbd', ['mke2fs', '-q', '-O', 'journal_dev'], /a jbd signature/],
    ['swap', ['mkswap'], /a swap signature/],
    ['minix', ['mkfs.minix'], /wrong fs type "minix"/],
    ['bfs', ['mkfs.bfs'], /wrong fs type "bfs"|a bfs signature/],
    ['dos', ['sfdisk', '-q', '--wipe', 'never', '--label', 'dos'], /a dos partition table/],
    ['gpt', ['sfdisk', '-q', '--wipe', 'never', '--label', 'gpt'], /a gpt partition table|PMBR/],
    ['sgi', ['sfdisk', '-q', '--wipe', 'never', '--label', 'sgi'], /a sgi partition table/],
    ['sun', ['sfdisk', '-q', '--wipe', 'never', '--label', 'sun'], /a sun partition table/],
  ])('%s: refused by name, by the decision and by make itself', async (_type, [name = '', ...args], message) => {
    const image = devices.image(size);
    if (name === 'sfdisk') tool('sh', '-c', `echo ';' | sfdisk ${args.join(' ')} ${image}`);
    else tool(name, ...args, image);
    const made = devices.attach(image);
    const before = bytesOf(made.path, 0, mebibyte);
    const decision = decide(await probe.probe(made.path, never));
    expect(decision).toMatchObject({ kind: 'refuse', error: { message: expect.stringMatching(message) } });
    await expect(filesystems.make(made.path, 'ext4', never)).rejects.toMatchObject({ code: 'NotBlank' });
    expect(bytesOf(made.path, 0, mebibyte).equals(before)).toBe(true);
    devices.detach(made);
  });
});
