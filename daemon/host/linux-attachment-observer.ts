import { readlinkSync } from 'node:fs';
import { basename } from 'node:path/posix';
import type { AttachmentObserver, WatchedAs } from '../ports/attachment-observer.ts';
import type { AttachedFacts } from '../world/attachment-drift.ts';
import { Inotify } from './inotify.ts';
import { hasBackingFile, loopBackingOf } from './loop-sysfs.ts';
import { fromNode } from './node-errno.ts';
import { failedWith } from './syscall-error.ts';

const IN_ATTRIB = 0x4;
const IN_CLOSE = 0x18;
const IN_MOVED = 0xc0;
const IN_DELETE = 0x200;
const IN_DELETE_SELF = 0x400;
const IN_MOVE_SELF = 0x800;

const masks: Readonly<Record<WatchedAs, number>> = {
  device: IN_CLOSE | IN_ATTRIB | IN_DELETE_SELF,
  entries: IN_MOVED | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF,
  self: IN_DELETE_SELF | IN_MOVE_SELF,
};

export class LinuxAttachmentObserver implements AttachmentObserver, AsyncDisposable {
  readonly #inotify: Inotify;
  readonly #watches = new Map<string, number>();
  readonly #listeners = new Set<(path: string) => void>();

  /** @param onFailure told when the watch ends by an error, or a path cannot be watched */
  constructor(onFailure: (error: unknown) => void) {
    const changed = (path: string) => {
      for (const listener of this.#listeners) listener(path);
    };
    this.#inotify = new Inotify(changed, onFailure);
  }

  facts(deviceNumber: string): AttachedFacts | undefined {
    const backing = loopBackingOf(deviceNumber);
    if (backing !== undefined) return { backing };
    const name = nameOf(deviceNumber);
    if (name === undefined) return undefined;
    // Detached, attached or unreadable between two reads: the next look says so.
    return hasBackingFile(name) ? { backing: { path: '', isAutoclear: false } } : {};
  }

  /** The file at the path may be another one than before: inotify keeps one watch a file, so adding it again is cheap. */
  watch(path: string, as: WatchedAs): void {
    try {
      this.#watches.set(path, this.#inotify.add(path, masks[as]));
    } catch {
      // Not there, or too many watches: the slow look sees what happens.
      this.#watches.delete(path);
    }
  }

  unwatch(path: string): void {
    const id = this.#watches.get(path);
    this.#watches.delete(path);
    if (id !== undefined) this.#inotify.remove(id);
  }

  onChange(listener: (path: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
    await this.#inotify[Symbol.asyncDispose]();
  }
}

/**
 * The kernel's own name, "loop3"; the link goes when the device goes, and nothing else is a device that has gone.
 * @throws SyscallError when the link cannot be read
 */
function nameOf(deviceNumber: string): string | undefined {
  try {
    return basename(fromNode(() => readlinkSync(`/sys/dev/block/${deviceNumber}`)));
  } catch (thrown) {
    if (failedWith(thrown, 'ENOENT')) return undefined;
    throw thrown;
  }
}
