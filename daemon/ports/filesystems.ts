import type { FilesystemType } from '../world/filesystem-type.ts';

export interface CheckResult {
  /** fsck corrected errors (exit bit 1). */
  readonly corrected: boolean;
}

/** How the caller knows that a device is blank: by probes of its ends, or because no byte of its image was ever written. */
export type BlankProof = 'bothEnds' | 'everyByte';

/** A mounted filesystem whose device may have become larger. */
export interface GrowRequest {
  readonly device: string;
  readonly fsType: FilesystemType;
  /** Where it is mounted, writable: each of them is grown through its mount, with its data in use. */
  readonly mountPoint: string;
}

/** mkfs, fsck and growth, each in a killable child with a deadline. */
export interface Filesystems {
  /**
   * mkfs on a device proven blank by the caller; never with a flag that would write over a signature. When only both ends
   * were probed, a signature is looked for once more: mke2fs asks on a terminal only and else writes over it (xfs and
   * btrfs refuse by themselves). A killed mkfs is progress `uncertain`.
   */
  make(device: string, fsType: FilesystemType, signal: AbortSignal, proof?: BlankProof): Promise<void>;
  /**
   * Preening check before a read-write mount (ext4: e2fsck -p; xfs and btrfs replay their log at mount). The exit
   * bitmask of fsck(8) is decoded: 1 corrected, 2 reboot, 4 uncorrected -> FilesystemErrors, 8 operational, 16 usage,
   * 32 cancelled, 128 library -> Internal; each bit above 2 is an error, whatever others are set.
   */
  check(device: string, fsType: string, signal: AbortSignal): Promise<CheckResult>;
  /**
   * Grows a mounted filesystem to its device; one that has that size already stays as it is. Never shrinks. A failure
   * leaves a filesystem that is whole, so that it is tried again: progress is `transient`, of a killed child `uncertain`.
   */
  grow(request: GrowRequest, signal: AbortSignal): Promise<void>;
}
