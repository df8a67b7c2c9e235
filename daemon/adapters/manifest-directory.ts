/**
 * The manifest directory, looked at without following a link. Whoever may write here is root on this machine (static
 * pods, MS-TA9017), so nothing is read from a directory that another user could write or swap.
 */
import { type BigIntStats, lstatSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isErrno } from './errno.ts';

export type DirectoryLook =
  | {
      readonly kind: 'entries';
      /** dev:ino */
      readonly directoryId: string;
      /** dev:ino:birth time; an inode number is used again at once, and a watch goes with the inode. */
      readonly watchId: string;
      /** By name of a manifest: what changes whenever the file does. */
      readonly stamps: ReadonlyMap<string, string>;
    }
  | { readonly kind: 'unreadable'; readonly message: string };

/** Hidden files, editors' copies and half-finished downloads end otherwise or begin with a dot: .x.swp, x~, 4913, ..data */
const manifestName = /^[^.].*\.(?:ya?ml|json)$/s;

const groupOrOtherWrite = 0o022n;
const sticky = 0o1000n;

export function lookAtDirectory(directory: string): DirectoryLook {
  try {
    const untrusted = untrustedReason(directory);
    if (untrusted !== undefined) {
      return { kind: 'unreadable', message: `Cannot trust the manifest directory "${directory}": ${untrusted}` };
    }
    const { dev, ino, birthtimeNs } = lstatSync(directory, { bigint: true });
    const stamps = new Map<string, string>();
    for (const name of readdirSync(directory)
      .filter((entry) => manifestName.test(entry))
      .sort()) {
      const stamp = stampAt(join(directory, name));
      if (stamp !== undefined) stamps.set(name, stamp);
    }
    return { kind: 'entries', directoryId: `${dev}:${ino}`, watchId: `${dev}:${ino}:${birthtimeNs}`, stamps };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return { kind: 'unreadable', message: `Cannot read the manifest directory "${directory}": ${cause}` };
  }
}

/** Every write, rename, link, chmod and chown moves the ctime, which nobody can set. */
export function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

function stampAt(path: string): string | undefined {
  try {
    return stampOf(lstatSync(path, { bigint: true }));
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    // The file is there; reading it will say what is wrong with it.
    return 'unknown';
  }
}

/** Both the path as it is written and the one it resolves to have to be root's, all the way up. */
function untrustedReason(directory: string): string | undefined {
  const path = resolve(directory);
  if (lstatSync(path).isSymbolicLink()) return 'it is a symbolic link, want the directory itself';
  for (const each of new Set([...withParents(path), ...withParents(realpathSync(path))])) {
    const reason = reasonAgainst(each, each === path);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function reasonAgainst(path: string, isManifestDirectory: boolean): string | undefined {
  const status = lstatSync(path, { bigint: true });
  const mode = (status.mode & 0o7777n).toString(8).padStart(4, '0');
  if (status.uid !== 0n) return `"${path}" belongs to user ${status.uid}, want root (chown root "${path}")`;
  // A link's own mode means nothing; the directories that it lies in and leads to are looked at.
  if (status.isSymbolicLink()) return undefined;
  if (!status.isDirectory()) return `"${path}" is not a directory`;
  // In a sticky directory only root can rename or remove what is root's.
  const isSafe = (status.mode & groupOrOtherWrite) === 0n || (!isManifestDirectory && (status.mode & sticky) !== 0n);
  return isSafe ? undefined : `"${path}" has mode ${mode}, want no write for group and others (chmod go-w "${path}")`;
}

function withParents(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [path, ...withParents(parent)];
}
