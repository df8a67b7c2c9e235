import type { AttachedFacts } from '../world/attachment-drift.ts';

/**
 * What is watched at a path. device: its opening and closing by anybody (`losetup -d` does both) and its end; entries:
 * what leaves or is put over a name in this directory; self: the end of this directory.
 */
export type WatchedAs = 'device' | 'entries' | 'self';

/** Devices and images, observed without touching what may hang: sysfs and inotify only. */
export interface AttachmentObserver {
  /** @param deviceNumber "major:minor"; undefined when the kernel has no such device */
  facts(deviceNumber: string): AttachedFacts | undefined;
  /** What cannot be watched is not an error: a slow look sees it too. Watching again what is watched does nothing. */
  watch(path: string, as: WatchedAs): void;
  unwatch(path: string): void;
  /** With the watched path, or for `entries` that of the entry. */
  onChange(listener: (path: string) => void): () => void;
}
