import type { FilesystemType } from '../world/filesystem-type.ts';

export interface CheckResult {
  /** fsck corrected errors (exit bit 1). */
  readonly corrected: boolean;
}

/** mkfs and fsck, each in a killable child with a deadline. */
export interface Filesystems {
  /**
   * mkfs on a device proven blank by the caller. Refuses to run with any force flag that would overwrite a signature
   * (xfs and btrfs refuse by themselves; ext4 asks on a terminal only). A killed mkfs is progress `uncertain`.
   */
  make(device: string, fsType: FilesystemType, signal: AbortSignal): Promise<void>;
  /**
   * Preening check before a read-write mount (ext4: e2fsck -p; xfs and btrfs replay their log at mount). The exit
   * bitmask of fsck(8) is decoded: 1 corrected, 2 reboot, 4 uncorrected -> FilesystemErrors, 8 operational, 16 usage,
   * 32 cancelled, 128 library -> Internal; each bit above 2 is an error, whatever others are set.
   */
  check(device: string, fsType: string, signal: AbortSignal): Promise<CheckResult>;
}
