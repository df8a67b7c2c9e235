import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import type { CopyWay } from './image-copies.ts';

/** Who uses a volume now, for whoever wants a copy of it that is of one moment. */
export interface VolumesInUse {
  /** Keeps every operation off the volume until it is disposed; undefined while one is under way. */
  hold(name: UniqueVolumeName): Disposable | undefined;
  /**
   * How a copy of the volume's image can be of one moment, from a reading of the mount table that began after the call.
   * @param limitMs the longest freeze
   * @param isFrozen whether to freeze what is mounted; else only an atomic copy will do
   */
  copyWay(
    volume: { readonly name: UniqueVolumeName; readonly imagePath: string },
    options: { readonly limitMs: number; readonly isFrozen: boolean },
  ): Promise<CopyWay>;
  /**
   * Whether an image has a device, and where its filesystem is mounted now, wherever its mounts were moved.
   * @throws StorageError when that cannot be known
   */
  mountPointOf(imagePath: string): Promise<{ readonly isAttached: boolean; readonly mountPoint?: string }>;
}
