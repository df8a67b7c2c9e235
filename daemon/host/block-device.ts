import { readFileSync, realpathSync, statSync } from 'node:fs';
import { StorageError } from '../world/storage-error.ts';
import { fromNode } from './node-errno.ts';
import { storageErrorFromErrno } from './storage-error-from-errno.ts';
import { failedWith } from './syscall-error.ts';

/** What the kernel says of a block device, from /dev and /sys: the device itself is not touched and cannot hang this. */
export interface BlockDevice {
  /** The device's own node, where the given path is a symlink to it. */
  readonly node: string;
  /** "major:minor" */
  readonly deviceNumber: string;
  readonly sizeBytes: bigint;
  readonly readOnly: boolean;
  /**
   * Counts up whenever a disk appears or a loop device gets another file (5.15; sysfs-block), '' where the kernel does
   * not say: the number and the name of a device are given to the next one.
   */
  readonly diskSequence: string;
}

/**
 * Symlinks are followed as long as they end below /dev (/dev/disk/by-id/…, /dev/mapper/…).
 * @throws StorageError NotFound; FailedPrecondition when it is something else or leads elsewhere
 */
export function describeBlockDevice(path: string): BlockDevice {
  const action = `Cannot use "${path}"`;
  const node = attempt(action, () => realpathSync(path));
  if (!path.startsWith('/dev/') || !node.startsWith('/dev/'))
    throw refused(`${action}: "${node}" is not below /dev`, path);
  const status = attempt(action, () => statSync(node, { bigint: true }));
  if (!status.isBlockDevice()) throw refused(`${action}: not a block device`, path);
  const deviceNumber = deviceNumberOf(status.rdev);
  const facts = `/sys/dev/block/${deviceNumber}`;
  return {
    node,
    deviceNumber,
    // In sectors of 512 bytes, whatever the device's own are (kernel: ABI/stable/sysfs-block).
    sizeBytes: BigInt(readFact(`${facts}/size`, action)) * 512n,
    readOnly: readFact(`${facts}/ro`, action) !== '0',
    diskSequence: readOptionalFact(`${facts}/diskseq`) ?? readOptionalFact(`${facts}/../diskseq`) ?? '',
  };
}

function readFact(path: string, action: string): string {
  return attempt(`${action}: the kernel has no device behind this node`, () => readFileSync(path, 'utf8').trim());
}

/** A partition has no sequence number: its disk, one level up, has. */
function readOptionalFact(path: string): string | undefined {
  try {
    return fromNode(() => readFileSync(path, 'utf8').trim());
  } catch (thrown) {
    if (failedWith(thrown, 'ENOENT', 'ENOTDIR')) return undefined;
    throw thrown;
  }
}

function attempt<T>(action: string, call: () => T): T {
  try {
    return fromNode(call);
  } catch (thrown) {
    throw storageErrorFromErrno(thrown, action);
  }
}

function refused(message: string, path: string): StorageError {
  return new StorageError(message, { code: 'FailedPrecondition', source: path });
}

/** makedev(3): twelve bits of major around the low eight of minor, the rest above. */
function deviceNumberOf(rdev: bigint): string {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}
