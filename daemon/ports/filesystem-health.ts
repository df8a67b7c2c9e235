import type { HealthEvidence } from '../world/filesystem-health.ts';
import type { FilesystemType } from '../world/filesystem-type.ts';

export interface MountedFilesystem {
  readonly fsType: FilesystemType;
  /** "major:minor" of its block device. */
  readonly deviceNumber: string;
  readonly mountPoint: string;
}

/** What the kernel says of a mounted filesystem, beside the mount table. */
export interface FilesystemHealth {
  /**
   * Reads sysfs, and asks for the root of an xfs in a killable child: no path on the filesystem is touched by this process.
   * Never rejects for what is wrong with the filesystem; an aborted signal rejects.
   */
  look(filesystem: MountedFilesystem, signal: AbortSignal): Promise<Pick<HealthEvidence, 'ext4Errors' | 'rootError'>>;
}
