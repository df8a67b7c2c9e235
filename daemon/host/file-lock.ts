import { constants } from 'node:fs';
import { StorageError } from '../world/storage-error.ts';
import { storageErrorFromErrno } from './storage-error-from-errno.ts';
import { failedWith } from './syscall-error.ts';
import { AT_FDCWD, close, flock, openat } from './syscalls.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * An exclusive flock(2) on a file: one daemon at a time on a state dir. The kernel lets it go when the process ends,
 * however it ends; the file stays, because removing it would let two processes lock two files of one name.
 */
export class FileLock implements Disposable {
  readonly #fd: number;
  #isHeld = true;

  /** Takes the lock now or throws StorageError: code Busy when another process has it. */
  constructor(path: string) {
    const action = `Cannot lock "${path}"`;
    try {
      this.#fd = openat(AT_FDCWD, path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
    } catch (thrown) {
      throw storageErrorFromErrno(thrown, action, { target: path });
    }
    try {
      flock(this.#fd, LOCK_EX | LOCK_NB);
    } catch (thrown) {
      close(this.#fd);
      if (!failedWith(thrown, 'EAGAIN')) throw storageErrorFromErrno(thrown, action, { target: path });
      const hint = `fuser ${path}`;
      throw new StorageError(`${action}: another process holds it`, {
        code: 'Busy',
        target: path,
        hint,
        cause: thrown,
      });
    }
  }

  [Symbol.dispose](): void {
    if (this.#isHeld) close(this.#fd);
    this.#isHeld = false;
  }
}
