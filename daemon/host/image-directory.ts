import { constants, fstatSync, fsyncSync, readdirSync, readSync, renameSync, statfsSync, writeSync } from 'node:fs';
import type { FilesystemSpace } from '../ports/images.ts';
import { type FileKind, fileStatus } from './file-status.ts';
import { AT_REMOVEDIR } from './mount-syscalls.ts';
import { fromNode } from './node-errno.ts';
import type { PathOpener } from './open-beneath.ts';
import { failedWith } from './syscall-error.ts';
import { close, fchmod, mkdirat, openat, unlinkat, withFd } from './syscalls.ts';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * One directory of images, open: everything is done to a name in it, by descriptor, so that neither a symlink nor a
 * renamed parent leads elsewhere. Names are one segment. Throws SyscallError.
 */
export class ImageDirectory implements Disposable {
  readonly path: string;
  readonly #fd: number;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /** @param path absolute; ELOOP or ENOTDIR when there is a symlink in it */
  static open(path: string, opener: PathOpener): ImageDirectory {
    return new ImageDirectory(path, opener.open(path, DIRECTORY));
  }

  /** A directory in this one, on the same mount (EXDEV), made with mode 0700 if it is absent. */
  ensureDirectory(name: string, opener: PathOpener): ImageDirectory {
    try {
      mkdirat(this.#fd, requireSegment(name), 0o700);
      this.sync();
    } catch (thrown) {
      if (!failedWith(thrown, 'EEXIST')) throw thrown;
    }
    return new ImageDirectory(`${this.path}/${name}`, opener.openEntry(this.#fd, name, DIRECTORY));
  }

  /** A new directory, of the mode that the root of a new filesystem has. */
  makeDirectory(name: string): void {
    mkdirat(this.#fd, requireSegment(name), 0o755);
    withFd(this.openFile(name, DIRECTORY), (fd) => {
      fchmod(fd, 0o755);
      fromNode(() => fsyncSync(fd));
    });
    this.sync();
  }

  /** Whether someone other than root may replace what is in it. */
  isWritableByOthers(): boolean {
    const { uid, mode } = fstatSync(this.#fd);
    return uid !== 0 || (mode & 0o022) !== 0;
  }

  names(): readonly string[] {
    return fromNode(() => readdirSync(`/proc/self/fd/${this.#fd}`));
  }

  kindOf(name: string): FileKind | 'absent' {
    try {
      return fileStatus(this.#fd, requireSegment(name)).kind;
    } catch (thrown) {
      if (failedWith(thrown, 'ENOENT')) return 'absent';
      throw thrown;
    }
  }

  /** Opens a file; never through a symlink (ELOOP). A new one is root's alone. */
  openFile(name: string, flags: number): number {
    return openat(this.#fd, requireSegment(name), flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  }

  /** The first `limit` bytes of a file as text. */
  read(name: string, limit: number): string {
    return withFd(this.openFile(name, constants.O_RDONLY), (fd) => {
      const buffer = Buffer.alloc(limit);
      let length = 0;
      for (let count = -1; count !== 0; length += count) {
        count = fromNode(() => readSync(fd, buffer, length, limit - length, length));
      }
      return buffer.toString('utf8', 0, length);
    });
  }

  /** Writes a whole file and waits until its data is on the disk. */
  write(name: string, text: string): void {
    const { O_WRONLY, O_CREAT, O_TRUNC } = constants;
    withFd(this.openFile(name, O_WRONLY | O_CREAT | O_TRUNC), (fd) =>
      fromNode(() => {
        const bytes = Buffer.from(text);
        for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
        fsyncSync(fd);
      }),
    );
  }

  /** rename(2), which replaces what is at `newName`. */
  rename(name: string, directory: ImageDirectory, newName: string): void {
    fromNode(() => renameSync(this.#at(name), directory.#at(newName)));
  }

  unlink(name: string): void {
    unlinkat(this.#fd, requireSegment(name), 0);
  }

  /** rmdir(2): ENOTEMPTY when there is something in it. */
  removeDirectory(name: string): void {
    unlinkat(this.#fd, requireSegment(name), AT_REMOVEDIR);
  }

  /** fsync(2): names that were made, renamed or unlinked are so after a power cut. */
  sync(): void {
    fromNode(() => fsyncSync(this.#fd));
  }

  /** What its filesystem has for everyone, without root's reserve. */
  space(): FilesystemSpace {
    const { blocks, bfree, bavail, bsize } = fromNode(() => statfsSync(`/proc/self/fd/${this.#fd}`, { bigint: true }));
    return { sizeBytes: (blocks - bfree + bavail) * bsize, freeBytes: bavail * bsize };
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }

  #at(name: string): string {
    return `/proc/self/fd/${this.#fd}/${requireSegment(name)}`;
  }
}

function requireSegment(name: string): string {
  if (name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name)) return name;
  throw new Error(`Cannot use "${name}" as a file name: not one segment`);
}
