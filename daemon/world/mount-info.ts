/** One line of /proc/self/mountinfo (proc_pid_mountinfo(5)), or the same facts from statmount(2). */
export interface MountInfo {
  /** The 64-bit unique id where the kernel gives one (statmount, >= 6.8); else the recycled id of mountinfo. */
  readonly id: bigint;
  readonly parentId: bigint;
  /** "major:minor" of the superblock's device: the identity of a block filesystem. */
  readonly device: string;
  /** Path inside the filesystem that is the root of this mount: "/" unless it is a bind of a part. */
  readonly root: string;
  readonly mountPoint: string;
  /** Per-mount options, sorted as the kernel prints them: "rw", "nosuid", "nodev", … */
  readonly options: readonly string[];
  readonly fsType: string;
  /** What was mounted, e.g. "/dev/loop3"; '' where the kernel's statmount cannot say (before 6.13). */
  readonly source: string;
  /** Options of the superblock: "rw", "size=65536k", …; only "ro"/"rw" where the kernel cannot say. */
  readonly superOptions: readonly string[];
}
