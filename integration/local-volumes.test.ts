/** PersistentVolumes with `local`: directories and block devices that are on this machine already. */
import { mkdirSync, readFileSync, renameSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DaemonProcess } from './support/daemon-process.ts';
import { mountsAt, run } from './support/kernel-facts.ts';
import { claim, claimVolume, documents, pod } from './support/manifests.ts';

let daemon: DaemonProcess;

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  await daemon.dispose();
});

function localVolume(path: string, lines: readonly string[] = []): string {
  return [
    ...['apiVersion: v1', 'kind: PersistentVolume', 'metadata: { name: disk }', 'spec:'],
    ...['  capacity: { storage: 64Mi }', '  accessModes: [ReadWriteOnce]', '  storageClassName: ""'],
    `  local: { path: ${path} }`,
    '  nodeAffinity:',
    '    required:',
    '      nodeSelectorTerms:',
    `        - matchExpressions: [{ key: kubernetes.io/hostname, operator: In, values: [${hostname().toLowerCase()}] }]`,
    ...lines,
  ].join('\n');
}

const data = claim('data', { storageClass: '' });
const web = (name = 'web', readOnly = false) => pod(name, { data: claimVolume('data', readOnly) });

describe('a directory', () => {
  it('is bound into each pod, read-only where that is asked, and kept when they go', async () => {
    const directory = join(daemon.base, 'disk');
    mkdirSync(directory);
    writeFileSync(join(directory, 'file'), 'precious');
    daemon.apply('d.yaml', documents(localVolume(directory), data, web(), web('reader', true)));
    await daemon.mounted('web');
    await daemon.mounted('reader');
    const path = await daemon.path('web', 'data');
    const reader = await daemon.path('reader', 'data');
    expect(mountsAt(path)[0]?.options).toEqual(expect.arrayContaining(['rw', 'nosuid', 'nodev']));
    expect(mountsAt(reader)[0]?.options).toContain('ro');
    writeFileSync(join(path, 'from-pod'), 'x');
    expect(readFileSync(join(directory, 'from-pod'), 'utf8')).toBe('x');
    expect(() => writeFileSync(join(reader, 'no'), 'x')).toThrow(/EROFS/);
    const before = mountsAt(path)[0]?.id;
    await daemon.restart('SIGKILL');
    await daemon.mounted('web');
    expect(mountsAt(path)[0]?.id).toBe(before);
    run('/usr/bin/umount', path);
    await daemon.event('VolumeMountLost');
    await daemon.mounted('web');
    daemon.remove('d.yaml');
    await daemon.unmounted('web');
    await daemon.gone();
    expect(readFileSync(join(directory, 'file'), 'utf8')).toBe('precious');
  });

  it('is not followed through a symlink, whoever put it there', async () => {
    const real = join(daemon.base, 'real');
    mkdirSync(real);
    mkdirSync(join(real, 'inner'));
    symlinkSync(real, join(daemon.base, 'link'));
    daemon.apply('d.yaml', documents(localVolume(join(daemon.base, 'link/inner')), data, web()));
    await daemon.event('FailedMount');
    expect(mountsAt(await daemon.path('web', 'data'))).toEqual([]);
    daemon.remove('d.yaml');
    await daemon.gone();
  });

  it('may come late', async () => {
    const directory = join(daemon.base, 'late');
    daemon.apply('d.yaml', documents(localVolume(directory), data, web()));
    await daemon.event('FailedMount');
    mkdirSync(`${directory}.new`);
    renameSync(`${directory}.new`, directory);
    await daemon.mounted('web');
    daemon.remove('d.yaml');
    await daemon.gone();
  });

  it('that was a whole disk is refused while the disk is not mounted', async () => {
    const directory = join(daemon.base, 'disk');
    mkdirSync(directory);
    run('/usr/bin/mount', '-t', 'tmpfs', 'disk', directory);
    daemon.apply('d.yaml', documents(localVolume(directory), data, web()));
    await daemon.mounted('web');
    const path = await daemon.path('web', 'data');
    run('/usr/bin/umount', directory);
    run('/usr/bin/umount', path);
    await daemon.event('FailedMount');
    expect(mountsAt(path)).toEqual([]);
    run('/usr/bin/mount', '-t', 'tmpfs', 'disk', directory);
    await daemon.mounted('web');
    daemon.remove('d.yaml');
    await daemon.gone();
    run('/usr/bin/umount', directory);
  });
});

describe('a block device', () => {
  it('is formatted because it is blank, and mounted once under the name of the volume', async () => {
    const image = join(daemon.base, 'disk.img');
    writeFileSync(image, '');
    truncateSync(image, 64 * 2 ** 20);
    const device = run('/usr/sbin/losetup', '--find', '--show', image).trim();
    try {
      daemon.apply('d.yaml', documents(localVolume(device), data, web()));
      await daemon.mounted('web');
      const path = await daemon.path('web', 'data');
      expect(mountsAt(path)[0]).toMatchObject({ fsType: 'ext4', source: device });
      expect(mountsAt(join(daemon.rootDir, 'plugins/kubernetes.io/local-volume/mounts/disk'))).toHaveLength(1);
      daemon.remove('d.yaml');
      await daemon.unmounted('web');
      await daemon.gone();
    } finally {
      run('/usr/sbin/losetup', '--detach', device);
    }
  });
});
