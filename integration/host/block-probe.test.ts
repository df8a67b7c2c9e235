import { readFileSync, rmSync, statSync, symlinkSync, truncateSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LinuxBlockProbe } from '../../daemon/host/linux-block-probe.ts';
import { SpawnedChildProcesses } from '../../daemon/host/spawned-child-processes.ts';
import type { ChildProcesses } from '../../daemon/ports/child-processes.ts';
import { mebibyte, type RealDevice, RealDevices, writeAt } from './real-devices.ts';
import { tool } from './real-mounts.ts';

const children = new SpawnedChildProcesses();
const probe = new LinuxBlockProbe(children);
const never = new AbortController().signal;
const size = 64 * mebibyte;

let devices: RealDevices;
beforeAll(() => {
  devices = new RealDevices();
});
afterAll(() => devices[Symbol.dispose]());

const swapHeader = Buffer.alloc(4096);
swapHeader.writeUInt32LE(1, 1024);
swapHeader.writeUInt32LE(100, 1028);
swapHeader.write('SWAPSPACE2', 4086, 'latin1');

const partitionTable = Buffer.alloc(512);
partitionTable.writeUInt8(0x83, 446 + 4);
partitionTable.writeUInt32LE(2048, 446 + 8);
partitionTable.writeUInt32LE(4096, 446 + 12);
partitionTable.writeUInt16LE(0xaa55, 510);

/** The label of a physical volume in sector 1, with LVM's checksum: a CRC-32 from 0xf597a6cf, not inverted. */
function lvmLabel(): Buffer {
  const sector = Buffer.alloc(512);
  sector.write('LABELONE', 0, 'latin1');
  sector.writeBigUInt64LE(1n, 8);
  sector.writeUInt32LE(32, 20);
  sector.write('LVM2 001', 24, 'latin1');
  sector.write('abcdefghijklmnopqrstuvwxyz012345', 32, 'latin1');
  let crc = 0xf597a6cf;
  for (const byte of sector.subarray(20)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  sector.writeUInt32LE(crc >>> 0, 16);
  return sector;
}

describe('LinuxBlockProbe.probe', () => {
  it.each([1, 4, 2047, 2048, 2049, 131_072])('calls a device of %i KiB of zeros blank', async (kibibytes) => {
    const device = devices.blank(kibibytes * 1024);
    expect(await probe.probe(device.path, never)).toEqual({ kind: 'blank' });
  });

  it.each([
    ['ext4', 64, []],
    ['xfs', 300, []],
    ['btrfs', 128, ['-q']],
  ])('recognises %s', async (fsType, mebibytes, options) => {
    const device = devices.blank(mebibytes * mebibyte);
    tool(`mkfs.${fsType}`, ...options, device.path);
    const uuid = tool('blkid', '-p', '-s', 'UUID', '-o', 'value', device.path);
    expect(await probe.probe(device.path, never)).toEqual({
      ...{ kind: 'filesystem', fsType, uuid },
      sizeBytes: BigInt(mebibytes * mebibyte),
    });
  });

  it.each<[string, (device: RealDevice) => void, string]>([
    ['a partition table', (device) => writeAt(device, 0, partitionTable), 'a dos partition table'],
    ['LUKS', (device) => writeAt(device, 0, 'LUKS\xba\xbe\x00\x01'), 'a crypto_LUKS signature'],
    ['LVM', (device) => writeAt(device, 512, lvmLabel()), 'a LVM2_member signature'],
    ['swap', (device) => writeAt(device, 0, swapHeader), 'a swap signature'],
    ['one byte at the very start', (device) => writeAt(device, 0, 'x'), 'byte 1 of its head'],
    ['one byte at the very end', (device) => writeAt(device, size - 1, 'x'), 'byte 1048576 of its tail'],
    ['one byte at the end of the head', (device) => writeAt(device, mebibyte - 1, 'x'), 'byte 1048576 of its head'],
    ['one byte at the start of the tail', (device) => writeAt(device, size - mebibyte, 'x'), 'byte 1 of its tail'],
    [
      'an ext4 without its superblock',
      (device) => {
        tool('mkfs.ext4', '-q', device.path);
        writeAt(device, 1024, Buffer.alloc(1024));
      },
      'bytes that nothing recognises',
    ],
    [
      'an ext4 with a partition table',
      (device) => {
        tool('mkfs.ext4', '-q', device.path);
        writeAt(device, 0, partitionTable);
      },
      'a ext4 signature and a dos partition table',
    ],
    [
      'a GPT of which only the backup is left',
      (device) => {
        tool('sh', '-c', `printf 'label: gpt' | sfdisk -q ${device.image}`);
        writeAt(device, 0, Buffer.alloc(mebibyte));
      },
      'of its tail',
    ],
  ])('finds %s', async (_, prepare, description) => {
    const device = devices.blank(size);
    prepare(device);
    expect(await probe.probe(device.path, never)).toEqual({
      kind: 'other',
      description: expect.stringContaining(description),
    });
  });

  it('takes no side between two filesystems', async () => {
    const device = devices.blank(300 * mebibyte);
    tool('mkfs.xfs', '-q', device.path);
    const xfsSuperblock = readFileSync(device.path).subarray(0, 512);
    tool('mkfs.ext4', '-q', '-F', device.path);
    writeAt(device, 0, xfsSuperblock);
    // blkid 2.38 says that they contradict each other, 2.41 that it knows neither: both ways it is not blank.
    expect((await probe.probe(device.path, never)).kind).toBe('other');
  });

  it('still names the filesystem on a device that has become shorter', async () => {
    const device = devices.blank(size);
    tool('mkfs.ext4', '-q', device.path);
    devices.detach(device);
    truncateSync(device.image, size / 2);
    const shorter = devices.attach(device.image);
    expect(await probe.probe(shorter.path, never)).toMatchObject({
      ...{ kind: 'filesystem', fsType: 'ext4', sizeBytes: BigInt(size) },
    });
  });

  it.each([
    ['the tail', size / 2],
    ['everything', 0],
  ])('never calls a device blank of which %s cannot be read', async (_, readableBytes) => {
    const device = devices.blank(size);
    // The loop device keeps its size and answers EIO beyond the end of its file; blkid exits 2 without a word.
    truncateSync(device.image, readableBytes);
    await expect(probe.probe(device.path, never)).rejects.toMatchObject({
      code: 'Unavailable',
      progress: 'transient',
      message: expect.stringContaining('Input/output error'),
    });
  });

  it('never calls a device without a size blank', async () => {
    const device = devices.blank(size);
    devices.detach(device);
    await expect(probe.probe(device.path, never)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      message: expect.stringContaining('no size'),
    });
  });

  it('notices that the device became another one while it was read', async () => {
    const device = devices.blank(size);
    const another = devices.image(size);
    let isReplaced = false;
    const replacing: ChildProcesses = {
      async run(name, args, options) {
        const result = await children.run(name, args, options);
        if (args.includes(`${size - mebibyte}:0`)) {
          isReplaced = true;
          devices.replace(device, another);
        }
        return result;
      },
    };
    await expect(new LinuxBlockProbe(replacing).probe(device.path, never)).rejects.toMatchObject({ code: 'Aborted' });
    expect(isReplaced).toBe(true);
  });

  it('leaves the device as it was when it is stopped', async () => {
    const device = devices.blank(size);
    await expect(probe.probe(device.path, AbortSignal.abort())).rejects.toMatchObject({
      code: 'Aborted',
      progress: 'transient',
    });
  });
});

describe('LinuxBlockProbe.describe', () => {
  it.each([
    ['writable', []],
    ['read-only', ['--read-only']],
  ])('describes a %s device', (kind, options) => {
    const device = devices.blank(size + 512, ...options);
    const [major, minor] = tool('stat', '--format', '%Hr %Lr', device.path).split(' ');
    expect(probe.describe(device.path)).toMatchObject({
      deviceNumber: `${major}:${minor}`,
      sizeBytes: BigInt(size + 512),
      readOnly: kind === 'read-only',
    });
  });

  it('follows links as long as they end below /dev', () => {
    const device = devices.blank(size);
    const link = `/dev/shm/moored-test-${process.pid}`;
    symlinkSync(device.path, link);
    try {
      expect(probe.describe(link)).toEqual(probe.describe(device.path));
    } finally {
      rmSync(link);
    }
    symlinkSync(device.image, link);
    try {
      expect(() => probe.describe(link)).toThrow(expect.objectContaining({ code: 'FailedPrecondition' }));
    } finally {
      rmSync(link);
    }
  });

  it.each([
    ['/dev/no-such-device', 'NotFound', /No such file|no such file/],
    ['/dev/zero', 'FailedPrecondition', /not a block device/],
    ['/dev/loop0/x', 'FailedPrecondition', /ENOTDIR/],
    ['/etc/passwd', 'FailedPrecondition', /not below \/dev/],
  ])('refuses %s', (path, code, message) => {
    expect(() => probe.describe(path)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it('refuses a node that no device is behind', () => {
    const path = `/dev/shm/moored-test-${process.pid}`;
    tool('mknod', path, 'b', '7', '1048000');
    try {
      expect(statSync(path).isBlockDevice()).toBe(true);
      expect(() => probe.describe(path)).toThrow(expect.objectContaining({ code: 'NotFound' }));
    } finally {
      rmSync(path);
    }
  });
});
