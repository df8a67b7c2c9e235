import type { StorageErrorCode } from '../storage-error.ts';

/** What the code of a failed step says to whoever meets it. */
export interface ErrorMeaning {
  readonly means: string;
  readonly help: readonly string[];
  /**
   * Whether a final error of this code stays until somebody changes something: `moorctl wait` does not wait for that. Never
   * for what may come late or go away by itself: a path, a server, room, another user of the device.
   */
  readonly needsChange: boolean;
}

export const errorMeanings: Readonly<Record<StorageErrorCode, ErrorMeaning>> = {
  InvalidArgument: {
    means: 'What is asked for is not possible: an option, a filesystem, a path, a combination of fields.',
    help: ['change the manifest in the point that is named'],
    needsChange: true,
  },
  NotFound: {
    means: 'A file, a device, a target or an object is not there; it may come later.',
    help: ['is the path or name right? ls -l PATH; lsblk'],
    needsChange: false,
  },
  AlreadyExists: {
    means: 'Something else has the place or the identity: a mount, a UUID, a volume of the same name.',
    help: ['findmnt; blkid'],
    needsChange: false,
  },
  PermissionDenied: {
    means:
      'The kernel, a server or a rule of moored forbids it: owner or mode, a symlink in a path, an export, a password.',
    help: ['namei -l PATH; for a server: its exports or access list'],
    needsChange: true,
  },
  ResourceExhausted: {
    means: 'No room, memory, loop device or process was left, or a limit of moored.yaml (pool, memory) is reached.',
    help: ['df -h; free -h; losetup --list'],
    needsChange: false,
  },
  FailedPrecondition: {
    means: 'Something must be otherwise first; the message says what.',
    help: [],
    needsChange: false,
  },
  Aborted: { means: 'The step was given up halfway, and is done again.', help: [], needsChange: false },
  Unimplemented: {
    means: 'Neither moored nor this kernel can do it: an unknown driver, a missing tool or system call.',
    help: ['moorctl doctor'],
    needsChange: true,
  },
  Unavailable: {
    means: 'A device, a server or a service does not answer, or answers with an error; tried again.',
    help: ['dmesg | tail'],
    needsChange: false,
  },
  DeadlineExceeded: {
    means: 'No answer came in time; whether the step happened is looked at before it is tried again.',
    help: ['dmesg | tail; is the device or server well?'],
    needsChange: false,
  },
  Internal: {
    means: 'A tool or the kernel said something that moored has no better word for.',
    help: ['journalctl -u moored; dmesg | tail'],
    needsChange: false,
  },
  DataLoss: {
    means: 'Data or a record is damaged, or an image is not the one that was recorded; nothing was written.',
    help: ['restore it from a copy'],
    needsChange: true,
  },
  NotBlank: {
    means: 'There is something on the device that is no filesystem of the wanted type: it is not formatted over.',
    help: ['wipefs DEVICE lists what is there; if none of it is wanted, take it off by hand'],
    needsChange: true,
  },
  FilesystemMismatch: {
    means: 'There is another filesystem on the device than the one that is asked for.',
    help: [],
    needsChange: true,
  },
  FilesystemErrors: {
    means: 'The check of the filesystem found what it does not repair by itself.',
    help: ['take a copy of the device before it is repaired'],
    needsChange: true,
  },
  ForeignMount: {
    means: 'There is a mount in the place that moored did not make: it is left alone.',
    help: ['findmnt PATH'],
    needsChange: false,
  },
  TargetNotEmpty: {
    means: 'A directory that is to go has something in it.',
    help: ['ls -la PATH'],
    needsChange: false,
  },
  Busy: { means: 'Somebody uses it.', help: ['fuser -vm PATH'], needsChange: false },
};
