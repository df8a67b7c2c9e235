/** Every kind of volume that this version knows, on the real kernel. */
import { existsSync, mkdirSync, readFileSync, statfsSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DaemonProcess } from './support/daemon-process.ts';
import { filesystemUuid, loopsOn, mountsAt, run } from './support/kernel-facts.ts';
import { claim, claimVolume, documents, pod, staticVolume, storageClass } from './support/manifests.ts';

let daemon: DaemonProcess;

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  await daemon.dispose();
});

describe('emptyDir', () => {
  it('with medium Memory is a tmpfs of the limit, and is gone with its pod', async () => {
    daemon.apply('m.yaml', pod('m', { scratch: 'emptyDir: { medium: Memory, sizeLimit: 1Mi }' }));
    await daemon.mounted('m');
    const path = await daemon.path('m', 'scratch');
    expect(mountsAt(path)).toMatchObject([{ fsType: 'tmpfs', options: expect.arrayContaining(['nosuid', 'nodev']) }]);
    expect(statSync(path).mode & 0o7777).toBe(0o777);
    const { blocks, bsize } = statfsSync(path);
    expect(blocks * bsize).toBe(2 ** 20);
    expect(() => writeFileSync(join(path, 'big'), Buffer.alloc(2 ** 21))).toThrow(/ENOSPC/);
    daemon.remove('m.yaml');
    await daemon.unmounted('m');
    await daemon.gone();
    expect(mountsAt(path)).toEqual([]);
    expect(existsSync(path)).toBe(false);
  });

  it('is otherwise a directory for everybody, removed file by file with its pod', async () => {
    daemon.apply('d.yaml', pod('d', { scratch: 'emptyDir: {}' }));
    await daemon.mounted('d');
    const path = await daemon.path('d', 'scratch');
    expect(statSync(path).mode & 0o7777).toBe(0o777);
    mkdirSync(join(path, 'a/b'), { recursive: true });
    writeFileSync(join(path, 'a/b/c'), 'x');
    daemon.remove('d.yaml');
    await daemon.unmounted('d');
    await daemon.gone();
    expect(existsSync(join(path, '../../..'))).toBe(false);
  });

  it('is kept, and said so, while somebody has mounted something in it', async () => {
    daemon.apply('d.yaml', pod('d', { scratch: 'emptyDir: {}' }));
    await daemon.mounted('d');
    const path = await daemon.path('d', 'scratch');
    const elsewhere = join(daemon.base, 'precious');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'file'), 'precious');
    mkdirSync(join(path, 'inner'));
    run('/usr/bin/mount', '--bind', elsewhere, join(path, 'inner'));
    daemon.remove('d.yaml');
    await daemon.event('FailedUnmount');
    expect(readFileSync(join(elsewhere, 'file'), 'utf8')).toBe('precious');
    run('/usr/bin/umount', join(path, 'inner'));
    await daemon.unmounted('d');
    expect(readFileSync(join(elsewhere, 'file'), 'utf8')).toBe('precious');
  });
});

describe('an inline loop volume', () => {
  it('lives as long as its pod, image and all', async () => {
    const source = 'csi: { driver: loop.moored.dev, volumeAttributes: { size: 32Mi, fsType: ext4 } }';
    daemon.apply('i.yaml', pod('i', { cache: source }));
    await daemon.mounted('i');
    const [volume] = await daemon.asw();
    const image = readFileSync(`/sys/block/${volume?.devicePath.slice(5)}/loop/backing_file`, 'utf8').trim();
    expect(statSync(image).size).toBe(32 * 2 ** 20);
    daemon.remove('i.yaml');
    await daemon.unmounted('i');
    await daemon.gone();
    expect(existsSync(image)).toBe(false);
    expect(existsSync(`${image}.json`)).toBe(false);
  });
});

describe.each([
  ['ext4', '64Mi'],
  ['xfs', '320Mi'],
  ['btrfs', '160Mi'],
])('fsType %s', (fsType, size) => {
  it('is made, mounted and kept over a restart', async () => {
    daemon.apply('class.yaml', storageClass('fast', ['parameters:', `  fsType: ${fsType}`, 'mountOptions: [noatime]']));
    daemon.apply('p.yaml', documents(claim('data', { size }), pod('p', { data: claimVolume('data') })));
    await daemon.mounted('p');
    const path = await daemon.path('p', 'data');
    const [before] = mountsAt(path);
    const [volume] = await daemon.asw();
    expect(before?.fsType).toBe(fsType);
    expect(mountsAt(volume?.globalMountPath ?? '')[0]?.options).toContain('noatime');
    writeFileSync(join(path, 'file'), 'kept');
    const uuid = filesystemUuid(volume?.devicePath ?? '');
    await daemon.restart('SIGKILL');
    await daemon.mounted('p');
    expect(mountsAt(path)[0]?.id).toBe(before?.id);
    daemon.remove('p.yaml');
    await daemon.unmounted('p');
    await daemon.gone();
    daemon.apply('p.yaml', documents(claim('data', { size }), pod('p', { data: claimVolume('data') })));
    await daemon.mounted('p');
    expect(readFileSync(join(await daemon.path('p', 'data'), 'file'), 'utf8')).toBe('kept');
    expect(filesystemUuid((await daemon.asw())[0]?.devicePath ?? '')).toBe(uuid);
  });
});

describe('volumeMode Block', () => {
  it('gives the pod the raw device, never formatted', async () => {
    daemon.apply('class.yaml', storageClass('fast'));
    daemon.apply('b.yaml', documents(claim('raw', { mode: 'Block' }), pod('b', { raw: claimVolume('raw') }, 'Block')));
    await daemon.mounted('b');
    const path = await daemon.path('b', 'raw');
    const [volume] = await daemon.asw();
    expect(statSync(path).isBlockDevice()).toBe(true);
    expect(statSync(path).rdev).toBe(statSync(volume?.devicePath ?? '').rdev);
    expect(mountsAt(path)).toHaveLength(1);
    writeFileSync(path, 'raw bytes', { flag: 'r+' });
    daemon.remove('b.yaml');
    await daemon.unmounted('b');
    await daemon.gone();
    daemon.apply('b.yaml', documents(claim('raw', { mode: 'Block' }), pod('b', { raw: claimVolume('raw') }, 'Block')));
    await daemon.mounted('b');
    expect(
      readFileSync(await daemon.path('b', 'raw'))
        .subarray(0, 9)
        .toString(),
    ).toBe('raw bytes');
  });

  it('is refused where the pod asks for a filesystem', async () => {
    daemon.apply('class.yaml', storageClass('fast'));
    daemon.apply('b.yaml', documents(claim('raw', { mode: 'Block' }), pod('b', { raw: claimVolume('raw') })));
    await daemon.condition('b', /volumeMode Block, but is specified in volumeMounts/);
  });
});

describe('a PersistentVolume on an image that a user brought', () => {
  const options = { storageClass: '', volumeName: 'mine' };

  it('is used as it is, with the data that is on it', async () => {
    const image = join(daemon.base, 'mine.img');
    writeFileSync(image, '');
    truncateSync(image, 64 * 2 ** 20);
    run('/usr/sbin/mkfs.ext4', '-q', '-L', 'precious', image);
    const uuid = filesystemUuid(image);
    daemon.apply(
      's.yaml',
      documents(staticVolume('mine', image), claim('data', options), pod('s', { data: claimVolume('data') })),
    );
    await daemon.mounted('s');
    expect(filesystemUuid((await daemon.asw())[0]?.devicePath ?? '')).toBe(uuid);
    daemon.remove('s.yaml');
    await daemon.unmounted('s');
    await daemon.gone();
    expect(existsSync(image)).toBe(true);
    expect(loopsOn(image)).toEqual([]);
  });

  it('is formatted only if it is proven blank', async () => {
    const image = join(daemon.base, 'blank.img');
    writeFileSync(image, '');
    truncateSync(image, 64 * 2 ** 20);
    daemon.apply(
      's.yaml',
      documents(staticVolume('mine', image), claim('data', options), pod('s', { data: claimVolume('data') })),
    );
    await daemon.mounted('s');
    expect(mountsAt(await daemon.path('s', 'data'))[0]?.fsType).toBe('ext4');
  });

  it('is refused, untouched, when it holds something else', async () => {
    const image = join(daemon.base, 'foreign.img');
    writeFileSync(image, 'these bytes are somebody else’s, and no tool knows what they are');
    truncateSync(image, 64 * 2 ** 20);
    const before = readFileSync(image);
    daemon.apply(
      's.yaml',
      documents(staticVolume('mine', image), claim('data', options), pod('s', { data: claimVolume('data') })),
    );
    await daemon.condition('s', /Cannot use "\/dev\/loop\d+": it holds/);
    expect(readFileSync(image).equals(before)).toBe(true);
  });

  it('with another filesystem than asked for is refused', async () => {
    const image = join(daemon.base, 'xfs.img');
    writeFileSync(image, '');
    truncateSync(image, 320 * 2 ** 20);
    run('/usr/sbin/mkfs.xfs', '-q', image);
    daemon.apply(
      's.yaml',
      documents(staticVolume('mine', image), claim('data', options), pod('s', { data: claimVolume('data') })),
    );
    await daemon.condition('s', /wrong fs type "xfs", wanted "ext4"/);
  });

  it('leaves a loop device alone that somebody else had put on it', async () => {
    const image = join(daemon.base, 'shared.img');
    writeFileSync(image, '');
    truncateSync(image, 64 * 2 ** 20);
    const device = run('/usr/sbin/losetup', '--find', '--show', image).trim();
    try {
      daemon.apply(
        's.yaml',
        documents(staticVolume('mine', image), claim('data', options), pod('s', { data: claimVolume('data') })),
      );
      await daemon.mounted('s');
      expect((await daemon.asw())[0]?.devicePath).toBe(device);
      daemon.remove('s.yaml');
      await daemon.unmounted('s');
      await daemon.gone();
      expect(loopsOn(image)).toEqual([device]);
    } finally {
      run('/usr/sbin/losetup', '--detach', device);
    }
  });
});
