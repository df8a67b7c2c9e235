import { resolve } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type FSWatcher, watch } from 'chokidar';
import type { ManifestProblem, ManifestSource, ManifestState } from '../ports/manifest-source.ts';
import { isErrno } from './errno.ts';
import { ManifestCollection } from './manifest-collection.ts';
import { type DirectoryLook, lookAtDirectory } from './manifest-directory.ts';
import { readManifestFile } from './manifest-file-reader.ts';

export interface ChokidarManifestSourceOptions {
  readonly directory: string;
  /** See SettleTimes. */
  readonly quietMs?: number;
  readonly goneMs?: number;
  /** Told once when inotify is exhausted and the directory is listed by timer instead. */
  readonly onProblem?: (problem: ManifestProblem) => void;
}

/** From the first event to the look: the events of one rename arrive within a millisecond. */
const leastDebounceMs = 2;
/** And twice as long as the look before took, with all that followed from it: files that come in a crowd share looks. */
const debounceFactor = 2;
const mostDebounceMs = 100;
/** inotify's queue overflows in silence; the kubelet polls its static pods as often. */
const resyncMs = 20_000;
/** While the directory is unreadable or cannot be watched. */
const retryMs = 1000;
const longestIncompleteMs = 2000;
/** Files in one turn of the event loop, some milliseconds: a client that asks meanwhile gets its answer. */
const mostReadAtOnce = 64;

/**
 * Manifests of one flat directory. An event only means that something changed: what, is found by listing and comparing
 * stamps, so a lost, doubled or late event costs time and never correctness.
 */
export class ChokidarManifestSource implements ManifestSource {
  readonly #directory: string;
  readonly #collection: ManifestCollection;
  readonly #onProblem: (problem: ManifestProblem) => void;
  #listener: (state: ManifestState) => void = () => {};
  #lastState: ManifestState | undefined;
  #onFirstState: () => void = () => {};
  /** Since when a listing of another directory than the one that is believed waits to be whole. */
  #incompleteSince: number | undefined;
  #watcher: FSWatcher | undefined;
  /** The directory of the files that are believed; '' before the first listing. */
  #directoryId = '';
  /** What is watched; another directory at the same path needs another watch. */
  #watchId = '';
  #watchedAt = 0;
  #isExhausted = false;
  #isExhaustionReported = false;
  #isStopped = true;
  /** While many files are read ahead; the look that judges them follows. */
  #isReadingAhead = false;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #debounceMs = leastDebounceMs;

  constructor({ directory, quietMs = 200, goneMs = 300, onProblem = () => {} }: ChokidarManifestSourceOptions) {
    this.#directory = resolve(directory);
    this.#onProblem = onProblem;
    this.#collection = new ManifestCollection((name) => readManifestFile(this.#directory, name), { quietMs, goneMs });
  }

  /** Resolves when the listener had its first state. */
  async start(listener: (state: ManifestState) => void): Promise<void> {
    this.#listener = listener;
    this.#isStopped = false;
    const { promise: first, resolve: onFirstState } = Promise.withResolvers<void>();
    this.#onFirstState = onFirstState;
    this.#look();
    await first;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#watcher?.close();
  }

  /** @param readAhead how many files were just read for this look */
  #look(readAhead = Number.POSITIVE_INFINITY): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    if (this.#isStopped || this.#isReadingAhead) return;
    const look = lookAtDirectory(this.#directory);
    if (look.kind === 'unreadable') {
      this.#watchId = '';
      this.#lookWithin(retryMs);
      this.#publish({ kind: 'unreadable', problem: { file: this.#directory, message: look.message } });
      return;
    }
    const { watchId, stamps } = look;
    const isTriedAgain = this.#isExhausted && performance.now() - this.#watchedAt >= resyncMs;
    if (watchId !== this.#watchId || isTriedAgain) this.#watch(watchId);
    const unread = this.#collection.unread(stamps);
    // Fewer each time: those that came or changed while the others were read. So it ends, whoever writes.
    if (unread.length > mostReadAtOnce && unread.length < readAhead) void this.#readAhead(unread);
    else this.#judge(look);
  }

  #judge({ directoryId, stamps }: Extract<DirectoryLook, { kind: 'entries' }>): void {
    const wait = this.#collection.look(stamps, { monotonic: performance.now(), wall: Date.now() });
    this.#lookWithin(Math.min(wait ?? resyncMs, this.#isExhausted ? retryMs : resyncMs));
    if (wait === undefined) this.#incompleteSince = undefined;
    else if (directoryId !== this.#directoryId) {
      // The first listing must be whole, and the first of another directory at this path: until then nobody may conclude
      // that something is gone, also after an unreadable directory.
      this.#incompleteSince ??= performance.now();
      if (performance.now() - this.#incompleteSince < longestIncompleteMs) return;
      this.#collection.stopWaiting();
    }
    // While the files of before are still believed, they are not those of another directory that lies there now.
    if (wait === undefined || this.#directoryId === '') this.#directoryId = directoryId;
    this.#publish({
      kind: 'listing',
      listing: { files: this.#collection.files, directoryId: this.#directoryId },
    });
  }

  /**
   * Reads in slices, and concludes nothing: the look that follows lists the directory anew and judges all of it in one
   * turn, so that a file that was renamed meanwhile is neither missed nor believed to be gone.
   */
  async #readAhead(names: readonly string[]): Promise<void> {
    this.#isReadingAhead = true;
    for (const [index, name] of names.entries()) {
      if (index % mostReadAtOnce === 0) await nextTurn();
      if (this.#isStopped) return;
      this.#collection.readAhead(name, { monotonic: performance.now(), wall: Date.now() });
    }
    this.#isReadingAhead = false;
    this.#timedLook(names.length);
  }

  /** One timer for everything; an earlier wish replaces a later one. */
  #lookWithin(ms: number): void {
    const dueAt = performance.now() + ms;
    if (this.#isStopped || dueAt >= this.#dueAt) return;
    this.#dueAt = dueAt;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#timedLook(), ms);
  }

  #timedLook(readAhead?: number): void {
    const startedAt = performance.now();
    this.#look(readAhead);
    const wished = debounceFactor * (performance.now() - startedAt);
    this.#debounceMs = Math.min(Math.max(wished, leastDebounceMs), mostDebounceMs);
  }

  #watch(watchId: string): void {
    void this.#watcher?.close();
    this.#watchId = watchId;
    this.#watchedAt = performance.now();
    this.#isExhausted = false;
    // Only the directory itself, so that chokidar stats no file of it: `raw`, an entry changed, says enough.
    const watcher = watch(this.#directory, {
      depth: 0,
      ignoreInitial: true,
      ignored: (path) => path !== this.#directory,
    });
    const changed = () => this.#lookWithin(this.#debounceMs);
    watcher.on('raw', changed).on('all', changed).on('ready', changed);
    watcher.on('error', (error) => {
      if (isErrno(error, 'ENOSPC', 'EMFILE', 'ENFILE')) this.#fallBackToTimer(error);
      this.#lookWithin(this.#debounceMs);
    });
    this.#watcher = watcher;
  }

  #fallBackToTimer(error: unknown): void {
    this.#isExhausted = true;
    if (this.#isExhaustionReported) return;
    this.#isExhaustionReported = true;
    const cause = error instanceof Error ? error.message : String(error);
    this.#onProblem({
      file: this.#directory,
      message: `Cannot watch "${this.#directory}": ${cause}; listing it each second instead (raise fs.inotify.max_user_watches and fs.inotify.max_user_instances)`,
    });
  }

  #publish(state: ManifestState): void {
    if (this.#lastState !== undefined && isSameState(this.#lastState, state)) return;
    this.#lastState = state;
    this.#listener(state);
    this.#onFirstState();
  }
}

function isSameState(a: ManifestState, b: ManifestState): boolean {
  if (a.kind === 'unreadable' || b.kind === 'unreadable') {
    return a.kind === 'unreadable' && b.kind === 'unreadable' && a.problem.message === b.problem.message;
  }
  const { files, directoryId } = a.listing;
  if (directoryId !== b.listing.directoryId || files.length !== b.listing.files.length) return false;
  return files.every((file, index) => file === b.listing.files[index]);
}
