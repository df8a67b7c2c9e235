import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LinuxFilesystems } from '../../daemon/host/linux-filesystems.ts';
import { SpawnedChildProcesses } from '../../daemon/host/spawned-child-processes.ts';
import type { ChildProcesses } from '../../daemon/ports/child-processes.ts';
import type { FilesystemType } from '../../daemon/world/filesystem-type.ts';
import { mebibyte, type RealDevice, RealDevices, writeAt } from './real-devices.ts';
import { tool } from './real-mounts.ts';
import { processesWith, until } from './real-processes.ts';

const children = new SpawnedChildProcesses();
const filesystems = new LinuxFilesystems(children);
const never = new AbortController().signal;

let devices: RealDevices;
beforeAll(() => {
  devices = new RealDevices();
});
afterAll(() => devices[Symbol.dispose]());

const every: readonly { readonly fsType: FilesystemType; readonly minimum: number; readonly minimumText: string }[] = [
  { fsType: 'ext4', minimum: 2 * mebibyte, minimumText: '2Mi' },
  { fsType: 'xfs', minimum: 300 * mebibyte, minimumText: '300Mi' },
  { fsType: 'btrfs', minimum: 114_294_784, minimumText: '109Mi' },
];
const allocated = (image: string): number => statSync(image).blocks * 512;
const typeOf = ({ path }: RealDevice): string => tool('blkid', '-p', '-s', 'TYPE', '-o', 'value', path);

describe.each(every)('make $fsType', ({ fsType, minimum, minimumText }) => {
  it('makes one that can be written to, on the smallest device', async () => {
    const device = devices.blank(minimum);
    const target = devices.directory();
    await filesystems.make(device.path, fsType, never);
    expect(typeOf(device)).toBe(fsType);
    tool('mount', '-t', fsType, device.path, target);
    try {
      writeFileSync(join(target, 'file'), 'data');
    } finally {
      tool('umount', target);
    }
    expect(await filesystems.check(device.path, fsType, never)).toEqual({ corrected: false });
  });

  it('names the minimum when the device is too small, and writes nothing', async () => {
    const device = devices.blank(minimum - 4096);
    await expect(filesystems.make(device.path, fsType, never)).rejects.toMatchObject({
      code: 'InvalidArgument',
      progress: 'final',
      message: expect.stringMatching(
        new RegExp(`has ${minimum - 4096} bytes, ${fsType} needs at least ${minimumText}`),
      ),
    });
    expect(allocated(device.image)).toBe(0);
  });

  it('never writes over a signature', async () => {
    const device = devices.blank(minimum);
    writeAt(device, 0, 'LUKS\xba\xbe\x00\x01');
    const before = readFileSync(device.image).subarray(0, mebibyte);
    await expect(filesystems.make(device.path, fsType, never)).rejects.toMatchObject({
      code: 'NotBlank',
      progress: 'final',
      message: expect.stringContaining('TYPE=crypto_LUKS'),
    });
    expect(readFileSync(device.image).subarray(0, mebibyte).equals(before)).toBe(true);
  });

  it('refuses a read-only device', async () => {
    const device = devices.blank(minimum, '--read-only');
    await expect(filesystems.make(device.path, fsType, never)).rejects.toMatchObject({
      code: 'FailedPrecondition',
      progress: 'final',
    });
  });

  it('says so when the image has no room to grow', async () => {
    const device = devices.attach(devices.image(minimum, devices.tmpfs('64k')));
    await expect(filesystems.make(device.path, fsType, never)).rejects.toMatchObject({
      code: expect.stringMatching(/^(ResourceExhausted|Unavailable)$/),
      progress: 'uncertain',
      facts: { exitCode: 1, hint: expect.stringContaining('df') },
    });
  });

  it('refuses a device that somebody else has claimed', async () => {
    const device = devices.blank(minimum);
    // O_EXCL on a block device is a claim on it (open(2)), as a mount or device-mapper makes.
    const claim = openSync(device.path, constants.O_RDONLY | constants.O_EXCL);
    try {
      await expect(filesystems.make(device.path, fsType, never)).rejects.toMatchObject({
        code: 'Busy',
        progress: 'final',
      });
    } finally {
      closeSync(claim);
    }
    expect(allocated(device.image)).toBe(0);
  });
});

describe('make ext4', () => {
  it('keeps the image sparse, reserves nothing, and has journal and checksums', async () => {
    const device = devices.blank(1024 * mebibyte);
    await filesystems.make(device.path, 'ext4', never);
    const facts = tool('dumpe2fs', '-h', device.path);
    expect(facts).toMatch(/^Reserved block count: +0$/m);
    expect(facts).toMatch(/^Filesystem features:.* has_journal .*metadata_csum/m);
    expect(allocated(device.image)).toBeLessThan(8 * mebibyte);
  });

  it('is uncertain when mkfs was ended', async () => {
    const abort = new AbortController();
    const device = devices.blank(64 * mebibyte);
    const slow: ChildProcesses = {
      run: (name, args, options) => {
        if (!name.startsWith('mkfs')) return children.run(name, args, options);
        const started = children.run('sh', ['-c', `echo x > ${device.path}; sleep 600`], options);
        abort.abort();
        return started;
      },
    };
    await expect(new LinuxFilesystems(slow).make(device.path, 'ext4', abort.signal)).rejects.toMatchObject({
      code: 'Aborted',
      progress: 'uncertain',
    });
  });

  it('does not wait for a mkfs that hangs on its device', async () => {
    const target = devices.directory();
    const outer = devices.blank(64 * mebibyte);
    tool('mkfs.ext4', '-q', outer.path);
    tool('mount', outer.path, target);
    const device = devices.attach(devices.image(32 * mebibyte, target));
    const abort = new AbortController();
    devices.freeze(target);
    try {
      const made = filesystems.make(device.path, 'ext4', abort.signal);
      made.catch(() => undefined);
      await until(() => processesWith(device.path).some(({ state }) => state === 'D'));
      abort.abort();
      await expect(made).rejects.toMatchObject({ code: 'Aborted', progress: 'uncertain' });
    } finally {
      devices.thaw(target);
    }
    await until(() => processesWith(device.path).length === 0);
    devices.detach(device);
    tool('umount', target);
  });
});

describe('check', () => {
  const ext4 = (): RealDevice => {
    const device = devices.blank(16 * mebibyte);
    tool('mkfs.ext4', '-q', device.path);
    return device;
  };
  const debugfs = (device: RealDevice, ...commands: readonly string[]): void => {
    for (const command of commands) tool('debugfs', '-w', '-R', command, device.path);
  };

  it('corrects what is safe to correct', async () => {
    const device = ext4();
    debugfs(device, 'ssv free_inodes_count 7', 'ssv free_blocks_count 7', 'ssv state 0');
    expect(await filesystems.check(device.path, 'ext4', never)).toEqual({ corrected: true });
    expect(await filesystems.check(device.path, 'ext4', never)).toEqual({ corrected: false });
  });

  it('refuses what only a person may correct', async () => {
    const device = ext4();
    debugfs(device, 'clri <2>', 'ssv state 2');
    await expect(filesystems.check(device.path, 'ext4', never)).rejects.toMatchObject({
      code: 'FilesystemErrors',
      progress: 'final',
      facts: {
        exitCode: 4,
        stderr: expect.stringContaining('RUN fsck MANUALLY'),
        hint: expect.stringContaining('e2fsck -f'),
      },
    });
  });

  it('refuses a filesystem that is longer than its device', async () => {
    const device = devices.blank(64 * mebibyte);
    tool('mkfs.ext4', '-q', device.path);
    devices.detach(device);
    truncateSync(device.image, 24 * mebibyte);
    const shorter = devices.attach(device.image);
    await expect(filesystems.check(shorter.path, 'ext4', never)).rejects.toMatchObject({ code: 'FilesystemErrors' });
  });

  it('does not take a lost superblock for a clean filesystem', async () => {
    const device = ext4();
    writeAt(device, 1024, Buffer.alloc(1024));
    await expect(filesystems.check(device.path, 'ext4', never)).rejects.toMatchObject({
      code: 'Internal',
      facts: { exitCode: 8 },
    });
  });

  it('leaves a mounted filesystem alone', async () => {
    const device = ext4();
    const target = devices.directory();
    tool('mount', device.path, target);
    try {
      await expect(filesystems.check(device.path, 'ext4', never)).rejects.toMatchObject({ code: 'Busy' });
    } finally {
      tool('umount', target);
    }
  });

  it('checks no other filesystem', async () => {
    await expect(filesystems.check('/dev/null', 'vfat', never)).rejects.toMatchObject({ code: 'InvalidArgument' });
  });
});

describe.each([
  { fsType: 'xfs' as const, size: 300 * mebibyte },
  { fsType: 'btrfs' as const, size: 256 * mebibyte },
])('grow $fsType', ({ fsType, size }) => {
  it('takes a mounted one to its larger device, and leaves one that fills it', async () => {
    const device = devices.blank(size);
    const mountPoint = devices.directory();
    await filesystems.make(device.path, fsType, never);
    tool('mount', '-t', fsType, device.path, mountPoint);
    try {
      const blocks = () => statfsSync(mountPoint).blocks * statfsSync(mountPoint).bsize;
      const before = blocks();
      await filesystems.grow({ device: device.path, fsType, mountPoint }, never);
      expect(blocks()).toBe(before);
      truncateSync(device.image, 2 * size);
      tool('losetup', '--set-capacity', device.path);
      await filesystems.grow({ device: device.path, fsType, mountPoint }, never);
      expect(blocks()).toBeGreaterThan(1.8 * before);
    } finally {
      tool('umount', mountPoint);
    }
  });
});

it('tries a growth that failed again, and tells what the tool said', async () => {
  const mountPoint = devices.directory();
  const device = devices.blank(300 * mebibyte).path;
  await expect(filesystems.grow({ device, fsType: 'xfs', mountPoint }, never)).rejects.toMatchObject({
    progress: 'transient',
    message: expect.stringMatching(`^Cannot grow xfs on "${device}": .+`),
    facts: { target: mountPoint, stderr: expect.stringMatching(/./) },
  });
});

it('says that btrfs takes no new size below 256Mi', async () => {
  const device = devices.blank(128 * mebibyte);
  const mountPoint = devices.directory();
  await filesystems.make(device.path, 'btrfs', never);
  tool('mount', '-t', 'btrfs', device.path, mountPoint);
  try {
    truncateSync(device.image, 192 * mebibyte);
    tool('losetup', '--set-capacity', device.path);
    const grown = filesystems.grow({ device: device.path, fsType: 'btrfs', mountPoint }, never);
    await expect(grown).rejects.toThrow(/no new size below 256Mi/);
  } finally {
    tool('umount', mountPoint);
  }
});
