import { constants, realpathSync } from 'node:fs';
import { basename, dirname, normalize } from 'node:path/posix';
import type { ManagedDirectories, PathKind } from '../ports/managed-directories.ts';
import { StorageError } from '../world/storage-error.ts';
import {
  type DirectoryEntry,
  ensureDirectoryEntry,
  ensureFileEntry,
  namesIn,
  removeEntry,
  sealEntry,
} from './directory-entry.ts';
import { DirectoryTreeRemoval } from './directory-tree-removal.ts';
import { fileStatus } from './file-status.ts';
import type { KernelFeatures } from './kernel-features.ts';
import { O_PATH } from './mount-syscalls.ts';
import { openat2Opener, openatOpener, type PathOpener } from './open-beneath.ts';
import { storageErrorFromErrno } from './storage-error-from-errno.ts';
import { failedWith } from './syscall-error.ts';
import { close, fchmod, openat, withFd } from './syscalls.ts';
import { treeError } from './tree-error.ts';

const PATH_DIRECTORY = O_PATH | constants.O_DIRECTORY;
const READ_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Directories under the root dir, by descriptor: a path is opened with no symlink in any component, and what is done to
 * its last component is done relative to its opened parent. So neither a symlink in the tree nor one that was put there
 * a moment ago leads outside.
 */
export class LinuxManagedDirectories implements ManagedDirectories {
  readonly #rootDir: string;
  readonly #opener: PathOpener;

  /** @param rootDir an existing directory by its real path; throws StorageError if there is a symlink in it. */
  constructor(rootDir: string, features: Pick<KernelFeatures, 'openat2'>) {
    const real = realpathSync(rootDir);
    if (real !== rootDir) {
      const message = `Cannot use root dir "${rootDir}": its real path is "${real}"`;
      throw new StorageError(message, { code: 'InvalidArgument', target: rootDir });
    }
    this.#rootDir = rootDir;
    this.#opener = features.openat2 ? openat2Opener : openatOpener;
  }

  ensureDirectory(path: string): void {
    this.#act('make directory', path, () => this.#makeDirectories(path));
  }

  ensureFile(path: string): void {
    this.#act('make file', path, () => this.#inMadeParent(path, ensureFileEntry));
  }

  seal(path: string): void {
    this.#act('seal', path, () => this.#inMadeParent(path, (entry) => sealEntry(entry, this.#opener)));
  }

  remove(path: string): 'removed' | 'absent' {
    return this.#act('remove', path, () =>
      unlessAbsent('absent' as const, () => {
        this.#inParent(path, (entry) => removeEntry(entry, this.#opener));
        return 'removed';
      }),
    );
  }

  list(path: string): readonly string[] {
    return this.#act('list', path, () =>
      unlessAbsent([], () => withFd(this.#opener.open(path, READ_DIRECTORY), namesIn)),
    );
  }

  kindOf(path: string): PathKind {
    if (path === this.#rootDir) return 'directory';
    return this.#act('look at', path, () =>
      unlessAbsent<PathKind>('absent', () => this.#inParent(path, ({ parent, name }) => fileStatus(parent, name).kind)),
    );
  }

  setMode(path: string, mode: number): void {
    this.#act('set the mode of', path, () => withFd(this.#opener.open(path, READ_DIRECTORY), (fd) => fchmod(fd, mode)));
  }

  /** In this process, in portions: an emptyDir lies on the root dir's own filesystem or on a tmpfs, nowhere remote. */
  async removeTree(path: string, signal: AbortSignal): Promise<void> {
    const top = this.#act('remove the tree', path, () =>
      unlessAbsent(undefined, () =>
        this.#inParent(path, ({ parent, name }) => this.#opener.openEntry(parent, name, READ_DIRECTORY)),
      ),
    );
    if (top === undefined) return;
    const removal = new DirectoryTreeRemoval(top, this.#opener);
    try {
      await removal.run(signal);
    } catch (thrown) {
      throw treeError(`${path}/${removal.place}`, thrown, signal);
    }
    this.remove(path);
  }

  /** Down from the root dir, each in the one before it, which is open: no call fails because a parent is missing. */
  #makeDirectories(path: string): void {
    let at = this.#opener.open(this.#rootDir, PATH_DIRECTORY);
    try {
      let reached = this.#rootDir;
      for (const name of path.slice(reached.length).split('/').slice(1)) {
        reached += `/${name}`;
        ensureDirectoryEntry({ parent: at, name, path: reached });
        const below = openat(at, name, PATH_DIRECTORY | constants.O_NOFOLLOW);
        close(at);
        at = below;
      }
    } finally {
      close(at);
    }
  }

  /** Tries with the parent as it is first: one openat2 when it is there, as it nearly always is. */
  #inMadeParent(path: string, use: (entry: DirectoryEntry) => void): void {
    try {
      this.#inParent(path, use);
    } catch (thrown) {
      if (!failedWith(thrown, 'ENOENT')) throw thrown;
      this.#makeDirectories(dirname(path));
      this.#inParent(path, use);
    }
  }

  #inParent<T>(path: string, use: (entry: DirectoryEntry) => T): T {
    if (path === this.#rootDir) throw this.#outside('change', path);
    const parent = this.#opener.open(dirname(path), PATH_DIRECTORY);
    return withFd(parent, () => use({ parent, name: basename(path), path }));
  }

  /** Checks that the path lies under the root dir, and turns a failed call into a StorageError that names it. */
  #act<T>(verb: string, path: string, work: () => T): T {
    const isBelow = path === this.#rootDir || path.startsWith(`${this.#rootDir}/`);
    if (!isBelow || path !== normalize(path) || path.endsWith('/')) throw this.#outside(verb, path);
    try {
      return work();
    } catch (thrown) {
      throw storageErrorFromErrno(thrown, `Cannot ${verb} "${path}"`, { target: path });
    }
  }

  #outside(verb: string, path: string): StorageError {
    const message = `Cannot ${verb} "${path}": not a plain path below the root dir "${this.#rootDir}"`;
    return new StorageError(message, { code: 'PermissionDenied', target: path });
  }
}

/** ENOENT is an answer; every other errno is none. */
function unlessAbsent<T>(absent: T, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (failedWith(thrown, 'ENOENT')) return absent;
    throw thrown;
  }
}
