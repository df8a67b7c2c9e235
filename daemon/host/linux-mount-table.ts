import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { MountTableSource } from '../ports/mount-table-source.ts';
import type { MountTable } from '../world/mount-table.ts';
import type { KernelFeatures } from './kernel-features.ts';
import { MountChanges } from './mount-changes.ts';
import { MountInfoReader } from './mount-info-reader.ts';
import type { MountTableReader } from './mount-table-reader.ts';
import { StatmountReader } from './statmount-reader.ts';

/** Above this, listmount and statmount of what is ours are cheaper than the whole text, unless most of them are ours. */
const MANY = 2000;
/** A mount takes statmount 7 us and is 3 us of the text. */
const MOST_SHARE_OF_OURS = 0.4;

/** After a change, how long until the many mounts of other people are looked through for remounts and moves. */
const REST_DELAY_MS = 1000;
/** How long a reading stands when no event speaks against it. */
const EXACT_MS = 1000;
/** A reading waits this many times as long as the one before it took: a storm of mounts is read in a quarter of the time. */
const PAUSE_FACTOR = 3;
/** Below this the next turn of the event loop is pause enough; a timer is not finer. */
const LEAST_PAUSE_MS = 1;

export interface LinuxMountTableOptions {
  readonly features: Pick<KernelFeatures, 'listmount' | 'statmount'>;
  /** Real path of the root dir: mounts at and below it are always read at once. */
  readonly managedRoot: string;
  /** Told when the table could not be read after a change, or can no longer be watched. `refresh` rejects by itself. */
  readonly onFailure: (error: unknown) => void;
  /** Mounts from which on statmount(2) is used; for tests. */
  readonly many?: number;
}

/**
 * The kernel's mount table, watched. Invariants:
 * - listeners hear of each table once, and of no table that is older than one they heard of;
 * - a failed reading leaves the last table as it is: unreadable is not empty.
 *
 * Two things raise no event, and only a `refresh` a second or more after the last reading sees them: a filesystem that the
 * kernel itself turned read-only (ext4 with errors=remount-ro), and a renamed directory above a mount point.
 */
export class LinuxMountTable implements MountTableSource, AsyncDisposable {
  readonly #text: MountTableReader;
  #statmount: MountTableReader | undefined;
  readonly #options: LinuxMountTableOptions;
  readonly #changes: MountChanges;
  readonly #listeners = new Set<(table: MountTable) => void>();
  readonly #closed = new AbortController();
  #table: MountTable;
  #refreshing: Promise<MountTable> | undefined;
  /** The kernel told of a change that no reading has seen yet. */
  #hasChanged = false;
  #readAt = Number.NEGATIVE_INFINITY;
  /** Time of performance.now() before which no other reading begins. */
  #pauseUntil = Number.NEGATIVE_INFINITY;
  #rest: Promise<void> | undefined;

  /** Reads the table once; throws if it cannot be read. */
  constructor(options: LinuxMountTableOptions) {
    this.#text = new MountInfoReader(options.features.listmount);
    this.#options = options;
    this.#changes = new MountChanges(() => this.#afterChange(), options.onFailure);
    try {
      this.#table = this.#text.read(false);
    } catch (error) {
      void this.#changes[Symbol.asyncDispose]();
      throw error;
    }
  }

  current(): MountTable {
    return this.#table;
  }

  /** All callers of one turn of the event loop or of one pause, and changes that came meanwhile, share the next reading. */
  refresh(): Promise<MountTable> {
    // What was read last and has not changed since needs neither a pause nor a reading.
    if (this.#refreshing === undefined && this.#isExact()) return Promise.resolve(this.#table);
    this.#refreshing ??= this.#pause().then(() => {
      this.#refreshing = undefined;
      return this.#isExact() ? this.#table : this.#read();
    });
    return this.#refreshing;
  }

  onChange(listener: (table: MountTable) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Stops watching; `refresh` goes on working. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#listeners.clear();
    await this.#changes[Symbol.asyncDispose]();
    await this.#rest;
  }

  /** Most changes are our own mounts, which their operation has read by now: then there is nothing to read. */
  #afterChange(): void {
    this.refresh().catch(this.#options.onFailure);
  }

  #pause(): Promise<void> {
    const pauseMs = this.#pauseUntil - performance.now();
    return pauseMs < LEAST_PAUSE_MS ? nextTurn() : sleep(pauseMs);
  }

  /** No event since the last reading, and that one not old: what raises no event is seen within a second all the same. */
  #isExact(): boolean {
    if (this.#closed.signal.aborted) return false;
    // The kernel tells of a change once.
    this.#hasChanged ||= this.#changes.hasChanged();
    return !this.#hasChanged && performance.now() - this.#readAt < EXACT_MS;
  }

  #read(): MountTable {
    const readAt = performance.now();
    // A reading that fails leaves nothing exact.
    this.#readAt = Number.NEGATIVE_INFINITY;
    const reader = this.#reader;
    const table = reader.read(this.#hasChanged);
    this.#readAt = readAt;
    const now = performance.now();
    this.#pauseUntil = now + PAUSE_FACTOR * (now - readAt);
    if (this.#hasChanged && reader.leavesRest) this.#rest ??= this.#readRestLater(reader);
    this.#hasChanged = false;
    return this.#publish(table);
  }

  async #readRestLater(reader: MountTableReader): Promise<void> {
    try {
      await sleep(REST_DELAY_MS, undefined, { signal: this.#closed.signal });
      this.#rest = undefined;
      this.#publish(await reader.readRest(() => nextTurn(undefined, { signal: this.#closed.signal })));
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#options.onFailure(error);
    }
  }

  /** A reader that was not used for a while has missed changes: it starts anew. */
  get #reader(): MountTableReader {
    const { features, many = MANY, managedRoot } = this.#options;
    const mostOfOurs = MOST_SHARE_OF_OURS * this.#table.mounts.length;
    const isTextCheaper = this.#table.mounts.length <= many || this.#table.under(managedRoot).length > mostOfOurs;
    if (!features.statmount || isTextCheaper) {
      this.#statmount = undefined;
      return this.#text;
    }
    this.#statmount ??= new StatmountReader(managedRoot);
    return this.#statmount;
  }

  #publish(table: MountTable): MountTable {
    if (table !== this.#table) {
      this.#table = table;
      for (const listener of this.#listeners) listener(table);
    }
    return table;
  }
}
