import { constants, type Dirent, opendirSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileStatus } from './file-status.ts';
import { AT_REMOVEDIR } from './mount-syscalls.ts';
import type { PathOpener } from './open-beneath.ts';
import { failedWith, SyscallError } from './syscall-error.ts';
import { close, unlinkat } from './syscalls.ts';

const READ_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;
/** Entries removed before the event loop gets its turn: a few milliseconds of work at most. */
const PORTION = 64;

interface Level {
  /** Name of the directory in its parent, as bytes with a NUL at the end. */
  readonly name: Buffer;
  /** Inode of the parent, to know it again when coming back by "..". */
  readonly parentInode: bigint;
}

/**
 * Empties one directory tree, entry by entry and by descriptor, so that a path swapped under us leads nowhere. However
 * deep the tree, it holds one descriptor: on the way up it opens ".." and compares the inode.
 *
 * It ends with EBUSY or EXDEV at an entry that is a mount point, a bind of the same filesystem included: unlinkat(2)
 * refuses a mount point, and RESOLVE_NO_XDEV refuses to enter one.
 */
export class DirectoryTreeRemoval {
  readonly #opener: PathOpener;
  readonly #levels: Level[] = [];
  /** The open directory that is being emptied. */
  #at: number;
  #removed = 0;

  /** @param top descriptor of the directory to empty; it is closed at the end. */
  constructor(top: number, opener: PathOpener) {
    this.#at = top;
    this.#opener = opener;
  }

  /** Where it is, below the top, e.g. "cache/objects": for the message of an error. */
  get place(): string {
    return this.#levels.map((level) => level.name.toString('utf8', 0, level.name.length - 1)).join('/');
  }

  /** @throws SyscallError; the signal's reason. What was removed until then stays removed. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (this.#step()) {
        if (this.#removed < PORTION) continue;
        this.#removed = 0;
        await nextTurn();
        signal.throwIfAborted();
      }
    } finally {
      close(this.#at);
    }
  }

  /** Removes some entries, or goes down or up one level. False when the top is empty. */
  #step(): boolean {
    const entries = readSome(this.#at);
    if (entries.length === 0) return this.#ascend();
    for (const entry of entries) {
      const name = Buffer.concat([entry.name, Buffer.alloc(1)]);
      if (!this.#remove(name, entry.isDirectory())) {
        this.#descend(name);
        return true;
      }
    }
    return true;
  }

  /** False when it is a directory with entries. An entry that somebody else removed meanwhile is gone as wanted. */
  #remove(name: Buffer, isDirectory: boolean): boolean {
    this.#removed += 1;
    try {
      unlinkat(this.#at, name, isDirectory ? AT_REMOVEDIR : 0);
      return true;
    } catch (thrown) {
      if (failedWith(thrown, 'ENOENT')) return true;
      if (failedWith(thrown, 'ENOTEMPTY', 'EISDIR')) return false;
      throw thrown;
    }
  }

  #descend(name: Buffer): void {
    const below = this.#opener.openEntry(this.#at, name, READ_DIRECTORY);
    this.#levels.push({ name, parentInode: fileStatus(this.#at, '').inode });
    this.#enter(below);
  }

  #ascend(): boolean {
    const level = this.#levels.at(-1);
    if (level === undefined) return false;
    this.#enter(this.#opener.openEntry(this.#at, '..', READ_DIRECTORY));
    if (fileStatus(this.#at, '').inode !== level.parentInode) {
      throw new SyscallError('openat2', 116, 'The directory was moved while it was emptied');
    }
    this.#levels.pop();
    // Still not empty means that somebody writes into it: it is listed again with its parent.
    this.#remove(level.name, true);
    return true;
  }

  #enter(fd: number): void {
    close(this.#at);
    this.#at = fd;
  }
}

/** Up to PORTION entries of an open directory. What is removed is not listed again, so each call starts anew. */
function readSome(fd: number): readonly Dirent<Buffer>[] {
  // node:fs takes this encoding; its types do not know it.
  const options = { encoding: 'buffer' as BufferEncoding, bufferSize: PORTION };
  const directory = opendirSync(`/proc/self/fd/${fd}`, options);
  try {
    const entries: Dirent<Buffer>[] = [];
    for (let entry = directory.readSync(); entry !== null && entries.length < PORTION; entry = directory.readSync()) {
      entries.push(entry as unknown as Dirent<Buffer>);
    }
    return entries;
  } finally {
    directory.closeSync();
  }
}
