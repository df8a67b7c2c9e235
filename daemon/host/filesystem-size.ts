import type { ChildProcesses } from '../ports/child-processes.ts';
import { bytesOfDump, filesystemBytes, superblockPlaces } from '../world/filesystem-size.ts';
import type { FilesystemType } from '../world/filesystem-type.ts';
import { StorageError } from '../world/storage-error.ts';

const deadlineMs = 30_000;

/**
 * Bytes that the filesystem on the device takes, by its superblock, read by od(1) in a child. Of a mounted xfs or btrfs it
 * may be what it was a while ago: theirs are written back later.
 *
 * @throws StorageError transient when it cannot be read, or is none
 */
export async function readFilesystemSize(
  device: string,
  fsType: FilesystemType,
  children: ChildProcesses,
  signal: AbortSignal,
): Promise<bigint> {
  const { offset, length } = superblockPlaces[fsType];
  const args = ['-A', 'n', '-v', '-t', 'x1', '-j', `${offset}`, '-N', `${length}`, device];
  const { exitCode, stdout, stderr } = await children.run('od', args, { signal, deadlineMs });
  const bytes = exitCode === 0 ? filesystemBytes(fsType, bytesOfDump(stdout)) : undefined;
  if (bytes !== undefined) return bytes;
  const cause = exitCode === 0 ? `there is no ${fsType} superblock` : stderr.trim();
  throw new StorageError(`Cannot read the superblock of "${device}": ${cause}`, {
    code: 'Unavailable',
    progress: 'transient',
    operation: 'probe',
    source: device,
    exitCode,
    hint: 'dmesg | tail',
  });
}
