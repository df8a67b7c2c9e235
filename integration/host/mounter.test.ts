import { closeSync, openSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { probeKernelFeatures } from '../../daemon/host/kernel-features.ts';
import { LinuxMounter } from '../../daemon/host/linux-mounter.ts';
import { MountInfoReader } from '../../daemon/host/mount-info-reader.ts';
import { MountTools } from '../../daemon/host/mount-tools.ts';
import { SpawnedChildProcesses } from '../../daemon/host/spawned-child-processes.ts';
import type { MountInfo } from '../../daemon/world/mount-info.ts';
import { Playground, tool } from './real-mounts.ts';

let playground: Playground;
let device: string;
beforeAll(() => {
  playground = new Playground();
  device = playground.ext4();
});
afterAll(() => playground[Symbol.dispose]());

const never = new AbortController().signal;
const mounts = () => new MountInfoReader(false).read(false);
const at = (path: string): MountInfo | undefined => mounts().top(path);
const rw = { readOnly: false };
const ro = { readOnly: true };

const children = new SpawnedChildProcesses();
const tools = new MountTools((file, args, signal) => children.run(file, args, { signal }));

const present = probeKernelFeatures();
const absent = {
  listmount: false,
  statmount: false,
  mountSetattr: false,
  openat2: false,
  tmpfsNoswap: false,
};

describe.each([
  ['this kernel', present],
  ['an old kernel', absent],
])('LinuxMounter on %s', (name, features) => {
  const mounter = new LinuxMounter(features, tools);
  let source: string;
  let target: string;
  let count = 0;

  beforeEach(() => {
    count += 1;
    source = playground.directory(`${name.replace(' ', '-')}-${count}/source`);
    target = playground.directory(`${name.replace(' ', '-')}-${count}/target`);
  });

  it('binds a directory of somebody else through no symlink, and nothing but a directory', () => {
    const link = `${source}-link`;
    symlinkSync(source, link);
    const inner = join(source, 'inner');
    writeFileSync(inner, '');
    const bind = (from: string) => mounter.bind({ source: from, target, flags: rw, isUsersDirectory: true });
    expect(() => bind(link)).toThrow(/Cannot bind/);
    expect(() => bind(join(link, '.'))).toThrow(/Cannot bind/);
    expect(() => bind(inner)).toThrow(/Cannot bind/);
    expect(at(target)).toBeUndefined();
    bind(source);
    expect(at(target)).toMatchObject({ options: expect.arrayContaining(['nosuid', 'nodev']) });
  });

  it('mounts a tmpfs with size and mode, nosuid and nodev', () => {
    mounter.mountTmpfs({ target, sizeBytes: 65536n, mode: 0o777, flags: { readOnly: false, extra: ['noexec'] } });
    expect(at(target)).toMatchObject({ fsType: 'tmpfs', options: ['rw', 'nosuid', 'nodev', 'noexec', 'relatime'] });
    expect(at(target)?.superOptions).toEqual(expect.arrayContaining(['size=64k', 'mode=777']));
    expect(at(target)?.superOptions.includes('noswap')).toBe(features.tmpfsNoswap);
    expect(statSync(target).mode & 0o7777).toBe(0o777);
  });

  it.each([0n, -1n])('refuses a tmpfs of %s bytes, which would be without limit', (sizeBytes) => {
    const request = { target, sizeBytes, mode: 0o777, flags: rw };
    expect(() => mounter.mountTmpfs(request)).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
    expect(at(target)).toBeUndefined();
  });

  it('mounts on no symlink, and binds from none', async () => {
    const link = join(source, 'link');
    symlinkSync(target, link);
    const before = mounts().mounts.length;
    const symlinked: unknown = expect.objectContaining({ code: 'FailedPrecondition' });
    expect(() => mounter.mountTmpfs({ target: link, mode: 0o700, flags: rw })).toThrow(symlinked);
    expect(() => mounter.bind({ source, target: link, flags: rw })).toThrow(symlinked);
    expect(() => mounter.bind({ source: link, target, flags: rw })).toThrow(symlinked);
    const request = { device, target: link, fsType: 'ext4', flags: rw, options: [] };
    await expect(mounter.mountDevice(request, never)).rejects.toEqual(symlinked);
    expect(mounts().mounts).toHaveLength(before);
  });

  it('binds a directory nosuid and nodev', () => {
    writeFileSync(join(source, 'data'), 'x');
    mounter.bind({ source, target, flags: rw });
    expect(at(target)?.options).toEqual(['rw', 'nosuid', 'nodev', 'relatime']);
    expect(at(target)?.root.endsWith('/source')).toBe(true);
    writeFileSync(join(target, 'more'), 'y');
    expect(readFileSync(join(source, 'more'), 'utf8')).toBe('y');
  });

  it('binds read-only, and leaves the source writable', () => {
    mounter.bind({ source, target, flags: { readOnly: true, extra: ['noatime'] } });
    expect(at(target)?.options).toEqual(['ro', 'nosuid', 'nodev', 'noatime']);
    expect(() => writeFileSync(join(target, 'data'), 'x')).toThrow(/EROFS/);
    writeFileSync(join(source, 'data'), 'x');
  });

  it('keeps every restriction of the source', () => {
    tool('mount', '-t', 'tmpfs', '-o', 'ro,noexec,noatime,nodiratime', 'strict', source);
    mounter.bind({ source, target, flags: rw });
    expect(at(target)?.options).toEqual(['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime']);
  });

  it('binds a device node where devices are allowed, and opens it through the bind only there', () => {
    const [allowed, denied] = [join(source, 'allowed'), join(source, 'denied')];
    writeFileSync(allowed, '');
    writeFileSync(denied, '');
    mounter.bind({ source: '/dev/null', target: allowed, flags: { readOnly: false, allowDevices: true } });
    mounter.bind({ source: '/dev/null', target: denied, flags: rw });
    closeSync(openSync(allowed, 'r'));
    expect(() => openSync(denied, 'r')).toThrow(/EACCES/);
  });

  it('leaves nothing behind when a bind fails', () => {
    writeFileSync(join(source, 'file'), '');
    const before = mounts().mounts.length;
    const failing = () => mounter.bind({ source: join(source, 'file'), target, flags: ro });
    expect(failing).toThrow(/^Cannot bind ".*\/file" at ".*\/target": \w+: /);
    expect(() => mounter.bind({ source: join(source, 'absent'), target, flags: ro })).toThrow(
      expect.objectContaining({ code: 'NotFound', progress: 'final' }),
    );
    expect(mounts().mounts).toHaveLength(before);
  });

  it('repairs flags that drifted, and leaves the other ones', () => {
    mounter.bind({ source, target, flags: { readOnly: true, extra: ['noexec'] } });
    tool('mount', '-o', 'remount,bind,rw,suid,dev,noexec', target);
    expect(at(target)?.options).toEqual(['rw', 'noexec', 'relatime']);
    mounter.setFlags(target, ro);
    expect(at(target)?.options).toEqual(['ro', 'nosuid', 'nodev', 'noexec', 'relatime']);
    mounter.setFlags(target, rw);
    expect(at(target)?.options).toEqual(['rw', 'nosuid', 'nodev', 'noexec', 'relatime']);
  });

  it('sets no flags where nothing is mounted', () => {
    expect(() => mounter.setFlags(target, ro)).toThrow(
      expect.objectContaining({ code: 'InvalidArgument', progress: 'final' }),
    );
    writeFileSync(join(target, 'data'), 'still writable');
  });

  it('mounts a block filesystem by mount(8)', async () => {
    const flags = { readOnly: false, extra: ['noatime'] };
    await mounter.mountDevice({ device, target, fsType: 'ext4', flags, options: ['discard'] }, never);
    expect(at(target)).toMatchObject({ fsType: 'ext4', source: device, options: ['rw', 'nosuid', 'nodev', 'noatime'] });
    expect(at(target)?.superOptions).toContain('discard');
    await mounter.unmount(target, { mayHang: true }, never);
    await mounter.mountDevice({ device, target, fsType: 'ext4', flags: ro, options: [] }, never);
    expect(at(target)).toMatchObject({ options: ['ro', 'nosuid', 'nodev', 'relatime'] });
    expect(await mounter.unmount(target, { mayHang: true }, never)).toBe('unmounted');
  });

  it.each([
    ['xfs on an ext4 device', { fsType: 'xfs' }, 'InvalidArgument'],
    ['an unknown filesystem', { fsType: 'bogusfs' }, 'Unimplemented'],
    ['what mount(8) would read as "any filesystem but this"', { fsType: 'nobogusfs' }, 'InvalidArgument'],
    ['a guess', { fsType: 'auto' }, 'InvalidArgument'],
    ['a list of filesystems', { fsType: 'xfs,ext4' }, 'InvalidArgument'],
    ['an unknown option of the filesystem', { options: ['nosuchoption'] }, 'InvalidArgument'],
    ['an option of mount(8)', { options: ['loop'] }, 'InvalidArgument'],
    ['two options in one', { options: ['discard,suid'] }, 'InvalidArgument'],
    ['a device that is not there', { device: '/dev/loop4095' }, 'NotFound'],
    ['a regular file', { device: '/proc/version' }, 'InvalidArgument'],
  ])('refuses %s and names source and target', async (_, wrong, code) => {
    const request = { device, target, fsType: 'ext4', flags: rw, options: [], ...wrong };
    await expect(mounter.mountDevice(request, never)).rejects.toMatchObject({ code, progress: 'final' });
    await expect(mounter.mountDevice(request, never)).rejects.toThrow(request.device);
    expect(at(target)).toBeUndefined();
  });

  it('does not fall back to read-only on a write-protected device', async () => {
    tool('blockdev', '--setro', device);
    try {
      const mounting = mounter.mountDevice({ device, target, fsType: 'ext4', flags: rw, options: [] }, never);
      await expect(mounting).rejects.toMatchObject({ code: 'FailedPrecondition' });
      await expect(mounting).rejects.toThrow(target);
      expect(at(target)).toBeUndefined();
    } finally {
      // The flag outlives the loop device: whoever gets this number next would have a read-only one.
      tool('blockdev', '--setrw', device);
    }
  });

  it.each([true, false])('unmounts, and tells when nothing was mounted (mayHang: %s)', async (mayHang) => {
    mounter.mountTmpfs({ target, mode: 0o700, flags: rw });
    mounter.mountTmpfs({ target, mode: 0o700, flags: rw });
    expect(await mounter.unmount(target, { mayHang }, never)).toBe('unmounted');
    expect(mounts().at(target)).toHaveLength(1);
    expect(await mounter.unmount(target, { mayHang }, never)).toBe('unmounted');
    expect(await mounter.unmount(target, { mayHang }, never)).toBe('notMounted');
    expect(await mounter.unmount(join(target, 'absent/too'), { mayHang }, never)).toBe('notMounted');
  });

  it.each([true, false])('does not unmount what is in use (mayHang: %s)', async (mayHang) => {
    mounter.mountTmpfs({ target, mode: 0o700, flags: rw });
    const fd = openSync(target, 'r');
    try {
      const busy = { code: 'Busy', progress: 'final' };
      await expect(mounter.unmount(target, { mayHang }, never)).rejects.toMatchObject(busy);
      expect(at(target)).toBeDefined();
    } finally {
      closeSync(fd);
    }
  });

  it.each([true, false])('does not unmount what a symlink leads to (mayHang: %s)', async (mayHang) => {
    mounter.mountTmpfs({ target, mode: 0o700, flags: rw });
    const link = join(source, `link-${mayHang}`);
    symlinkSync(target, link);
    await mounter.unmount(link, { mayHang }, never).catch(() => undefined);
    expect(at(target)).toBeDefined();
  });
});
