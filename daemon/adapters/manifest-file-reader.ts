import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from './errno.ts';
import { stampOf } from './manifest-directory.ts';
import { longestText } from './yaml-documents.ts';

export type ManifestRead =
  /** `changedAt`: wall clock, ms; the last change of the file or of anything about it. */
  | { readonly kind: 'text'; readonly text: string; readonly stamp: string; readonly changedAt: number }
  | { readonly kind: 'refused'; readonly message: string; readonly stamp: string; readonly changedAt: number }
  | { readonly kind: 'gone' };

/** NONBLOCK: opening a FIFO must not wait for a writer. NOFOLLOW: the link itself is refused, not what it names. */
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Reads a manifest through one descriptor, so that what was checked is what is read. */
export function readManifestFile(directory: string, name: string): ManifestRead {
  let fd: number;
  try {
    fd = openSync(join(directory, name), flags);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return { kind: 'gone' };
    const message = isErrno(error, 'ELOOP', 'EMLINK') ? 'is a symbolic link, want a regular file' : reasonOf(error);
    return { kind: 'refused', message, stamp: 'unknown', changedAt: 0 };
  }
  try {
    const status = fstatSync(fd, { bigint: true });
    const seen = { stamp: stampOf(status), changedAt: Number(status.ctimeNs / 1_000_000n) };
    const message = refusalOf(status);
    if (message !== undefined) return { kind: 'refused', message, ...seen };
    const bytes = readAll(fd, Number(status.size));
    if (bytes === undefined) return { kind: 'refused', message: tooLong, ...seen };
    const text = decodeUtf8(bytes);
    return text === undefined
      ? { kind: 'refused', message: 'is not UTF-8 text', ...seen }
      : { kind: 'text', text, ...seen };
  } catch (error) {
    return { kind: 'refused', message: reasonOf(error), stamp: 'unknown', changedAt: 0 };
  } finally {
    closeSync(fd);
  }
}

const tooLong = `is longer than ${longestText} bytes`;

function refusalOf({ mode, uid, nlink, size }: BigIntStats): string | undefined {
  const type = mode & BigInt(constants.S_IFMT);
  if (type !== BigInt(constants.S_IFREG)) return 'is not a regular file';
  if (uid !== 0n) return `belongs to user ${uid}, want root`;
  const shown = (mode & 0o7777n).toString(8).padStart(4, '0');
  if ((mode & 0o022n) !== 0n) return `has mode ${shown}, want no write for group and others (chmod go-w)`;
  // Another name of it could lie where somebody else may write.
  if (nlink !== 1n) return `has ${nlink} hard links, want one`;
  return size > BigInt(longestText) ? tooLong : undefined;
}

/** The size is a hint: the file may grow while it is read, and undefined says that it outgrew the limit. */
function readAll(fd: number, size: number): Buffer | undefined {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.max(512, size - length + 1));
    const count = readSync(fd, chunk, 0, chunk.length, null);
    if (count === 0) return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, count));
    length += count;
    if (length > longestText) return undefined;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
