/** What people do to mounts, devices and images that are not theirs, and what must come of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, unlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { loopsOn, mountsAt, run } from '../support/kernel-facts.ts';
import { pod } from '../support/manifests.ts';
import type { DriftScene } from './drift-scene.ts';

export interface Act {
  readonly name: string;
  readonly policy: 'repaired' | 'reported';
  /** What tells the daemon; the bound for what it is not told is 30 s, the slow look. */
  readonly toldBy: 'mount table' | 'inotify';
  /** Whose `explain` has it. */
  readonly pod: string;
  /** The event by which it is noticed. */
  readonly reason: string;
  readonly shown: RegExp;
  before?(scene: DriftScene): void | Promise<void>;
  act(scene: DriftScene): void;
  /** Repaired: as before. Reported: what is theirs is still there. */
  isAsItShould(scene: DriftScene): boolean;
  after?(scene: DriftScene): void | Promise<void>;
}

const umount = '/usr/bin/umount';
const mount = '/usr/bin/mount';
const losetup = '/usr/sbin/losetup';

const isMountedOnce = (path: string): boolean => mountsAt(path).length === 1;
const isCoveredBy = (path: string, source: string): boolean => mountsAt(path).at(-1)?.source === source;
const loopFile = (device: string, name: string): string =>
  readFileSync(`/sys/block/${basename(device)}/loop/${name}`, 'utf8').trim();

let holder: ChildProcess | undefined;

export const acts: readonly Act[] = [
  {
    name: 'umount of a pod’s mount',
    ...{ policy: 'repaired', toldBy: 'mount table', pod: 'web', reason: 'VolumeMountLost', shown: /is gone/ },
    act: ({ paths }) => run(umount, paths.web),
    isAsItShould: ({ paths }) => isMountedOnce(paths.web),
  },
  {
    name: 'umount -l, in use by a process',
    ...{ policy: 'repaired', toldBy: 'mount table', pod: 'memory', reason: 'VolumeMountLost' },
    shown: /used by sleep \(pid \d+, working directory\)/,
    before: ({ paths }) => {
      holder = spawn('/bin/sleep', ['600'], { cwd: paths.memory, stdio: 'ignore' });
    },
    act: ({ paths }) => run(umount, '--lazy', paths.memory),
    isAsItShould: ({ paths }) => isMountedOnce(paths.memory),
    after: () => {
      holder?.kill();
    },
  },
  {
    name: 'umount of the global mount',
    ...{
      policy: 'repaired',
      toldBy: 'mount table',
      pod: 'web',
      reason: 'VolumeMountLost',
      shown: /globalmount" is gone/,
    },
    act: ({ paths }) => run(umount, paths.global),
    isAsItShould: ({ paths }) => isMountedOnce(paths.global),
  },
  {
    name: 'umount of a memory volume',
    ...{ policy: 'repaired', toldBy: 'mount table', pod: 'memory', reason: 'VolumeMountLost', shown: /is gone/ },
    act: ({ paths }) => run(umount, paths.memory),
    isAsItShould: ({ paths }) => isMountedOnce(paths.memory),
  },
  {
    name: 'a mount over ours',
    ...{ policy: 'reported', toldBy: 'mount table', pod: 'web', reason: 'ForeignMount' },
    shown: /mounted over ours[^]*if it is not wanted: umount/,
    act: ({ paths }) => run(mount, '-t', 'tmpfs', 'theirs', paths.web),
    isAsItShould: ({ paths }) => isCoveredBy(paths.web, 'theirs'),
    after: ({ paths }) => void run(umount, paths.web),
  },
  {
    name: 'a mount in the place of ours',
    ...{ policy: 'reported', toldBy: 'mount table', pod: 'memory', reason: 'ForeignMount' },
    shown: /is mounted there, and not by moored[^]*if it is not wanted: umount/,
    act: ({ paths, daemon }) => {
      // Else it would mount between the two.
      process.kill(daemon.pid, 'SIGSTOP');
      run(umount, paths.memory);
      run(mount, '-t', 'tmpfs', 'theirs', paths.memory);
      process.kill(daemon.pid, 'SIGCONT');
    },
    isAsItShould: ({ paths }) => isCoveredBy(paths.memory, 'theirs'),
    after: ({ paths }) => void run(umount, paths.memory),
  },
  {
    name: 'remount of the bind, read-only',
    ...{ policy: 'repaired', toldBy: 'mount table', pod: 'web', reason: 'VolumeMountChanged', shown: /no longer rw/ },
    act: ({ paths }) => run(mount, '-o', 'remount,bind,ro', paths.web),
    isAsItShould: ({ paths }) => mountsAt(paths.web)[0]?.options.includes('rw') === true,
  },
  {
    name: 'remount of the filesystem, read-only',
    ...{ policy: 'reported', toldBy: 'mount table', pod: 'web', reason: 'VolumeConditionAbnormal' },
    shown: /somebody has remounted it read-only[^]*mount -o remount,rw/,
    act: ({ paths }) => run(mount, '-o', 'remount,ro', paths.global),
    isAsItShould: ({ paths }) => / - ext4 \S+ ro/.test(mountsAt(paths.global)[0]?.line ?? ''),
    after: ({ paths }) => void run(mount, '-o', 'remount,rw', paths.global),
  },
  {
    name: 'bind of ours elsewhere',
    ...{ policy: 'reported', toldBy: 'mount table', pod: 'web', reason: 'ForeignBind' },
    shown: /mounted at ".*\/theirs" too[^]*umount/,
    act: ({ paths }) => run(mount, '--bind', paths.web, paths.theirs),
    isAsItShould: ({ paths }) => isMountedOnce(paths.theirs) && isMountedOnce(paths.web),
    after: ({ paths }) => void run(umount, paths.theirs),
  },
  {
    name: 'a mount inside ours',
    ...{ policy: 'reported', toldBy: 'mount table', pod: 'web', reason: 'ForeignBind' },
    shown: /inside this volume, at ".*\/inside"[^]*umount/,
    before: ({ paths }) => void mkdirSync(join(paths.web, 'inside'), { recursive: true }),
    act: ({ paths }) => run(mount, '-t', 'tmpfs', 'theirs', join(paths.web, 'inside')),
    isAsItShould: ({ paths }) => isMountedOnce(join(paths.web, 'inside')),
    after: ({ paths }) => void run(umount, join(paths.web, 'inside')),
  },
  {
    name: 'mount --move of ours',
    ...{ policy: 'repaired', toldBy: 'mount table', pod: 'web', reason: 'VolumeMountLost', shown: /\/theirs" too/ },
    act: ({ paths }) => run(mount, '--move', paths.web, paths.theirs),
    isAsItShould: ({ paths }) => isMountedOnce(paths.web) && isMountedOnce(paths.theirs),
    after: ({ paths }) => void run(umount, paths.theirs),
  },
  {
    name: 'directory below ours removed, from another mount namespace',
    ...{ policy: 'repaired', toldBy: 'mount table', pod: 'web', reason: 'VolumeMountLost', shown: /is gone/ },
    act: ({ paths }) => {
      const script = 'umount "$0" && chattr -i "$0" && rmdir "$0"';
      run('/usr/bin/unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c', script, paths.web);
    },
    isAsItShould: ({ paths }) => isMountedOnce(paths.web),
  },
  {
    name: 'directory of a plain emptyDir removed',
    ...{ policy: 'repaired', toldBy: 'inotify', pod: 'plain', reason: 'VolumeDirectoryLost', shown: /is gone/ },
    act: ({ paths }) => rmdirSync(paths.plain),
    isAsItShould: ({ paths }) => existsSync(paths.plain),
  },
  {
    name: 'loop device detached while mounted',
    ...{ policy: 'repaired', toldBy: 'inotify', pod: 'web', reason: 'VolumeDeviceChanged', shown: /was detached/ },
    act: ({ paths }) => run(losetup, '--detach', paths.device),
    isAsItShould: ({ paths }) => loopFile(paths.device, 'autoclear') === '0' && isMountedOnce(paths.web),
  },
  {
    name: 'loop device of a raw volume detached',
    ...{ policy: 'repaired', toldBy: 'inotify', pod: 'raw', reason: 'VolumeDeviceLost', shown: /no longer has/ },
    act: ({ paths }) => run(losetup, '--detach', ...loopsOn(paths.rawImage)),
    isAsItShould: ({ paths }) => loopsOn(paths.rawImage).length === 1,
  },
  {
    name: 'image moved away',
    ...{ policy: 'reported', toldBy: 'inotify', pod: 'web', reason: 'VolumeDeviceLost', shown: /was moved[^]*\nmv / },
    act: ({ paths }) => renameSync(paths.image, `${paths.image}.away`),
    isAsItShould: ({ paths }) => existsSync(`${paths.image}.away`) && !existsSync(paths.image),
    after: ({ paths }) => renameSync(`${paths.image}.away`, paths.image),
  },
  {
    name: 'image removed or replaced',
    ...{ policy: 'reported', toldBy: 'inotify', pod: 'doomed', reason: 'VolumeDeviceLost' },
    shown: /was removed or replaced[^]*cp --sparse=always/,
    before: async ({ daemon, view }) => {
      const volume = 'csi: { driver: loop.moored.dev, volumeAttributes: { size: 16Mi } }';
      daemon.apply('doomed.yaml', pod('doomed', { data: volume }));
      await view.ready('doomed');
    },
    act: ({ daemon }) => {
      const [image] = run('/usr/bin/find', `${daemon.rootDir}/images`, '-name', '*doomed*.img').split('\n');
      unlinkSync(image ?? '');
    },
    isAsItShould: ({ daemon }) => run('/usr/bin/find', `${daemon.rootDir}/images`, '-name', '*doomed*.img') === '',
    after: async ({ daemon, view }) => {
      daemon.remove('doomed.yaml');
      await view.gone('doomed');
    },
  },
];
