import type { PersistentVolumeSpec } from '../api/persistent-volume.ts';

/** Identity of an image's data, kept beside it as `<image>.json`, so that it can be found again without the state dir. */
export interface ImageSidecar {
  readonly apiVersion: 'moored.dev/v1';
  readonly driver: string;
  /** Name of the PersistentVolume (pvc-<uid>), or the inline volume's handle. */
  readonly volumeHandle: string;
  readonly claim?: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly pod?: { readonly namespace: string; readonly name: string; readonly uid: string };
  /** Of the copy that a snapshot is. */
  readonly snapshot?: SnapshotIdentity;
  /** Handle of the snapshot or volume that a volume was made of. */
  readonly madeOf?: string;
  /** A directory takes the place of an image file: missing for an image. */
  readonly content?: 'directory';
  readonly sizeBytes: string;
  readonly fsType: string;
  readonly createdAt: string;
  /** The volume as it was provisioned, without its claim: by it the volume is found again when its object is lost. */
  readonly persistentVolume?: { readonly name: string; readonly spec: PersistentVolumeSpec };
}

/** Whose snapshot an image is, and how it was taken. */
export interface SnapshotIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Of the volume that it is of. */
  readonly volumeHandle: string;
  readonly volumeMode: 'Filesystem' | 'Block';
  readonly method: 'reflink' | 'copy';
  readonly consistency: 'filesystem' | 'crash' | 'atRest';
  readonly frozenMs?: number;
}

export interface ImageFacts {
  readonly device: bigint;
  readonly inode: bigint;
  readonly sizeBytes: bigint;
  /** True if not one byte was ever written: the whole file is a hole (SEEK_DATA finds nothing). */
  readonly isAllHole: boolean;
}

export interface FilesystemSpace {
  /** What `df` calls its size, less what is kept for root. */
  readonly sizeBytes: bigint;
  /** What may be promised to new images. */
  readonly freeBytes: bigint;
}

/**
 * Sparse image files under the images directories, and directories that take their place by the sidecar's `content`. Of a
 * directory the size is the sidecar's, and it is all hole while it is empty.
 */
export interface Images {
  /**
   * Creates the image with its sidecar: O_EXCL, 0600, ftruncate, fsync of file and directory. An image that exists with
   * the same sidecar identity and size is kept ('exists'); anything else there is AlreadyExists. ResourceExhausted with
   * the figures when the filesystem has less free space than `sizeBytes`.
   */
  create(path: string, sidecar: ImageSidecar): 'created' | 'exists';
  /** Where images of this directory lie; undefined when it is not there yet. Asks its filesystem: a local one. */
  space(directory: string): FilesystemSpace | undefined;
  /** Facts of an existing image; undefined when it is absent (ENOENT only). */
  stat(path: string): ImageFacts | undefined;
  /**
   * Makes the image longer, then its sidecar say so; never shorter. 'asLong' when it has that length or more already (its
   * sidecar is completed all the same). Refuses what has no sidecar of ours, and with ResourceExhausted and the figures
   * when what is not written of it yet would not fit on the filesystem.
   */
  grow(path: string, volumeHandle: string, sizeBytes: bigint): 'grown' | 'asLong';
  /** Moves image and sidecar to `.trash/` in the image's own directory; refuses what has no sidecar of ours. Returns the new path. */
  moveToTrash(path: string, volumeHandle: string): string;
  /**
   * Moves an image and its sidecar out of a trash, back to where they were, and returns the path there. Refuses what has
   * no sidecar of ours, and with AlreadyExists when something is in its place.
   */
  restore(trashed: string, volumeHandle: string): string;
  /**
   * Images beside `path` that were made for a claim of the same namespace and name and another uid, and into which
   * something was written: data of a claim of before.
   */
  ofSameClaim(path: string, claim: NonNullable<ImageSidecar['claim']>): readonly string[];
  /**
   * Puts a new blank image in the place of one whose format was cut off before anything could be mounted from it; the
   * old one goes to the trash. Repeatable: an image that is not there is made again by its sidecar.
   */
  replace(path: string, volumeHandle: string): void;
  /** Unlinks image and sidecar of an inline volume at the end of its pod; refuses what has no sidecar of ours. */
  remove(path: string, volumeHandle: string): void;
}
