import { type Image, imageRefusal } from './image-action.ts';
import type { ImageDirectory } from './image-directory.ts';

/**
 * An image is sparse, and a write into it that finds no space is an I/O error to the filesystem inside: so all that may
 * still be written of it must be free when it is made or grown. Throws StorageError with the figures.
 *
 * @param asked bytes that may still be written of it
 * @param size the length that the image shall have
 */
export function requireSpace(
  directory: ImageDirectory,
  image: Image,
  { asked, size }: { readonly asked: bigint; readonly size: bigint },
): void {
  if (size < 1n || size > Number.MAX_SAFE_INTEGER) {
    throw imageRefusal('InvalidArgument', image, `${size} bytes are no size of a file`);
  }
  const free = directory.freeBytes();
  if (asked <= free) return;
  const cause = `${figure(asked)} asked, ${figure(free)} free on "${directory.path}"`;
  throw imageRefusal('ResourceExhausted', image, cause);
}

/** Bytes for people: "64Mi", "12.3Mi". */
function figure(bytes: bigint): string {
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'];
  let value = Number(bytes);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number.isInteger(value) ? value : value.toFixed(1)}${units[unit] ?? ''}`;
}
