import { figure } from '../world/figure.ts';
import { type Image, imageRefusal } from './image-action.ts';
import type { ImageDirectory } from './image-directory.ts';

/**
 * An image is sparse, and a write into it that finds no space is an I/O error to the filesystem inside: so all that may
 * still be written of it must be free when it is made or grown. Throws StorageError with the figures.
 *
 * @param asked bytes that may still be written of it
 * @param size the length that the image shall have
 * @param reserve what shall be free all the same
 */
export function requireSpace(
  directory: ImageDirectory,
  image: Image,
  { asked, size, reserve = 0n }: { readonly asked: bigint; readonly size: bigint; readonly reserve?: bigint },
): void {
  if (size < 1n || size > Number.MAX_SAFE_INTEGER) {
    throw imageRefusal('InvalidArgument', image, `${size} bytes are no size of a file`);
  }
  const { freeBytes: free } = directory.space();
  if (asked <= free - reserve) return;
  const kept = reserve === 0n ? '' : `, ${figure(reserve)} of it in reserve`;
  const cause = `${figure(asked)} asked, ${figure(free)} free on "${directory.path}"${kept}`;
  throw imageRefusal('ResourceExhausted', image, cause);
}
