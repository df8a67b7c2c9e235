/** A loop device with a backing file, as /sys/block/loopN/loop and LOOP_GET_STATUS64 tell. */
export interface LoopDevice {
  readonly devicePath: string;
  /** What the kernel holds: device and inode of the backing file; the name alone may be stale or "(deleted)". */
  readonly backing: { readonly device: bigint; readonly inode: bigint; readonly path: string };
  readonly readOnly: boolean;
  /** "major:minor", the identity in the mount table of what is mounted from it. */
  readonly deviceNumber: string;
}

export interface LoopDevices {
  /**
   * Attaches `imagePath` (absolute, no symlink in it, a regular file on a local filesystem) or returns the device that
   * already has this very file. Never two devices on one file.
   */
  attach(imagePath: string, options: { readonly readOnly: boolean }): LoopDevice;
  /** The device that has this file (by device and inode), if any. Throws when that cannot be known. */
  find(imagePath: string): LoopDevice | undefined;
  /**
   * The device that has this file under this name, also when the name was given to another file since, or to none. An inode
   * alone is no proof: its number is given again when the file is gone, and the device may then be somebody else's.
   */
  findBacking(backing: LoopDevice['backing']): LoopDevice | undefined;
  /** What `devicePath` has now; undefined when it is free. */
  status(devicePath: string): LoopDevice | undefined;
  /** Every device in use on this machine, also other people's. */
  list(): readonly LoopDevice[];
  /**
   * Takes the device to the length of its file where that is longer, also while it is mounted. Refuses (FailedPrecondition)
   * when the device no longer has the file with this identity, when another file lies at `imagePath`, and when the file is
   * shorter than the device: somebody cut it, and a shorter device would cut the filesystem on it.
   */
  grow(devicePath: string, backing: LoopDevice['backing'], imagePath: string): 'grown' | 'asLong';
  /** Takes back a detach by somebody else that the kernel put off until the last close; of another file nothing. */
  keep(devicePath: string, backing: LoopDevice['backing']): 'kept' | 'notAttached';
  /**
   * Detaches, if the device still has the file with this identity; a device that is free or has another file is
   * 'notAttached' and is left alone. Code `Busy` while it is mounted or open.
   */
  detach(devicePath: string, backing: LoopDevice['backing']): 'detached' | 'notAttached';
}
