import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { probeKernelFeatures } from '../../daemon/host/kernel-features.ts';
import { LinuxLoopDevices } from '../../daemon/host/linux-loop-devices.ts';
import { configureLoopInSteps } from '../../daemon/host/loop-configuration.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import { Playground, tool } from './real-mounts.ts';

const MEBI = 1024 * 1024;

let playground: Playground;
let loops: LinuxLoopDevices;
let root: string;
let count = 0;

beforeAll(() => {
  playground = new Playground();
  loops = new LinuxLoopDevices(probeKernelFeatures());
});
afterAll(() => playground[Symbol.dispose]());

beforeEach(() => {
  count += 1;
  root = playground.directory(`test-${count}`);
});

/** What a test attached goes at its end; then it is a failure that there was a device that the test did not name. */
const expected = new Set<string>();
afterEach(() => {
  const left = detachAll(`${playground.root}/`);
  expect(left.filter((path) => !expected.has(path))).toEqual([]);
  expected.clear();
});

/** Without the code under test: by sysfs and losetup. */
function detachAll(prefix: string): readonly string[] {
  const devices = readdirSync('/sys/block')
    .filter((name) => name.startsWith('loop') && backingOf(name).startsWith(prefix))
    .map((name) => `/dev/${name}`);
  for (const device of devices) {
    if (mountsOf(device) > 0) tool('umount', '--all-targets', device);
    tool('losetup', '--detach', device);
  }
  return devices;
}

function backingOf(name: string): string {
  try {
    return readFileSync(`/sys/block/${name}/loop/backing_file`, 'utf8').trim();
  } catch {
    return '';
  }
}

const ours = () => loops.list().filter(({ backing }) => backing.path.startsWith(`${playground.root}/`));

function image(name = 'a.img', size = 8 * MEBI): string {
  const path = join(root, name);
  writeFileSync(path, '');
  truncateSync(path, size);
  return path;
}

/** Attaches with the end of the test as its end. */
function attach(path: string, readOnly = false) {
  const device = loops.attach(path, { readOnly });
  expected.add(device.devicePath);
  return device;
}

function losetup(...args: readonly string[]): string {
  const device = tool('losetup', '--find', '--show', ...args);
  expected.add(device);
  return device;
}

const sysfs = (device: string, file: string) => readFileSync(`/sys/block/${basename(device)}/${file}`, 'utf8').trim();
const mountsOf = (device: string) =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(` ${device} `)).length;

/** A FUSE mount over `path`; loop devices on it are detached when it goes, which they must be while it has its name. */
async function serve(path: string): Promise<AsyncDisposable & { stop(): Promise<void> }> {
  const server = spawn(process.execPath, [join(import.meta.dirname, 'fuse-file.ts'), path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(server, 'exit');
  await once(server.stdout, 'data');
  const stop = async () => {
    server.stdin.end();
    await exited;
  };
  return {
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      detachAll(path);
      tool('umount', path);
    },
  };
}

function errorOf(work: () => unknown): StorageError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof StorageError) return thrown;
    throw thrown;
  }
  throw new Error('Cannot get the error: there was none');
}

describe('attach', () => {
  it('gives a file a device that is known by its inode and shows its bytes', () => {
    const path = image();
    const device = attach(path);
    const { dev, ino, size } = statSync(path, { bigint: true });
    expect(device).toEqual({
      devicePath: expect.stringMatching(/^\/dev\/loop\d+$/) as string,
      backing: { device: dev, inode: ino, path },
      readOnly: false,
      deviceNumber: sysfs(device.devicePath, 'dev'),
    });
    expect(BigInt(sysfs(device.devicePath, 'size')) * 512n).toBe(size);
    expect(loops.find(path)).toEqual(device);
    expect(loops.status(device.devicePath)).toEqual(device);
    expect(loops.list()).toContainEqual(device);
    writeFileSync(device.devicePath, 'through the device');
    tool('blockdev', '--flushbufs', device.devicePath);
    expect(readFileSync(path).subarray(0, 18).toString()).toBe('through the device');
  });

  it('is writable on a device that somebody had set read-only before', () => {
    const before = attach(image());
    tool('blockdev', '--setro', before.devicePath);
    loops.detach(before.devicePath, before.backing);
    const { devicePath } = attach(image('b.img'));
    expect(sysfs(devicePath, 'ro')).toBe('0');
    writeFileSync(devicePath, 'written');
  });

  it('survives the last close: no autoclear, no partition scan, direct I/O, sectors of 512', () => {
    const { devicePath } = attach(image());
    closeSync(openSync(devicePath, 'r'));
    expect(sysfs(devicePath, 'loop/autoclear')).toBe('0');
    expect(sysfs(devicePath, 'loop/partscan')).toBe('0');
    expect(sysfs(devicePath, 'loop/dio')).toBe('1');
    expect(sysfs(devicePath, 'queue/logical_block_size')).toBe('512');
    expect(tool('losetup', '--list', '--noheadings', '--output', 'BACK-FILE', devicePath)).toBe(join(root, 'a.img'));
  });

  it('does without direct I/O where the filesystem has none', () => {
    const directory = playground.directory(`ramfs-${count}`);
    tool('mount', '-t', 'ramfs', 'none', directory);
    const path = join(directory, 'x.img');
    writeFileSync(path, '');
    truncateSync(path, MEBI);
    const { devicePath } = attach(path);
    expect(sysfs(devicePath, 'loop/dio')).toBe('0');
    detachAll(path);
    tool('umount', directory);
  });

  it('answers the device that the file has, read-write for read-only too', () => {
    const path = image();
    const first = attach(path);
    expect(loops.attach(path, { readOnly: false })).toEqual(first);
    expect(loops.attach(path, { readOnly: true })).toEqual(first);
    expect(ours()).toHaveLength(1);
  });

  it('finds the file under another name of its own', () => {
    const path = image();
    const link = join(root, 'hard-link.img');
    linkSync(path, link);
    const directory = playground.directory(`bind-${count}`);
    tool('mount', '--bind', root, directory);
    const device = attach(path);
    expect(attach(link).devicePath).toBe(device.devicePath);
    expect(attach(join(directory, 'a.img')).devicePath).toBe(device.devicePath);
    renameSync(path, join(root, 'renamed.img'));
    expect(attach(join(root, 'renamed.img')).devicePath).toBe(device.devicePath);
    tool('umount', directory);
  });

  it('answers a device that somebody else made on the file', () => {
    const path = image();
    const foreign = losetup(path);
    expect(loops.find(path)?.devicePath).toBe(foreign);
    expect(loops.attach(path, { readOnly: false }).devicePath).toBe(foreign);
    const readOnly = losetup('--read-only', image('b.img'));
    expect(loops.attach(join(root, 'b.img'), { readOnly: false })).toMatchObject({
      devicePath: readOnly,
      readOnly: true,
    });
    expect(ours()).toHaveLength(2);
  });

  it('refuses a file of which a part is attached, and a file that is attached twice', () => {
    const path = image();
    const part = losetup('--offset', '4096', path);
    expect(loops.find(path)).toBeUndefined();
    expect(errorOf(() => loops.attach(path, { readOnly: false }))).toMatchObject({
      code: 'FailedPrecondition',
      progress: 'final',
      message: `Cannot attach "${path}": "${part}" has only a part of it`,
    });
    const twice = image('b.img');
    const [first, second] = [losetup('--nooverlap', twice), losetup(twice)];
    const error = errorOf(() => loops.attach(twice, { readOnly: false }));
    expect(error.message).toContain('have it already');
    expect([first, second].every((path) => error.message.includes(`"${path}"`))).toBe(true);
    expect(ours()).toHaveLength(3);
  });

  it('does not confuse a file with the one that had its name before', () => {
    const path = image();
    const old = attach(path);
    unlinkSync(path);
    image();
    expect(loops.find(path)).toBeUndefined();
    const fresh = attach(path);
    expect(fresh.devicePath).not.toBe(old.devicePath);
    expect(loops.status(old.devicePath)?.backing.path).toBe(`${path} (deleted)`);
  });

  it('finds the device of a file whose name is gone or another’s, and not of one that has another name', () => {
    const path = image();
    const { devicePath, backing } = attach(path);
    expect(loops.findBacking(backing)?.devicePath).toBe(devicePath);
    unlinkSync(path);
    expect(loops.findBacking(backing)?.devicePath).toBe(devicePath);
    image();
    attach(path);
    expect(loops.findBacking(backing)?.devicePath).toBe(devicePath);
    expect(loops.findBacking({ ...backing, path: `${path}.old` })).toBeUndefined();
    expect(loops.findBacking({ ...backing, inode: backing.inode + 1_000_000n })).toBeUndefined();
  });

  it('makes a read-only device that nobody can write', () => {
    const { devicePath, readOnly } = attach(image(), true);
    expect(readOnly).toBe(true);
    expect(sysfs(devicePath, 'ro')).toBe('1');
    expect(() => tool('dd', 'if=/dev/zero', `of=${devicePath}`, 'bs=512', 'count=1')).toThrow(/not permitted/);
    tool('blockdev', '--setrw', devicePath);
    expect(() => tool('dd', 'if=/dev/zero', `of=${devicePath}`, 'bs=512', 'count=1')).toThrow(/not permitted/);
  });

  it('attaches from a read-only filesystem for reading only', () => {
    const path = image();
    const directory = playground.directory(`ro-${count}`);
    tool('mount', '--bind', '-o', 'ro', root, directory);
    tool('mount', '-o', 'remount,bind,ro', directory);
    const inside = join(directory, basename(path));
    expect(errorOf(() => loops.attach(inside, { readOnly: false }))).toMatchObject({
      code: 'FailedPrecondition',
      message: `Cannot attach "${inside}": its filesystem is read-only`,
    });
    const { devicePath } = attach(inside, true);
    expect(loops.detach(devicePath, loops.status(devicePath)!.backing)).toBe('detached');
    tool('umount', directory);
  });

  it('drops the end that fills no sector, and refuses what has none', () => {
    const { devicePath } = attach(image('odd.img', MEBI + 700));
    expect(Number(sysfs(devicePath, 'size')) * 512).toBe(MEBI + 512);
    const empty = image('empty.img', 0);
    expect(errorOf(() => loops.attach(empty, { readOnly: false }))).toMatchObject({
      code: 'FailedPrecondition',
      message: `Cannot attach "${empty}": it is empty`,
    });
    expect(errorOf(() => loops.attach(image('tiny.img', 511), { readOnly: false })).message).toContain('511 bytes');
  });

  it.each([true, false])('goes through no symlink, openat2: %s', (openat2) => {
    const through = new LinuxLoopDevices({ openat2 });
    const path = image();
    symlinkSync(path, join(root, 'link.img'));
    symlinkSync(root, join(root, 'link'));
    const refused = errorOf(() => through.attach(join(root, 'link.img'), { readOnly: false }));
    expect(refused).toMatchObject({ code: 'PermissionDenied', message: expect.stringContaining('symlink') as string });
    expect(() => through.attach(join(root, 'link', 'a.img'), { readOnly: false })).toThrow(StorageError);
    expect(() => through.find(join(root, 'link.img'))).toThrow(StorageError);
    expect(ours()).toEqual([]);
    const device = through.attach(path, { readOnly: false });
    expect(through.detach(device.devicePath, device.backing)).toBe('detached');
  });

  it('refuses an image on a filesystem that is served from elsewhere', async () => {
    const path = image();
    await using _server = await serve(path);
    expect(errorOf(() => loops.attach(path, { readOnly: true }))).toMatchObject({
      code: 'FailedPrecondition',
      progress: 'final',
      message: `Cannot attach "${path}": it is on fuse, wanted a local filesystem`,
    });
  });

  it('names what is wrong with a path', () => {
    const attachError = (path: string) => errorOf(() => loops.attach(path, { readOnly: false }));
    const absent = join(root, 'absent.img');
    expect(attachError(absent)).toMatchObject({
      code: 'NotFound',
      message: `Cannot attach "${absent}": no such file`,
    });
    expect(errorOf(() => loops.find(absent)).code).toBe('NotFound');
    mkdirSync(join(root, 'directory'));
    expect(attachError(join(root, 'directory'))).toMatchObject({ code: 'FailedPrecondition' });
    tool('mkfifo', join(root, 'fifo'));
    expect(attachError(join(root, 'fifo'))).toMatchObject({ code: 'FailedPrecondition' });
    for (const path of ['a.img', `${root}/../a.img`, `${root}//a.img`, '/', '']) {
      expect(attachError(path).code).toBe('InvalidArgument');
    }
  });
});

describe('detach', () => {
  it('takes the device off, once', () => {
    const path = image();
    const { devicePath, backing } = attach(path);
    expect(loops.detach(devicePath, backing)).toBe('detached');
    expect(loops.find(path)).toBeUndefined();
    expect(ours()).toEqual([]);
    expect(loops.detach(devicePath, backing)).toBe('notAttached');
  });

  it('refuses while it is mounted, and leaves the device as it is', () => {
    const path = image('fs.img', 32 * MEBI);
    tool('mkfs.ext4', '-q', '-F', path);
    const { devicePath, backing } = attach(path);
    const target = playground.directory(`mnt-${count}`);
    tool('mount', devicePath, target);
    expect(errorOf(() => loops.detach(devicePath, backing))).toMatchObject({
      code: 'Busy',
      progress: 'final',
      message: `Cannot detach "${devicePath}": it is mounted or otherwise in use`,
    });
    expect(mountsOf(devicePath)).toBe(1);
    expect(sysfs(devicePath, 'loop/autoclear')).toBe('0');
    tool('umount', target);
    expect(loops.detach(devicePath, backing)).toBe('detached');
  });

  it('sees a mount in another mount namespace', async () => {
    const path = image('fs.img', 32 * MEBI);
    tool('mkfs.ext4', '-q', '-F', path);
    const { devicePath, backing } = attach(path);
    const target = playground.directory(`mnt-${count}`);
    const script = 'mount "$1" "$2" && echo mounted && read line';
    const child = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', devicePath, target], { stdio: 'pipe' });
    const exited = once(child, 'exit');
    try {
      await once(child.stdout, 'data');
      expect(mountsOf(devicePath)).toBe(0);
      expect(errorOf(() => loops.detach(devicePath, backing)).code).toBe('Busy');
    } finally {
      child.stdin.end('\n');
      await exited;
    }
    await expect
      .poll(() => loops.status(devicePath) && detachIfFree(devicePath, backing), { timeout: 5000 })
      .toBe('detached');
  });

  it('is uncertain while somebody has it open: the last close detaches', () => {
    const path = image();
    const { devicePath, backing } = attach(path);
    const reader = openSync(devicePath, 'r');
    const error = errorOf(() => loops.detach(devicePath, backing));
    expect(error).toMatchObject({ code: 'Busy', progress: 'uncertain' });
    expect(loops.status(devicePath)?.backing).toEqual(backing);
    closeSync(reader);
    expect(ours()).toEqual([]);
    expect(loops.detach(devicePath, backing)).toBe('notAttached');
  });

  it('is called off by an attach in the meantime', () => {
    const path = image();
    const { devicePath, backing } = attach(path);
    const reader = openSync(devicePath, 'r');
    expect(() => loops.detach(devicePath, backing)).toThrow(StorageError);
    expect(loops.attach(path, { readOnly: false }).devicePath).toBe(devicePath);
    closeSync(reader);
    expect(loops.status(devicePath)?.backing).toEqual(backing);
    expect(sysfs(devicePath, 'loop/dio')).toBe('1');
  });

  it('leaves a device that has another file', () => {
    const mine = attach(image());
    const other = attach(image('b.img'));
    expect(loops.detach(other.devicePath, mine.backing)).toBe('notAttached');
    // Whether it is in use is no question then.
    const reader = openSync(other.devicePath, constants.O_RDONLY | constants.O_EXCL);
    expect(loops.detach(other.devicePath, mine.backing)).toBe('notAttached');
    closeSync(reader);
    const device = mine.backing.device + 1n;
    expect(loops.detach(mine.devicePath, { ...mine.backing, device })).toBe('notAttached');
    expect(ours()).toHaveLength(2);
  });

  it('detaches a device whose file was unlinked', () => {
    const path = image();
    const { devicePath, backing } = attach(path);
    unlinkSync(path);
    expect(loops.detach(devicePath, backing)).toBe('detached');
    expect(ours()).toEqual([]);
  });

  it('takes loop devices only', () => {
    const { backing } = attach(image());
    for (const path of ['/dev/sda', '/dev/loop-control', '/dev/loop', '/dev/../dev/loop0', 'loop0', '/tmp/loop0']) {
      expect(errorOf(() => loops.detach(path, backing)).code).toBe('InvalidArgument');
      expect(errorOf(() => loops.status(path)).code).toBe('InvalidArgument');
    }
    expect(loops.status('/dev/loop99999')).toBeUndefined();
  });
});

function detachIfFree(devicePath: string, backing: Parameters<LinuxLoopDevices['detach']>[1]): string {
  try {
    return loops.detach(devicePath, backing);
  } catch (thrown) {
    return (thrown as StorageError).code;
  }
}

describe('grow', () => {
  const sizeOf = (device: string) => Number(tool('blockdev', '--getsize64', device));

  function attached(): { readonly path: string; readonly devicePath: string; readonly grow: () => string } {
    const path = join(root, 'grow.img');
    writeFileSync(path, '');
    truncateSync(path, 8 * MEBI);
    const { devicePath, backing } = loops.attach(path, { readOnly: false });
    expected.add(devicePath);
    return { path, devicePath, grow: () => loops.grow(devicePath, backing, path) };
  }

  it('takes the device to the length of its file, once', () => {
    const { path, devicePath, grow } = attached();
    expect(grow()).toBe('asLong');
    truncateSync(path, 16 * MEBI + 100);
    expect(grow()).toBe('grown');
    expect(sizeOf(devicePath)).toBe(16 * MEBI);
    expect(grow()).toBe('asLong');
  });

  it('never makes the device shorter', () => {
    const { path, devicePath, grow } = attached();
    truncateSync(path, 4 * MEBI);
    expect(grow).toThrow(/somebody cut the image/);
    expect(sizeOf(devicePath)).toBe(8 * MEBI);
  });

  it('refuses a device that has another file, and a file that took the place of its image', () => {
    const { path, devicePath, grow } = attached();
    renameSync(path, `${path}.old`);
    writeFileSync(path, '');
    truncateSync(path, 16 * MEBI);
    expect(grow).toThrow(/another file lies where its image was/);
    tool('losetup', '--detach', devicePath);
    renameSync(`${path}.old`, path);
    truncateSync(path, 16 * MEBI);
    expect(grow).toThrow(/it no longer has its image/);
    expected.clear();
  });
});

describe('filesystems that name their device in their own way', () => {
  it('knows a file on btrfs, in a subvolume', () => {
    const disk = image('btrfs.disk', 128 * MEBI);
    tool('mkfs.btrfs', '-q', disk);
    const below = losetup(disk);
    const directory = playground.directory(`btrfs-${count}`);
    tool('mount', below, directory);
    tool('btrfs', 'subvolume', 'create', join(directory, 'sub'));
    attachFindDetach(join(directory, 'sub', 'x.img'));
    tool('umount', directory);
  });

  it('knows a file on overlay', () => {
    const directory = playground.directory(`overlay-${count}`);
    for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(join(directory, name));
    writeFileSync(join(directory, 'lower', 'x.img'), '');
    truncateSync(join(directory, 'lower', 'x.img'), MEBI);
    const options = `lowerdir=${directory}/lower,upperdir=${directory}/upper,workdir=${directory}/work`;
    tool('mount', '-t', 'overlay', 'overlay', '-o', options, join(directory, 'merged'));
    attachFindDetach(join(directory, 'merged', 'x.img'));
    attachFindDetach(join(directory, 'merged', 'new.img'));
    tool('umount', join(directory, 'merged'));
  });

  it('knows a file on tmpfs', () => {
    const directory = playground.directory(`tmpfs-${count}`);
    tool('mount', '-t', 'tmpfs', 'none', directory);
    attachFindDetach(join(directory, 'x.img'));
    tool('umount', directory);
  });

  function attachFindDetach(path: string): void {
    writeFileSync(path, '', { flag: 'a' });
    truncateSync(path, MEBI);
    const device = attach(path);
    const { dev, ino } = statSync(path, { bigint: true });
    expect(device.backing).toEqual({ device: dev, inode: ino, path });
    expect(loops.find(path)).toEqual(device);
    expect(loops.attach(path, { readOnly: false })).toEqual(device);
    expect(loops.detach(device.devicePath, device.backing)).toBe('detached');
    expect(loops.find(path)).toBeUndefined();
  }
});

describe('before LOOP_CONFIGURE', () => {
  it('configures in steps', () => {
    const path = image();
    const devicePath = tool('losetup', '--find');
    const [imageFd, deviceFd] = [openSync(path, 'r'), openSync(devicePath, 'r')];
    expected.add(devicePath);
    configureLoopInSteps(deviceFd, { imageFd, path, readOnly: true });
    closeSync(imageFd);
    closeSync(deviceFd);
    expect(loops.find(path)).toMatchObject({ devicePath, readOnly: true });
    expect(sysfs(devicePath, 'loop/dio')).toBe('1');
    expect(sysfs(devicePath, 'loop/autoclear')).toBe('0');
  });
});

describe('with others at work', () => {
  it('attaches 50 files while losetup takes numbers away, and confuses none', async () => {
    const paths = Array.from({ length: 50 }, (_, index) => image(`${index}.img`, MEBI));
    const theirs = Array.from({ length: 25 }, (_, index) => image(`theirs-${index}.img`, MEBI));
    const racer = spawn('sh', ['-c', 'for f; do losetup --find "$f" || exit 1; done', 'sh', ...theirs], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const exited = once(racer, 'exit') as Promise<[number]>;
    const attached: ReturnType<typeof attach>[] = [];
    for (const path of paths) {
      attached.push(attach(path));
      // Lets the racer in between on a machine with one core.
      await new Promise(setImmediate);
    }
    expect((await exited)[0]).toBe(0);
    for (const device of ours()) expected.add(device.devicePath);
    expect(new Set(attached.map(({ devicePath }) => devicePath)).size).toBe(50);
    for (const device of attached) expect(loops.status(device.devicePath)).toEqual(device);
    expect(ours()).toHaveLength(75);
    for (const { devicePath, backing } of attached) expect(loops.detach(devicePath, backing)).toBe('detached');
    expect(
      ours()
        .map(({ backing }) => backing.path)
        .sort(),
    ).toEqual([...theirs].sort());
  });

  it('is not disturbed by a device on a dead file server', async () => {
    const served = image('served.img');
    await using server = await serve(served);
    const dead = losetup(served);
    await server.stop();
    const path = image();
    const device = attach(path);
    expect(loops.find(path)).toEqual(device);
    expect(loops.attach(path, { readOnly: false })).toEqual(device);
    expect(() => loops.status(dead)).toThrow(/not connected/);
    expect(ours()).toEqual(
      expect.arrayContaining([
        device,
        {
          devicePath: dead,
          backing: { device: 0n, inode: 0n, path: served },
          readOnly: false,
          deviceNumber: sysfs(dead, 'dev'),
        },
      ]),
    );
    expect(loops.detach(device.devicePath, device.backing)).toBe('detached');
  });

  it('leaves a file one device when somebody attaches it at the same time', async () => {
    for (let round = 0; round < 20; round += 1) {
      const path = image(`${round}.img`, MEBI);
      const racer = spawn('losetup', ['--find', path], { stdio: 'ignore' });
      const exited = once(racer, 'exit') as Promise<[number]>;
      const mine = tryAttach(path);
      await exited;
      const devices = ours().filter(({ backing }) => backing.path === path);
      for (const device of devices) expected.add(device.devicePath);
      // losetup does not look: it may come after us. What we answered is there, and it is the file's.
      if (mine !== undefined) expect(devices.map(({ devicePath }) => devicePath)).toContain(mine.devicePath);
      for (const { devicePath, backing } of devices) expect(loops.detach(devicePath, backing)).toBe('detached');
    }
  });

  function tryAttach(path: string) {
    try {
      return attach(path);
    } catch (thrown) {
      expect((thrown as StorageError).code).toBe('Aborted');
      return undefined;
    }
  }
});
