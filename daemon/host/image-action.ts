import { basename, normalize } from 'node:path/posix';
import { StorageError, type StorageErrorCode } from '../world/storage-error.ts';
import { storageErrorFromErrno } from './storage-error-from-errno.ts';
import { failedWith } from './syscall-error.ts';

/** NAME_MAX less what the trash adds: a timestamp, a counter, ".json", and the dot and ".tmp" of a temporary file. */
const LONGEST_NAME = 255 - 36;

/** An image that something is done to. */
export interface Image {
  readonly path: string;
  readonly name: string;
  /** The first half of a message. */
  readonly action: string;
}

/** Names come from validated objects; what writes and unlinks as root checks again (CVE-2026-3864). */
export function actOnImage<T>(verb: string, path: string, work: (image: Image) => T): T {
  const name = basename(path);
  const image = { path, name, action: `Cannot ${verb} image "${path}"` };
  if (!path.startsWith('/') || path !== normalize(path) || path.endsWith('/')) {
    throw imageRefusal('InvalidArgument', image, 'not a plain absolute path');
  }
  if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) throw imageRefusal('InvalidArgument', image, `"${name}" is not a legal name`);
  if (name.length > LONGEST_NAME) {
    throw imageRefusal('InvalidArgument', image, `its name has ${name.length} bytes, at most ${LONGEST_NAME} fit`);
  }
  try {
    return work(image);
  } catch (thrown) {
    if (failedWith(thrown, 'ELOOP')) throw imageRefusal('PermissionDenied', image, 'there is a symlink in the path');
    throw storageErrorFromErrno(thrown, image.action, { source: path });
  }
}

export function imageRefusal(code: StorageErrorCode, image: Image, cause: string): StorageError {
  return new StorageError(`${image.action}: ${cause}`, { code, source: image.path });
}
