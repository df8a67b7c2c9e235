import { O_CLOEXEC } from './mount-syscalls.ts';
import { failedWith } from './syscall-error.ts';
import { close, eventfd, inotifyAddWatch, inotifyInit, inotifyRmWatch, pollAsync, read, write } from './syscalls.ts';

const POLLIN = 0x1;
const IN_NONBLOCK = 0o4000;
const IN_IGNORED = 0x8000;
/** struct inotify_event without its name: wd, mask, cookie, len. */
const headerBytes = 16;

/**
 * inotify(7) with masks of one's own, which fs.watch does not have. One libuv thread sleeps in poll(2) from the first
 * watch on, an eventfd wakes it to stop. A lost event (IN_Q_OVERFLOW) is found by whoever looks without being told.
 */
export class Inotify implements AsyncDisposable {
  readonly #fd = inotifyInit(IN_NONBLOCK | O_CLOEXEC);
  readonly #stop = eventfd(0, O_CLOEXEC);
  readonly #paths = new Map<number, string>();
  readonly #onEvent: (path: string) => void;
  readonly #onFailure: (error: unknown) => void;
  readonly #stopAtExit = () => this.#wake();
  #watching: Promise<void> | undefined;
  #isStopped = false;

  /** @param onEvent called with the watched path, followed by "/name" for an entry of a directory */
  constructor(onEvent: (path: string) => void, onFailure: (error: unknown) => void) {
    this.#onEvent = onEvent;
    this.#onFailure = onFailure;
  }

  /** @throws SyscallError ENOENT, ENOSPC (fs.inotify.max_user_watches), … */
  add(path: string, mask: number): number {
    if (this.#watching === undefined) {
      // Without this, process.exit() waits for the sleeping thread and never ends.
      process.once('exit', this.#stopAtExit);
      this.#watching = this.#watch().catch(this.#onFailure);
    }
    const id = inotifyAddWatch(this.#fd, path, mask);
    this.#paths.set(id, path);
    return id;
  }

  /** The kernel ends a watch by itself when its file has gone. */
  remove(id: number): void {
    if (!this.#paths.delete(id)) return;
    try {
      inotifyRmWatch(this.#fd, id);
    } catch (thrown) {
      if (!failedWith(thrown, 'EINVAL')) throw thrown;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isStopped) {
      this.#isStopped = true;
      process.off('exit', this.#stopAtExit);
      this.#wake();
      await this.#watching;
      close(this.#fd);
      close(this.#stop);
    }
    await this.#watching;
  }

  async #watch(): Promise<void> {
    while (!this.#isStopped) {
      const entries = [this.#fd, this.#stop].map((fd) => ({ fd, events: POLLIN }));
      const [events = 0] = await pollAsync(entries);
      if ((events & POLLIN) !== 0 && !this.#isStopped) this.#readEvents();
    }
  }

  /** One event a path: what was told of it meanwhile makes no difference to who looks at it. */
  #readEvents(): void {
    const buffer = Buffer.alloc(64 * 1024);
    const length = read(this.#fd, buffer);
    const changed = new Set<string>();
    for (let at = 0; at + headerBytes <= length; ) {
      const id = buffer.readInt32LE(at);
      const mask = buffer.readUInt32LE(at + 4);
      const end = at + headerBytes + buffer.readUInt32LE(at + 12);
      const name = buffer.toString('utf8', at + headerBytes, end).replace(/\0+$/, '');
      at = end;
      const path = this.#paths.get(id);
      if (path !== undefined) changed.add(name === '' ? path : `${path}/${name}`);
      if ((mask & IN_IGNORED) !== 0) this.#paths.delete(id);
    }
    for (const path of changed) this.#onEvent(path);
  }

  #wake(): void {
    const one = Buffer.alloc(8);
    one.writeBigUInt64LE(1n);
    write(this.#stop, one);
  }
}
