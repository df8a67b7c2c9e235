/** Whether a mounted filesystem is still what it was, from what the kernel says of it. Pure. */
import type { FilesystemType } from './filesystem-type.ts';

export interface HealthEvidence {
  readonly fsType: FilesystemType;
  readonly mountPoint?: string;
  /** Of the superblock, from the mount table. */
  readonly superOptions: readonly string[];
  /** /sys/fs/ext4/DEVICE/errors_count and last_error_func; undefined where there are none. */
  readonly ext4Errors?: { readonly count: number; readonly lastFunction: string };
  /** Why its root directory did not answer a child; undefined when it did, or was not asked. */
  readonly rootError?: string;
}

/** What is wrong, in a sentence's second half, and the command that helps (CSI: VolumeCondition, abnormal). */
export interface Abnormality {
  readonly message: string;
  readonly advice: string;
}

/**
 * A filesystem that is mounted writable and has stopped to be so. Each tells it in its own way, none by an event of the
 * mount table. btrfs: "ro" among the superblock's options; ext4: the same on older kernels, "emergency_ro" on the newest,
 * and in between nothing but its count of errors; xfs that has shut down answers EIO to whoever asks for its root.
 */
export function decideHealth(evidence: HealthEvidence): Abnormality | undefined {
  const { superOptions, ext4Errors, rootError, fsType } = evidence;
  const advice = adviceFor[fsType];
  if (superOptions.includes('shutdown')) return { message: 'the kernel has shut it down after an error', advice };
  if (superOptions.includes('ro') && isNotTheKernels(evidence)) {
    return {
      message: 'somebody has remounted it read-only',
      advice: `if that is not wanted: mount -o remount,rw ${evidence.mountPoint ?? ''}`,
    };
  }
  if (superOptions.includes('ro') || superOptions.includes('emergency_ro')) {
    return { message: `the kernel has made it read-only after an error${historyOf(ext4Errors)}`, advice };
  }
  if (rootError !== undefined) return { message: `its root does not answer: ${rootError}`, advice };
  if (ext4Errors !== undefined && ext4Errors.count > 0) {
    return { message: `ext4 has found errors and may have become read-only${historyOf(ext4Errors)}`, advice };
  }
  return undefined;
}

/** xfs is never made read-only by the kernel, it shuts down; ext4 counts an error first. */
function isNotTheKernels({ fsType, ext4Errors, superOptions }: HealthEvidence): boolean {
  if (superOptions.includes('emergency_ro')) return false;
  return fsType === 'xfs' || (fsType === 'ext4' && ext4Errors?.count === 0);
}

/** Mounted anew it is checked, or its log is replayed; both want the pod to let go of it first. */
const adviceFor: Readonly<Record<FilesystemType, string>> = {
  ext4: 'dmesg | tail; mend the device, then take the pod away and back: it is checked before it is mounted',
  xfs: 'dmesg | tail; mend the device, then take the pod away and back; xfs_repair if the mount is refused',
  btrfs: 'dmesg | tail; mend the device, then take the pod away and back; btrfs check if the mount is refused',
};

function historyOf(errors: HealthEvidence['ext4Errors']): string {
  if (errors === undefined || errors.count === 0) return '';
  const times = errors.count === 1 ? 'one error' : `${errors.count} errors`;
  return errors.lastFunction === '' ? ` (${times})` : ` (${times}, the last in ${errors.lastFunction})`;
}
