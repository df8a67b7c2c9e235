/** Workloads that write to what they find at their paths, and what must be there afterwards. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { mountsBelow, run } from '../../support/kernel-facts.ts';
import { imagesOf } from './admin.ts';
import { broughtData } from './brought-images.ts';
import type { RealMachine } from './real-machine.ts';

/** Each pod, or not, by chance. */
export function writeData(machine: RealMachine): void {
  for (const { target } of mountsBelow(join(machine.daemon.rootDir, 'pods'))) {
    if (machine.random.is(0.5)) continue;
    try {
      write(target, machine);
    } catch (error) {
      // Read-only, unmounted or detached in this moment: a workload would see the same error.
      machine.trace(`  write to ${target}: ${String(error)}`);
    }
  }
}

function write(target: string, machine: RealMachine): void {
  const data = `data-${machine.next()};`;
  const isDevice = statSync(target).isBlockDevice();
  // What is open stays what it is: neither can the mount go nor the device be given to another file.
  const place = openSync(target, isDevice ? 'r+' : 'r');
  try {
    const image = imageBelow(place, isDevice, machine);
    if (image === undefined) return;
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;
    const file = isDevice ? place : openSync(`/proc/self/fd/${place}/data`, flags);
    writeSync(file, data, 0);
    fsyncSync(file);
    if (file !== place) closeSync(file);
    machine.written.set(image, { data, isInline: /\/inline(-xfs)?\/mount$/.test(target) });
    machine.trace(`  wrote ${data} to ${target}, inode ${image}`);
  } finally {
    closeSync(place);
  }
}

/**
 * The inode of the image below an open directory or device; undefined when there is none, or its name has gone. A raw
 * device whose number somebody took has a file of his below it, until the daemon sees that: nobody writes to it here.
 */
function imageBelow(fd: number, isDevice: boolean, { daemon, imageDirectory }: RealMachine): bigint | undefined {
  const stat = fstatSync(fd, { bigint: true });
  const number = isDevice ? stat.rdev : stat.dev;
  const backing = `/sys/dev/block/${number >> 8n}:${number & 0xffn}/loop/backing_file`;
  if (!existsSync(backing)) return undefined;
  const path = readFileSync(backing, 'utf8').trimEnd();
  const isVolume = [join(daemon.rootDir, 'images'), imageDirectory].some((place) => path.startsWith(`${place}/`));
  return isVolume ? statSync(path, { bigint: true, throwIfNoEntry: false })?.ino : undefined;
}

/** What pods see now is what was written last. */
export function checkMountedData(machine: RealMachine): readonly string[] {
  return mountsBelow(join(machine.daemon.rootDir, 'pods')).flatMap(({ target }) => {
    const isDevice = statSync(target).isBlockDevice();
    const place = openSync(target, 'r');
    try {
      const image = imageBelow(place, isDevice, machine);
      const wanted = image === undefined ? undefined : machine.written.get(image)?.data;
      if (wanted === undefined) return [];
      const found = isDevice ? headOf(place, wanted.length) : readFileSync(`/proc/self/fd/${place}/data`, 'utf8');
      return found === wanted ? [] : [`${target} shows "${found}", written was "${wanted}"`];
    } catch (error) {
      return [`${target} cannot be read: ${String(error)}`];
    } finally {
      closeSync(place);
    }
  });
}

/** When all is unmounted: what was written is in its image, but for those that ended with their pod. */
export function checkImages(machine: RealMachine): readonly string[] {
  const { imageDirectory, written, daemon, aside } = machine;
  const trash = join(daemon.rootDir, 'images/default/.trash');
  const trashed = existsSync(trash) ? readdirSync(trash).map((name) => join(trash, name)) : [];
  const paths = [...imagesOf(machine), ...trashed, ...aside.map(({ kept }) => kept)];
  const found = new Map(paths.map((path) => [statSync(path, { bigint: true }).ino, path]));
  const wrong = [...written].flatMap(([inode, { data, isInline }]) => {
    if (isInline) return [];
    const path = found.get(inode);
    if (path === undefined) return [`the image with "${data}" is gone`];
    const content = dataIn(path, data.length);
    return content === data ? [] : [`${path} holds "${content}", written was "${data}"`];
  });
  const full = found.get(machine.fullImage);
  if (full === undefined) return [...wrong, `${imageDirectory}/full.img is gone`];
  if (written.has(machine.fullImage) || dataIn(full, broughtData.length) === broughtData) return wrong;
  return [...wrong, `${full} no longer holds what it was brought with`];
}

/** Of a raw device what is at its beginning; of a filesystem, the file. */
function dataIn(path: string, length: number): string {
  const fd = openSync(path, 'r');
  try {
    const head = headOf(fd, length);
    if (head.startsWith('data-')) return head;
  } finally {
    closeSync(fd);
  }
  return run('/usr/sbin/debugfs', '-R', 'cat /data', path);
}

function headOf(fd: number, length: number): string {
  const head = Buffer.alloc(length);
  readSync(fd, head, 0, length, 0);
  return head.toString();
}
