/** The ground that the tests in a guest stand on: systemd, and the kernel's parts that no container has. */
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { loopsOn, mountsAt, run } from '../support/kernel-facts.ts';

const directory = process.env['MOORED_TEST_DIR'] ?? '';

it('is a booted system with systemd as its first process, and nothing has failed', () => {
  expect(readFileSync('/proc/1/comm', 'utf8').trim()).toBe('systemd');
  expect(run('systemctl', 'is-system-running').trim()).toBe('running');
});

it('mounts ext4 from a loop device', async () => {
  const image = join(directory, 'image');
  const target = join(directory, 'target');
  mkdirSync(target);
  writeFileSync(image, '');
  truncateSync(image, 64 * 2 ** 20);
  run('mkfs.ext4', '-q', image);
  run('mount', '-o', 'loop', image, target);
  expect(mountsAt(target).map((mount) => mount.fsType)).toEqual(['ext4']);
  expect(loopsOn(image)).toHaveLength(1);
  writeFileSync(join(target, 'file'), 'kept');
  run('umount', target);
  await eventually(() => loopsOn(image).length === 0 || 'the loop device is attached');
  rmSync(image);
});

it.each(['iscsi_tcp', 'iscsi_target_mod', 'dm_mod', 'dm_multipath', 'dm_flakey', 'nfsd', 'nfsv4', 'scsi_debug'])(
  'has the module %s',
  (module) => {
    run('modprobe', module);
    const loaded = readFileSync('/proc/modules', 'utf8').split('\n');
    expect(loaded.some((line) => line.startsWith(`${module} `))).toBe(true);
  },
);

it('has no network but its loopback', () => {
  const links = JSON.parse(run('ip', '-json', 'link')) as readonly { ifname: string }[];
  expect(links.map(({ ifname }) => ifname)).toEqual(['lo']);
});
