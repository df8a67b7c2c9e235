/** The state dir on a filesystem that refuses: nothing new begins, nothing is lost, and all goes on when it is mended. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loopDevices, mountsAt } from '../support/kernel-facts.ts';
import { type Backend, backends, classes, pathOf, readData, writeData } from './backends.ts';
import { bundleCrashingDaemon } from './crashing-bundle.ts';
import { CrashingDaemon } from './crashing-daemon.ts';

const run = (tool: string, ...args: readonly string[]): string => execFileSync(tool, args, { encoding: 'utf8' });

/** How the disk under a directory refuses, and how it is mended. */
interface Disk {
  break(): void;
  mend(): void;
  unmount(): void;
}

function fill(directory: string): void {
  const { bavail, bsize } = statfsSync(directory);
  writeFileSync(join(directory, 'filler'), Buffer.alloc(bavail * bsize, 1));
}

function tmpfsDisk(directory: string, how: 'full' | 'readOnly'): Disk {
  run('mount', '-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'state', directory);
  return {
    break: () => (how === 'full' ? fill(directory) : void run('mount', '-o', 'remount,ro', directory)),
    mend: () => (how === 'full' ? rmSync(join(directory, 'filler')) : void run('mount', '-o', 'remount,rw', directory)),
    unmount: () => void run('umount', directory),
  };
}

/** A loop device whose backing file has no room for what is written: the kernel answers EIO at the sync. */
function failingDisk(directory: string, base: string): Disk {
  // Beside the daemon's own directories, where every loop device would count as its.
  const below = `${base}.below`;
  mkdirSync(below);
  run('mount', '-t', 'tmpfs', '-o', 'size=4m', 'below', below);
  const image = join(below, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, 32 * 2 ** 20);
  run('/usr/sbin/mkfs.ext4', '-q', '-O', '^has_journal', '-E', 'nodiscard,lazy_itable_init=1', image);
  const device = run('losetup', '--find', '--show', image).trim();
  run('mount', '-o', 'errors=continue', device, directory);
  return {
    break: () => fill(below),
    mend: () => rmSync(join(below, 'filler')),
    unmount: () => {
      run('umount', directory);
      run('losetup', '--detach', device);
      run('umount', below);
    },
  };
}

const ext4 = backends.find(({ name }) => name === 'ext4') as Backend;

it.each([
  ['ENOSPC', 'No space|ENOSPC'],
  ['EROFS', 'EROFS|read-only'],
  ['EIO', 'EIO|i/o error'],
] as const)('%s: holds still, says so, and goes on when it is mended', async (name, says) => {
  const daemon = new CrashingDaemon(await bundleCrashingDaemon(), name.toLowerCase());
  mkdirSync(daemon.stateDir, { mode: 0o700 });
  const { stateDir, base } = daemon;
  const disk =
    name === 'EIO' ? failingDisk(stateDir, base) : tmpfsDisk(stateDir, name === 'ENOSPC' ? 'full' : 'readOnly');
  const ready = (...pods: string[]) => daemon.until('ready', () => daemon.areReady(pods));
  daemon.apply('classes.yaml', classes);
  daemon.start();
  daemon.apply('old.yaml', ext4.manifest('old', base));
  await ready('old');
  const [old] = await daemon.pods();
  const path = pathOf(old!);
  writeData(ext4, path, 'precious');
  const [mount] = mountsAt(path);

  // A filesystem that has a file open for writing cannot be made read-only by hand: that one is met at a start.
  if (name === 'EROFS') await daemon.kill();
  disk.break();
  daemon.apply('new.yaml', ext4.manifest('new', base));
  if (name !== 'EROFS') {
    await daemon.until('the refusal is told', () => new RegExp(`Cannot write state.*(${says})`, 'i').test(daemon.log));
    expect([...loopDevices().values()].filter((file) => file.includes('/new-'))).toEqual([]);
    expect(mountsAt(path).map(({ id }) => id)).toEqual([mount?.id]);
  }

  // Killed meanwhile, it comes back to what was durable, or refuses to start; either way it touches nothing.
  await daemon.kill();
  daemon.start();
  await daemon.until('up or refused', () => daemon.pods().then(() => true)).catch(() => 'refused');
  if (!daemon.isUp) expect(daemon.log).toMatch(new RegExp(says, 'i'));
  expect(mountsAt(path).map(({ id }) => id)).toEqual([mount?.id]);

  disk.mend();
  if (!daemon.isUp) daemon.start();
  await ready('new', 'old');
  expect(mountsAt(path).map(({ id }) => id)).toEqual([mount?.id]);
  expect(readData(ext4, path, 8)).toBe('precious');
  daemon.remove('old.yaml');
  daemon.remove('new.yaml');
  await daemon.until('empty', () => daemon.isEmpty());
  await daemon.kill('SIGTERM');
  disk.unmount();
});
