import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path/posix';
import type { ChildProcesses } from '../ports/child-processes.ts';
import type { FilesystemHealth, MountedFilesystem } from '../ports/filesystem-health.ts';
import type { HealthEvidence } from '../world/filesystem-health.ts';
import { StorageError } from '../world/storage-error.ts';

const deadlineMs = 10_000;

export class LinuxFilesystemHealth implements FilesystemHealth {
  readonly #children: ChildProcesses;

  constructor(children: ChildProcesses) {
    this.#children = children;
  }

  async look(
    { fsType, deviceNumber, mountPoint }: MountedFilesystem,
    signal: AbortSignal,
  ): Promise<Pick<HealthEvidence, 'ext4Errors' | 'rootError'>> {
    switch (fsType) {
      case 'ext4': {
        const ext4Errors = readExt4Errors(deviceNumber);
        return ext4Errors === undefined ? {} : { ext4Errors };
      }
      case 'xfs': {
        const rootError = await this.#askForRoot(mountPoint, signal);
        return rootError === undefined ? {} : { rootError };
      }
      case 'btrfs':
        return {};
    }
  }

  /** Neither mount table nor sysfs tells of an xfs that has shut down, but xfs_vn_getattr answers EIO then. */
  async #askForRoot(mountPoint: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      const answer = await this.#children.run('stat', ['--format=%i', '--', mountPoint], { signal, deadlineMs });
      if (answer.exitCode === 0) return undefined;
      return answer.stderr.trim().split(': ').at(-1) ?? '';
    } catch (thrown) {
      // That no child could be started says nothing of the filesystem.
      if (signal.aborted || !(thrown instanceof StorageError) || thrown.progress === 'transient') throw thrown;
      return thrown.message;
    }
  }
}

/** The directory in sysfs has the block device's own name: "loop3", "dm-0", "sda1". */
function readExt4Errors(deviceNumber: string): HealthEvidence['ext4Errors'] {
  try {
    const directory = `/sys/fs/ext4/${basename(readlinkSync(`/sys/dev/block/${deviceNumber}`))}`;
    const count = Number(readFileSync(`${directory}/errors_count`, 'utf8'));
    const lastFunction = count === 0 ? '' : readFileSync(`${directory}/last_error_func`, 'utf8').trim();
    return { count, lastFunction };
  } catch {
    // Unmounted meanwhile, or a kernel without these files: nothing is known to be wrong.
    return undefined;
  }
}
