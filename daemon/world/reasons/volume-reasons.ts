import type { Reason } from './reason.ts';

/** About attaching, mounting and the way back. */
export const volumeReasons = {
  ClaimNotBound: {
    type: 'Normal',
    means: 'The pod waits for a claim that has no volume yet.',
    help: ['moorctl explain pvc/CLAIM'],
  },
  VolumeNotResolved: {
    type: 'Warning',
    means: 'What the pod asks for is not there or contradicts itself; what the pod has mounted stays.',
    help: ['mend the manifest: moorctl describe pod NAME; moorctl get pvc,pv'],
  },
  FailedAttachVolume: {
    type: 'Warning',
    means: 'The image, disk or LUN could not be attached to this machine.',
    help: ['moorctl doctor'],
  },
  FailedMount: {
    type: 'Warning',
    means: 'The volume could not be checked, formatted or mounted.',
    help: ['dmesg | tail; moorctl doctor'],
  },
  FailedMountOnFilesystemMismatch: {
    type: 'Warning',
    means: 'There is another filesystem on the device than the one that is asked for; nothing was written.',
    help: ['ask for the filesystem that is there: fsType of the volume or of its class'],
  },
  FailedUnmount: {
    type: 'Warning',
    means: 'The volume of a pod could not be unmounted.',
    help: ['who uses it? fuser -vm PATH'],
  },
  FailedUnmountDevice: {
    type: 'Warning',
    means: 'The global mount of a volume could not be unmounted.',
    help: ['who uses it? fuser -vm PATH; findmnt --source DEVICE'],
  },
  FailedDetachVolume: {
    type: 'Warning',
    means: 'A loop device or session of a volume could not be given back.',
    help: ['who has it? findmnt --source DEVICE; lsblk'],
  },
  FailedCleanup: {
    type: 'Warning',
    means: 'What was left of a volume that nobody wants any more could not be put away.',
    help: ['moorctl orphans'],
  },
  VolumeResizeFailed: {
    type: 'Warning',
    means:
      'The image, device or filesystem could not be grown; the volume is used as it is, and growth is tried again.',
    help: ['is there room? df -h; moorctl doctor', 'or take the request back to what the claim has: moorctl get pvc'],
  },
  FileSystemResizeSuccessful: { type: 'Normal', means: 'The filesystem was grown.', help: [] },
  VolumeConditionAbnormal: {
    type: 'Warning',
    means: 'The volume is mounted, but the kernel no longer writes to it.',
    help: ['dmesg | tail'],
  },
  VolumeConditionNormal: { type: 'Normal', means: 'The volume is well again.', help: [] },
  VolumeDeviceChanged: {
    type: 'Warning',
    means: 'Somebody else changed what the device of a volume is; what moored has of it is kept.',
    help: ['find out who did: losetup --list; lsblk'],
  },
  VolumeDeviceLost: {
    type: 'Warning',
    means: 'Somebody else took away the device or the image of a volume; what is written to it may be lost.',
    help: ['while it is mounted: copy the data away', 'find out who did: losetup --list'],
  },
  VolumeDeviceBack: { type: 'Normal', means: 'The device of a volume is what it was again.', help: [] },
  VolumeDirectoryLost: {
    type: 'Warning',
    means: 'Somebody else removed the directory of an emptyDir; it is made anew, empty.',
    help: ['find out who did, and restart the workload'],
  },
  ForeignBind: {
    type: 'Normal',
    means: 'Somebody else has a volume mounted elsewhere, or something mounted in it: it is not given up meanwhile.',
    help: ['if it is not wanted: umount PATH'],
  },
  VolumeMountLost: {
    type: 'Warning',
    means: 'Somebody else unmounted a volume; it is mounted again.',
    help: ['find out who did; a workload that saw it go may need a restart'],
  },
  VolumeMountChanged: {
    type: 'Warning',
    means: 'Somebody else remounted a volume with other flags; the flags are put right.',
    help: ['find out who did'],
  },
  ForeignMount: {
    type: 'Warning',
    means: 'Somebody else mounted something over a volume or in its place; it is left alone.',
    help: ['if it is not wanted: umount PATH'],
  },
  OrphanedMount: {
    type: 'Warning',
    means: 'There is a mount below the root directory that no record knows; it is left alone.',
    help: ['moorctl orphans', 'if it is not wanted: umount PATH'],
  },
  OrphanCollected: { type: 'Normal', means: 'Something that belonged to nobody was put away by gc.', help: [] },
  PodDirectoryKept: {
    type: 'Warning',
    means: 'The directory of an ended pod has something in it, or cannot be read: directory and pod stay.',
    help: ['move what is in it away; the directory then goes by itself'],
  },
} as const satisfies Readonly<Record<string, Reason>>;
