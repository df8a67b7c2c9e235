import { constants } from 'node:fs';
import { O_CLOEXEC } from './mount-syscalls.ts';
import { AT_FDCWD, close, eventfd, openat, pollAsync, pollNow, write } from './syscalls.ts';

const POLLIN = 0x1;
const POLLPRI = 0x2;
const POLLERR = 0x8;

/**
 * Tells that the mount table changed. proc_pid_mountinfo(5), poll: "this file is pollable: … an event is reported as
 * POLLPRI and POLLERR" for each mount, unmount, move or remount in the namespace. One libuv thread sleeps in poll(2),
 * an eventfd wakes it to stop: nothing runs while nothing happens.
 *
 * Opening the file starts the watch: read the table after construction, and no change falls between.
 */
export class MountChanges implements AsyncDisposable {
  readonly #mountinfo = openat(AT_FDCWD, '/proc/self/mountinfo', constants.O_RDONLY);
  /** Each open file has a memory of its own of what it has told: this one is asked, the other one waits. */
  readonly #asked = openat(AT_FDCWD, '/proc/self/mountinfo', constants.O_RDONLY);
  readonly #stop = eventfd(0, O_CLOEXEC);
  readonly #watching: Promise<void>;
  readonly #stopAtExit = () => this.#wake();
  #isStopped = false;

  /** @param onChange called once for one or more changes; @param onFailure called when the watch ends by an error. */
  constructor(onChange: () => void, onFailure: (error: unknown) => void) {
    // Without this, process.exit() waits for the sleeping thread and never ends.
    process.once('exit', this.#stopAtExit);
    this.#watching = this.#watch(onChange).catch(onFailure);
  }

  /** Whether the table has changed since this was asked last. Costs a microsecond, where a reading costs milliseconds. */
  hasChanged(): boolean {
    return (pollNow({ fd: this.#asked, events: POLLPRI }) & (POLLPRI | POLLERR)) !== 0;
  }

  /** Resolves when the thread has come back and the descriptors are closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isStopped) {
      this.#isStopped = true;
      process.off('exit', this.#stopAtExit);
      this.#wake();
      await this.#watching;
      close(this.#mountinfo);
      close(this.#asked);
      close(this.#stop);
    }
    await this.#watching;
  }

  async #watch(onChange: () => void): Promise<void> {
    while (!this.#isStopped) {
      const [mountinfo = 0] = await pollAsync([
        { fd: this.#mountinfo, events: POLLPRI },
        { fd: this.#stop, events: POLLIN },
      ]);
      if ((mountinfo & (POLLPRI | POLLERR)) !== 0 && !this.#isStopped) onChange();
    }
  }

  #wake(): void {
    const one = Buffer.alloc(8);
    one.writeBigUInt64LE(1n);
    write(this.#stop, one);
  }
}
