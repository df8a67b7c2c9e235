/** Restart and crash: running mounts stay as they are, what was half done is finished or undone, nothing is lost. */
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { filesystemUuid, loopsOn, mountsAt, mountsBelow, run } from './support/kernel-facts.ts';
import { claim, claimVolume, documents, pod, storageClass, web } from './support/manifests.ts';

let daemon: DaemonProcess;

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  await daemon.dispose();
});

describe.each(['SIGKILL', 'SIGTERM'] as const)('after %s and a start', (signal) => {
  it('every mount has the id it had, no operation runs, and the data is the same', async () => {
    daemon.apply('web.yaml', web());
    daemon.apply('mem.yaml', pod('mem', { scratch: 'emptyDir: { medium: Memory }' }));
    await Promise.all([daemon.mounted('web'), daemon.mounted('mem')]);
    const data = randomBytes(100_000);
    const file = join(await daemon.path('web', 'data'), 'data');
    writeFileSync(file, data);
    const before = mountsBelow(daemon.rootDir).map(({ line }) => line);
    await daemon.kill(signal);
    expect(mountsBelow(daemon.rootDir).map(({ line }) => line)).toEqual(before);
    const logged = daemon.log.length;
    await daemon.start();
    await Promise.all([daemon.mounted('web'), daemon.mounted('mem')]);
    expect(mountsBelow(daemon.rootDir).map(({ line }) => line)).toEqual(before);
    expect(readFileSync(file).equals(data)).toBe(true);
    expect(daemon.log.slice(logged)).not.toMatch(/"(attachVolume|mountDevice|mountVolume|unmountVolume) done"/);
  });
});

describe('while the daemon is down', () => {
  it('a pod that was deleted is unmounted at the next start', async () => {
    daemon.apply('web.yaml', web());
    daemon.apply('other.yaml', pod('other', { scratch: 'emptyDir: { medium: Memory }' }));
    await Promise.all([daemon.mounted('web'), daemon.mounted('other')]);
    await daemon.kill('SIGKILL');
    daemon.remove('web.yaml');
    await daemon.start();
    await daemon.unmounted('web');
    await eventually(async () => (await daemon.asw()).length === 1 || 'the volume is still there');
    expect(mountsBelow(daemon.rootDir)).toHaveLength(1);
  });

  it('a mount that somebody took away is made again', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    const path = await daemon.path('web', 'data');
    writeFileSync(join(path, 'file'), 'kept');
    await daemon.kill('SIGKILL');
    run('/usr/bin/umount', path);
    await daemon.start();
    await daemon.mounted('web');
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('kept');
  });

  it('a broken manifest, or a manifest directory that is gone, unmounts nothing', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    const before = mountsBelow(daemon.rootDir).map(({ line }) => line);
    await daemon.kill('SIGKILL');
    daemon.apply('web.yaml', 'kind: [Pod\n');
    await daemon.start();
    await daemon.event('ManifestRejected');
    expect(mountsBelow(daemon.rootDir).map(({ line }) => line)).toEqual(before);
    await daemon.kill('SIGKILL');
    rmSync(daemon.manifestDir, { recursive: true });
    await daemon.start();
    await daemon.event('ManifestsUnreadable');
    expect(mountsBelow(daemon.rootDir).map(({ line }) => line)).toEqual(before);
    expect((await daemon.pod('web')).status.phase).toBe('Ready');
  });
});

describe('a reboot', () => {
  it('is survived: with every mount and loop device gone, all is made again on the same data', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    const path = await daemon.path('web', 'data');
    writeFileSync(join(path, 'file'), 'kept');
    const [volume] = await daemon.asw();
    const uuid = filesystemUuid(volume?.devicePath ?? '');
    await daemon.kill('SIGKILL');
    run('/usr/bin/umount', path);
    run('/usr/bin/umount', volume?.globalMountPath ?? '');
    run('/usr/sbin/losetup', '--detach', volume?.devicePath ?? '');
    await daemon.start();
    await daemon.mounted('web');
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('kept');
    expect(filesystemUuid((await daemon.asw())[0]?.devicePath ?? '')).toBe(uuid);
  });
});

describe('kill -9 at any moment', () => {
  it('of making and of removing converges, formats nothing twice and loses no data', { timeout: 300_000 }, async () => {
    daemon.apply('class.yaml', documents(storageClass('fast'), claim('data', { size: '32Mi' })));
    const manifest = pod('p', { data: claimVolume('data'), memory: 'emptyDir: { medium: Memory }' });
    daemon.apply('p.yaml', manifest);
    await daemon.mounted('p');
    const image = imageOf(daemon);
    const data = randomBytes(1_000_000);
    writeFileSync(join(await daemon.path('p', 'data'), 'data'), data);
    const uuid = filesystemUuid((await daemon.asw())[0]?.devicePath ?? '');
    for (let round = 0; round < 20; round++) {
      if (round % 2 === 0) daemon.remove('p.yaml');
      else daemon.apply('p.yaml', manifest);
      // The moments are spread over the life of a change: the settle window, the bind, the loop device, the cleanup.
      await sleep(round * 37);
      await daemon.restart('SIGKILL');
    }
    daemon.apply('p.yaml', manifest);
    await daemon.mounted('p');
    expect(sha256(readFileSync(join(await daemon.path('p', 'data'), 'data')))).toBe(sha256(data));
    expect(loopsOn(image)).toHaveLength(1);
    expect(filesystemUuid(loopsOn(image)[0] ?? '')).toBe(uuid);
    for (const mount of mountsBelow(daemon.rootDir)) expect(mountsAt(mount.target)).toHaveLength(1);
  });

  it('of a first provisioning converges to one image, formatted once', { timeout: 300_000 }, async () => {
    for (let round = 0; round < 12; round++) {
      daemon.apply(
        'web.yaml',
        documents(
          storageClass('fast'),
          claim(`data${round}`, { size: '32Mi' }),
          pod('web', { data: claimVolume(`data${round}`) }),
        ),
      );
      await sleep(round * 15);
      await daemon.restart('SIGKILL');
      await daemon.mounted('web');
      const images = readdirSync(join(daemon.rootDir, 'images/default')).filter((name) =>
        name.startsWith(`data${round}-`),
      );
      expect(images.filter((name) => name.endsWith('.img'))).toHaveLength(1);
      daemon.remove('web.yaml');
      await daemon.unmounted('web');
    }
  });
});

describe('an mkfs that is cut off half way, and the daemon with it', () => {
  it('is begun anew on a new blank image; what it had written is kept in the trash', async () => {
    const half = join(daemon.base, 'half-an-mkfs');
    writeFileSync(
      half,
      '#!/bin/sh\nfor device; do :; done\nprintf half-written | dd of="$device" bs=2048 seek=1 status=none\nkill -9 $PPID\n',
    );
    chmodSync(half, 0o755);
    run('/usr/bin/mount', '--bind', half, '/usr/sbin/mkfs.ext4');
    try {
      daemon.apply('web.yaml', web());
      await daemon.ended();
    } finally {
      run('/usr/bin/umount', '/usr/sbin/mkfs.ext4');
    }
    await daemon.start();
    await daemon.mounted('web');
    expect(mountsAt(await daemon.path('web', 'data'))[0]?.fsType).toBe('ext4');
    const trash = join(daemon.rootDir, 'images/default/.trash');
    const [kept = ''] = readdirSync(trash).filter((name) => !name.endsWith('.json'));
    expect(readFileSync(join(trash, kept)).subarray(2048, 2060).toString()).toBe('half-written');
    expect(loopsOn(imageOf(daemon))).toHaveLength(1);
  });
});

describe('a second daemon on one state dir', () => {
  it('ends with a clear error and touches nothing', async () => {
    const second = daemon.spawn();
    const code = await new Promise((resolve) => second.once('exit', resolve));
    expect(code).toBe(1);
    expect(daemon.log).toMatch(/Cannot lock ".*\/state\/lock": another process holds it/);
    expect((await daemon.ctl('get', 'pods')).code).toBe(0);
  });
});

function imageOf({ rootDir }: DaemonProcess): string {
  const directory = join(rootDir, 'images/default');
  return join(directory, readdirSync(directory).find((name) => name.endsWith('.img')) ?? '');
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
