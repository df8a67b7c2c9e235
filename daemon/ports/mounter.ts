/** Mount flags that moored itself decides on; `nosuid` and `nodev` hold for every mount unless stated. */
export interface MountFlags {
  readonly readOnly: boolean;
  /** Only a bind of a block device node needs devices; everything else is mounted nodev. */
  readonly allowDevices?: boolean;
  /** Further per-mount flags from an allow-listed mountOptions: "noexec", "noatime", "nodiratime", "relatime". */
  readonly extra?: readonly string[];
}

export interface DeviceMountRequest {
  readonly device: string;
  readonly target: string;
  readonly fsType: string;
  readonly flags: MountFlags;
  /** Filesystem options after the allow-list, e.g. "discard", "nouuid". */
  readonly options: readonly string[];
}

export interface TmpfsRequest {
  readonly target: string;
  /** Bytes; undefined leaves the kernel's default of half the memory. */
  readonly sizeBytes?: bigint;
  /** Mode of the root directory, e.g. 0o777. */
  readonly mode: number;
  readonly flags: MountFlags;
}

export interface BindRequest {
  readonly source: string;
  readonly target: string;
  readonly flags: MountFlags;
  /** The source must be a directory, and no part of its path a symlink: somebody else may write where it lies. */
  readonly isUsersDirectory?: true;
}

/**
 * The kernel's mount calls. Nothing here decides or verifies: the caller reads the mount table afterwards.
 * Every failure is a StorageError; a call that ran into its deadline has progress `uncertain`.
 */
export interface Mounter {
  /** mount(2) of a tmpfs; cannot hang, so in-process and immediate. */
  mountTmpfs(request: TmpfsRequest): void;
  /** Bind of one existing mount; with readOnly it is never visible writable where the kernel can (mount_setattr). */
  bind(request: BindRequest): void;
  /** Sets the per-mount flags of what is mounted on `target` (repairs drift); kept flags stay. */
  setFlags(target: string, flags: MountFlags): void;
  /** Mount of a block filesystem, in a killable child. */
  mountDevice(request: DeviceMountRequest, signal: AbortSignal): Promise<void>;
  /**
   * umount2(target, UMOUNT_NOFOLLOW): never lazy, never forced. EBUSY is code `Busy`, final; EINVAL (not mounted)
   * returns 'notMounted'. In-process only for mounts that cannot hang (`mayHang: false`: tmpfs, binds).
   */
  unmount(
    target: string,
    options: { readonly mayHang: boolean },
    signal: AbortSignal,
  ): Promise<'unmounted' | 'notMounted'>;
}
