import { basename } from 'node:path/posix';
import { hasBacking, type LoopStatus, loopStatusOf } from './loop-node.ts';
import { backingPathOf, loopNamesInUse } from './loop-sysfs.ts';

/** A file as fstat(2) knows it, with the name by which it was opened. */
export interface FileIdentity {
  readonly path: string;
  readonly device: bigint;
  readonly inode: bigint;
  /** st_nlink: with more than one, the file has other names too. */
  readonly links: bigint;
}

/** Every device on this very file, other people's too. Throws when one that may be it cannot be asked. */
export function devicesOn(file: FileIdentity): readonly LoopStatus[] {
  return loopNamesInUse()
    .filter((name) => mayBeOn(name, file))
    .flatMap((name) => {
      const status = loopStatusOf(`/dev/${name}`, (info) => info.inode === file.inode);
      return status !== undefined && isOn(file, status) ? [status] : [];
    });
}

/**
 * By name, from sysfs, which asks no filesystem: LOOP_GET_STATUS64 asks that of the backing file, and one device of
 * somebody else's on a dead server would hang the daemon. A bind mount of the single file under another name is not seen.
 */
function mayBeOn(name: string, file: FileIdentity): boolean {
  const path = nameOfBacking(name);
  return path === '' || file.links > 1n || basename(path) === basename(file.path);
}

/** Every device that has the file with this inode and this name, which may be gone from its directory. */
export function devicesOnceOn({ inode, path }: Pick<FileIdentity, 'inode' | 'path'>): readonly LoopStatus[] {
  return loopNamesInUse()
    .filter((name) => nameOfBacking(name) === path)
    .flatMap((name) => loopStatusOf(`/dev/${name}`, (info) => info.inode === inode) ?? []);
}

/** A device with an offset or a size limit shows a part of the file: mounted, that would be other data. */
export function isWholeFile({ info }: LoopStatus): boolean {
  return info.offset === 0n && info.sizeLimit === 0n;
}

function nameOfBacking(name: string): string {
  return backingPathOf(name).replace(/ \(deleted\)$/, '');
}

/** Device and inode; or inode and path, for a filesystem that names its device differently to fstat and to the driver. */
function isOn(file: FileIdentity, status: LoopStatus): boolean {
  return hasBacking(status, file) || (status.info.inode === file.inode && status.device.backing.path === file.path);
}
