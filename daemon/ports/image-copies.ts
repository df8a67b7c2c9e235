import type { ImageSidecar } from './images.ts';

/** Who may write to the image while it is copied, and so how a copy can be of one moment. */
export type CopyWay =
  /** Nobody. */
  | { readonly kind: 'atRest' }
  /**
   * What is mounted from it: the filesystem is frozen meanwhile, at most so long; then the copy is given up.
   * `deviceNumber`: "major:minor" that the mount table shows there.
   */
  | {
      readonly kind: 'frozen';
      readonly mountPoint: string;
      readonly deviceNumber: string;
      readonly fsType: string;
      readonly limitMs: number;
    }
  /** Anybody, at any moment: only a copy that the filesystem below makes in one step (FICLONE) is of one moment. */
  | { readonly kind: 'atomic' };

export interface ImageCopyRequest {
  readonly source: string;
  /** Where the copy shall be; until it is published it has a temporary name beside that. */
  readonly target: string;
  /** Length of the copy; the source's where that is more. */
  readonly sizeBytes: bigint;
  readonly way: CopyWay;
  /** What must be free on the filesystem: what is written of the source, or the whole length, as of a new volume. */
  readonly room: 'written' | 'all';
  /** What shall stay free all the same. */
  readonly reserveBytes?: bigint;
}

export interface ImageCopyReport {
  /** reflink: the two share their blocks until one of them is written. */
  readonly method: 'reflink' | 'copy';
  readonly sizeBytes: bigint;
  /** How long writers were kept waiting; missing when they were not. */
  readonly frozenMs?: number;
  /** RFC 3339: the moment that the data is of. */
  readonly takenAt: string;
}

export interface CopyProgress {
  /** Bytes on the disk, blocks that it shares with its source among them. */
  readonly doneBytes: bigint;
  /** What is written of the source. */
  readonly totalBytes: bigint;
}

/**
 * Copies of images: made under a temporary name, given a new identity if they are to be volumes, and then, whole, their
 * name. What is cut off anywhere has the temporary name, and is begun anew.
 */
export interface ImageCopies {
  /**
   * Copies in a child, which thaws what it has frozen whatever happens to the copy or to the daemon. Rejects with a
   * StorageError: ResourceExhausted with the figures; Unimplemented when `atomic` is not to be had; Aborted (transient)
   * when the freeze had to be given up. Progress `uncertain` when the child has not said how it ended: then `thaw`.
   */
  copy(request: ImageCopyRequest, signal: AbortSignal): Promise<ImageCopyReport>;
  /** How far a copy is that is being made; undefined when there is none. */
  progressOf(copy: Pick<ImageCopyRequest, 'source' | 'target'>): CopyProgress | undefined;
  /**
   * Thaws whatever is mounted at `mountPoint`: 'notFrozen' when it was not frozen, or nothing is mounted there. In a child
   * with a deadline.
   */
  thaw(mountPoint: string, signal: AbortSignal): Promise<'thawed' | 'notFrozen'>;
  /**
   * The filesystem of a copy that has no name yet gets a UUID of its own, its log being replayed and checked first: two of
   * one UUID cannot be mounted side by side (xfs), or must never be (btrfs). '' as `fsType`: it is found out; a copy that
   * is blank, or no filesystem, stays as it is.
   */
  renewIdentity(target: string, signal: AbortSignal): Promise<'renewed' | 'noFilesystem'>;
  /** Sidecar, then name: from here on there is an image at `target`. A sealed one cannot be written by anybody. */
  publish(target: string, sidecar: ImageSidecar, options: { readonly isSealed: boolean }): void;
  /** The sidecar of an image that was published; undefined when there is none. Throws when something else is there. */
  published(target: string, volumeHandle: string): ImageSidecar | undefined;
  /** Takes away what an unfinished copy has left: its loop device, its file. */
  discard(target: string): void;
  /** Moves a sealed copy and its sidecar to the trash beside it; 'absent' when it is not there. */
  moveToTrash(target: string, volumeHandle: string): 'trashed' | 'absent';
}
