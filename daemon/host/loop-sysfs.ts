import { existsSync, readFileSync } from 'node:fs';
import { StorageError } from '../world/storage-error.ts';

/**
 * What sysfs tells of loop devices. Its answers ask no filesystem (the kernel prints a path that it holds), so a device
 * whose backing file lies on a dead server is listed like any other.
 */
const BLOCK_DEVICES = '/sys/block';

/**
 * Names ("loop3") of the devices with a backing file, by number. Other people's are among them. One read instead of a
 * look at each of a machine's hundreds: /proc/partitions has every disk with a size, and a free loop device has none
 * (block/genhd.c, show_partition). An empty backing file has none either; nothing of ours is ever on one.
 */
export function loopNamesInUse(): readonly string[] {
  let partitions: string;
  try {
    partitions = readFileSync('/proc/partitions', 'latin1');
  } catch (cause) {
    throw new StorageError(`Cannot list loop devices: ${messageOf(cause)}`, { code: 'Unavailable', cause });
  }
  const names = partitions.match(/\bloop\d+$/gm) ?? [];
  return names.sort((a, b) => numberOf(a) - numberOf(b));
}

/** The kernel has the directory "loop" exactly while there is a backing file (loop.c, loop_sysfs_init). */
export function hasBackingFile(name: string): boolean {
  return existsSync(`${BLOCK_DEVICES}/${name}/loop`);
}

/** The path that the backing file has now (it follows a rename; "… (deleted)" after unlink), '' when it cannot be read. */
export function backingPathOf(name: string): string {
  try {
    return withoutNewline(readFileSync(`${BLOCK_DEVICES}/${name}/loop/backing_file`, 'utf8'));
  } catch {
    // For people and as a second look only; who it is, is decided by device and inode.
    return '';
  }
}

/**
 * Of an attached device by its number ("7:3"): path and autoclear, as it is asked every now and then of each of hundreds.
 * Undefined says nothing but that not both could be read. UTF-8, because for it Node has one call that reads a whole file.
 */
export function loopBackingOf(
  deviceNumber: string,
): { readonly path: string; readonly isAutoclear: boolean } | undefined {
  const directory = `/sys/dev/block/${deviceNumber}/loop`;
  try {
    const path = withoutNewline(readFileSync(`${directory}/backing_file`, 'utf8'));
    return { path, isAutoclear: readFileSync(`${directory}/autoclear`, 'utf8') === '1\n' };
  } catch {
    return undefined;
  }
}

/** What sysfs alone tells of a device that cannot be asked. */
export function loopFactsOf(name: string): { readonly readOnly: boolean; readonly deviceNumber: string } {
  const read = (file: string) => readFileSync(`${BLOCK_DEVICES}/${name}/${file}`, 'latin1').trim();
  return { readOnly: read('ro') === '1', deviceNumber: read('dev') };
}

/** One newline ends a path in sysfs; others belong to it. */
function withoutNewline(text: string): string {
  return text.replace(/\n$/, '');
}

function numberOf(name: string): number {
  return Number(name.slice('loop'.length));
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
