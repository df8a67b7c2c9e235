import { constants, type Dirent, fstatSync, opendirSync } from 'node:fs';
import { fromNode } from './node-errno.ts';
import type { PathOpener } from './open-beneath.ts';
import { failedWith } from './syscall-error.ts';
import { withFd } from './syscalls.ts';

const READ_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;
/** Entries of one directory that are looked at: what is beyond is said to be there. */
const mostEntries = 10_000;

/** An open directory; `path` is for messages and results only. */
export interface WalkedDirectory {
  readonly fd: number;
  readonly path: string;
}

/**
 * Looks into directories by descriptor: no component is a link (ELOOP), no entry is on another mount (EXDEV), so nothing
 * that may hang behind a mount point is asked anything.
 */
export class InventoryWalk {
  /** What could not be looked at, or not wholly. */
  readonly incomplete: string[] = [];
  readonly #opener: PathOpener;

  constructor(opener: PathOpener) {
    this.#opener = opener;
  }

  /** Calls `visit` with the directory at an absolute path; nothing when there is none. */
  open(path: string, visit: (directory: WalkedDirectory) => void): void {
    this.#guarded(path, () => withFd(this.#opener.open(path, READ_DIRECTORY), (fd) => visit({ fd, path })));
  }

  /** The same for a directory in one; false when something is mounted on it. */
  enter(parent: WalkedDirectory, name: string, visit: (directory: WalkedDirectory) => void): boolean {
    const path = `${parent.path}/${name}`;
    let isMounted = false;
    this.#guarded(path, () => {
      try {
        withFd(this.#opener.openEntry(parent.fd, name, READ_DIRECTORY), (fd) => visit({ fd, path }));
      } catch (thrown) {
        if (!failedWith(thrown, 'EXDEV')) throw thrown;
        isMounted = true;
      }
    });
    return !isMounted;
  }

  /** What is in it, sorted by name. */
  entries({ fd, path }: WalkedDirectory): readonly Dirent[] {
    const found: Dirent[] = [];
    this.#guarded(path, () => {
      const directory = fromNode(() => opendirSync(`/proc/self/fd/${fd}`));
      try {
        for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
          if (found.length < mostEntries) found.push(entry);
          else {
            this.incomplete.push(`"${path}" has more than ${mostEntries} entries`);
            break;
          }
        }
      } finally {
        directory.closeSync();
      }
    });
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** A directory that is gone is none; any other failure is noted, and others are still looked at. */
  #guarded(path: string, look: () => void): void {
    try {
      look();
    } catch (thrown) {
      if (failedWith(thrown, 'ENOENT')) return;
      this.incomplete.push(`"${path}": ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  }
}

export interface OpenedFacts {
  readonly changedAt: string;
  /** Permission bits. */
  readonly mode: number;
}

export function factsOf({ fd }: WalkedDirectory): OpenedFacts {
  const { ctime, mode } = fromNode(() => fstatSync(fd));
  return { changedAt: ctime.toISOString(), mode: mode & 0o7777 };
}
