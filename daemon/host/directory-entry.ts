import { constants, readdirSync } from 'node:fs';
import { StorageError, type StorageErrorCode } from '../world/storage-error.ts';
import { fileStatus } from './file-status.ts';
import { makeImmutable, makeMutable } from './inode-flags.ts';
import { AT_REMOVEDIR } from './mount-syscalls.ts';
import type { PathOpener } from './open-beneath.ts';
import { failedWith } from './syscall-error.ts';
import { close, fchmod, mkdirat, openat, unlinkat, withFd } from './syscalls.ts';

const READ_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;
const CREATE_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** One name in an open directory; `path` is for messages only. */
export interface DirectoryEntry {
  readonly parent: number;
  readonly name: string;
  readonly path: string;
}

/** mkdir; an existing directory is kept as it is. */
export function ensureDirectoryEntry(entry: DirectoryEntry): void {
  if (mkdirat(entry.parent, entry.name, 0o750)) return;
  const { kind } = fileStatus(entry.parent, entry.name);
  if (kind !== 'directory')
    throw refusal('FailedPrecondition', `Cannot make directory "${entry.path}": a ${kind} is there`);
}

/** Makes an empty file; an existing empty one is kept. */
export function ensureFileEntry(entry: DirectoryEntry): void {
  try {
    close(openat(entry.parent, entry.name, CREATE_FILE, 0o640));
  } catch (thrown) {
    if (!failedWith(thrown, 'EEXIST')) throw thrown;
    requireEmptyFile(entry, 'make file');
  }
}

/**
 * An empty directory that nobody can write into: mode 0000 stops everyone but root, the immutable flag stops root.
 * A new directory is sealed with two calls; one that was there is looked into first.
 */
export function sealEntry(entry: DirectoryEntry, opener: PathOpener): void {
  const isNew = mkdirat(entry.parent, entry.name, 0);
  withFd(openUnmounted(entry, opener, 'seal'), (fd) => {
    if (!isNew) {
      const [first] = namesIn(fd);
      if (first !== undefined) {
        throw refusal('TargetNotEmpty', `Cannot seal "${entry.path}": it has entries, e.g. "${first}"`);
      }
      const { isImmutable, mode } = fileStatus(fd, '');
      if (isImmutable && mode === 0) return;
      if (isImmutable) makeMutable(fd);
      fchmod(fd, 0);
    }
    makeImmutable(fd);
  });
}

/** Removes an empty directory, sealed or not, or an empty file. */
export function removeEntry(entry: DirectoryEntry, opener: PathOpener): void {
  try {
    unlinkat(entry.parent, entry.name, AT_REMOVEDIR);
  } catch (thrown) {
    if (failedWith(thrown, 'ENOTDIR')) {
      requireEmptyFile(entry, 'remove');
      unlinkat(entry.parent, entry.name, 0);
    } else if (failedWith(thrown, 'EPERM')) {
      withFd(openUnmounted(entry, opener, 'remove'), makeMutable);
      unlinkat(entry.parent, entry.name, AT_REMOVEDIR);
    } else {
      throw thrown;
    }
  }
}

export function namesIn(fd: number): readonly string[] {
  return readdirSync(`/proc/self/fd/${fd}`);
}

/** Opens a directory that nothing is mounted on: neither a mount's root nor what it covers may be changed here. */
function openUnmounted(entry: DirectoryEntry, opener: PathOpener, verb: string): number {
  try {
    return opener.openEntry(entry.parent, entry.name, READ_DIRECTORY);
  } catch (thrown) {
    if (!failedWith(thrown, 'EXDEV')) throw thrown;
    throw refusal('Busy', `Cannot ${verb} "${entry.path}": something is mounted on it`);
  }
}

function requireEmptyFile(entry: DirectoryEntry, verb: string): void {
  const { kind, size } = fileStatus(entry.parent, entry.name);
  if (kind === 'file' && size === 0n) return;
  const found = kind === 'file' ? `a file of ${size} bytes` : `a ${kind}`;
  throw refusal('FailedPrecondition', `Cannot ${verb} "${entry.path}": ${found} is there`);
}

function refusal(code: StorageErrorCode, message: string): StorageError {
  return new StorageError(message, { code });
}
