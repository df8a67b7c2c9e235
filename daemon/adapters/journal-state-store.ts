/**
 * The state dir: an append-only journal for speed and order, one readable file a value for people.
 *
 *   state/journal-<n>            one line a write: crc32, space, JSON; fdatasync per group of writes
 *   state/<collection>/<key>.json   the value as of the last checkpoint: temp + fsync + rename + fsync(dir)
 *
 * Invariants
 * - Lines are appended in the order of the writes, so a crash leaves a prefix of them; a torn last line is dropped.
 * - A checkpoint begins a new journal first and ends by removing the old one: files, then journals in order, is always
 *   the newest state, whenever it was cut off.
 * - A damaged line anywhere else is refused: what follows it cannot be trusted.
 */
import { type FileHandle, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises';
import type { StateCollection, StateStore } from '../ports/state-store.ts';
import { StorageError } from '../world/storage-error.ts';
import { CheckpointDirectory } from './checkpoint-directory.ts';
import { decodeJournal, encodeEntry, type JournalEntry } from './journal-entry.ts';

/** A checkpoint follows when the journal is this long, or when nothing was written for a while. */
const checkpointBytes = 4 * 1024 * 1024;
const checkpointIdleMs = 5_000;
const retryMs = 1_000;

const collections: readonly StateCollection[] = ['objects', 'volumes', 'daemon'];

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class JournalStateStore implements StateStore {
  readonly #directory: string;
  readonly #values = new Map<StateCollection, Map<string, unknown>>();
  readonly #dirty = new Map<string, JournalEntry>();
  readonly #files: CheckpointDirectory;
  #journal: FileHandle;
  #number: number;
  #length = 0;
  /** Journals that the next finished checkpoint makes superfluous, the oldest first; more than one after a failed one. */
  #replaced: number[] = [];
  #pending: string[] = [];
  #waiters: Waiter[] = [];
  #flushing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  #isCheckpointing = false;

  /** @throws StorageError DataLoss when the state dir holds what cannot be read back */
  static async open(directory: string): Promise<JournalStateStore> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const files = new CheckpointDirectory(directory, collections);
    const values = await files.load();
    const numbers = await journalNumbers(directory);
    const entries = await readJournals(directory, numbers);
    const store = new JournalStateStore(directory, files, await openJournal(directory, (numbers.at(-1) ?? 0) + 1));
    for (const [collection, known] of values) store.#values.set(collection, known);
    for (const entry of entries) store.#replay(entry);
    // What the journals hold goes into the files now, so that they can go; on a full disk they stay, and still hold it.
    store.#replaced.push(...numbers);
    await store.#writeCheckpoint().catch(() => store.#scheduleCheckpoint());
    return store;
  }

  private constructor(directory: string, files: CheckpointDirectory, journal: OpenJournal) {
    this.#directory = directory;
    this.#files = files;
    this.#journal = journal.handle;
    this.#number = journal.number;
  }

  entries(collection: StateCollection): ReadonlyMap<string, unknown> {
    return this.#collection(collection);
  }

  put(collection: StateCollection, key: string, value: unknown): void {
    this.#collection(collection).set(key, value);
    this.#append({ collection, key, value });
  }

  remove(collection: StateCollection, key: string): void {
    if (this.#collection(collection).delete(key)) this.#append({ collection, key });
  }

  durable(): Promise<void> {
    if (this.#pending.length === 0 && this.#flushing === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#flushSoon();
    });
  }

  /** Writes what is pending; the journal holds it until the next start. */
  async close(): Promise<void> {
    try {
      await this.durable();
    } finally {
      this.#isClosed = true;
      clearTimeout(this.#timer);
      await this.#journal.close();
    }
  }

  #collection(collection: StateCollection): Map<string, unknown> {
    const known = this.#values.get(collection);
    if (known !== undefined) return known;
    const created = new Map<string, unknown>();
    this.#values.set(collection, created);
    return created;
  }

  #append(entry: JournalEntry): void {
    this.#pending.push(encodeEntry(entry));
    this.#dirty.set(`${entry.collection}/${entry.key}`, entry);
    this.#flushSoon();
  }

  /** All writes of one turn of the event loop share one fdatasync. */
  #flushSoon(): void {
    if (this.#flushing !== undefined || this.#isClosed) return;
    this.#flushing = Promise.resolve().then(async () => {
      const isWritten = await this.#flush();
      this.#flushing = undefined;
      // After a refusal the rest waits for the timer, unless somebody asks.
      if (this.#waiters.length > 0 || (isWritten && this.#pending.length > 0)) this.#flushSoon();
    });
  }

  async #flush(): Promise<boolean> {
    const lines = this.#pending;
    const waiters = this.#waiters;
    this.#pending = [];
    this.#waiters = [];
    try {
      if (lines.length > 0) {
        const bytes = Buffer.from(lines.join(''));
        await writeWhole(this.#journal, bytes, this.#length);
        await this.#journal.datasync();
        this.#length += bytes.length;
      }
      for (const waiter of waiters) waiter.resolve();
      this.#scheduleCheckpoint();
      return true;
    } catch (error) {
      // The next write begins at the same offset, so whatever part of this one is there is written over.
      this.#pending = [...lines, ...this.#pending];
      for (const waiter of waiters) waiter.reject(this.#refused(error));
      this.#schedule(retryMs, () => this.#flushSoon());
      return false;
    }
  }

  #refused(error: unknown): StorageError {
    const cause = error instanceof Error ? error.message : String(error);
    return new StorageError(`Cannot write state to "${this.#directory}": ${cause}`, {
      code: 'Unavailable',
      progress: 'transient',
      operation: 'writeState',
      cause: error,
    });
  }

  #scheduleCheckpoint(): void {
    const delay = this.#length > checkpointBytes ? 0 : checkpointIdleMs;
    this.#schedule(delay, () => void this.#checkpoint());
  }

  #schedule(delayMs: number, callback: () => void): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(callback, delayMs);
    this.#timer.unref();
  }

  async #checkpoint(): Promise<void> {
    if (this.#dirty.size === 0 || this.#flushing !== undefined || this.#isClosed) return;
    // Two at once could put an older value over a newer one.
    if (this.#isCheckpointing) {
      this.#schedule(checkpointIdleMs, () => void this.#checkpoint());
      return;
    }
    this.#isCheckpointing = true;
    const previous = { handle: this.#journal, number: this.#number, length: this.#length };
    try {
      const next = await openJournal(this.#directory, this.#number + 1);
      if (this.#flushing !== undefined || this.#pending.length > 0 || previous.length !== this.#length) {
        await next.handle.close();
        this.#scheduleCheckpoint();
        return;
      }
      this.#journal = next.handle;
      this.#number = next.number;
      this.#length = 0;
      this.#replaced.push(previous.number);
      // Begun in the turn of the switch: no file may hold a write that is not in a journal yet.
      await Promise.all([this.#writeCheckpoint(), previous.handle.close()]);
    } catch {
      // The journals still hold everything; the next write schedules another try.
    } finally {
      this.#isCheckpointing = false;
    }
  }

  async #writeCheckpoint(): Promise<void> {
    const entries = [...this.#dirty.values()];
    const replaced = [...this.#replaced];
    this.#dirty.clear();
    try {
      await this.#files.write(entries);
      for (const number of replaced) {
        await unlink(journalPath(this.#directory, number));
        this.#replaced.shift();
      }
    } catch (error) {
      for (const entry of entries) {
        const name = `${entry.collection}/${entry.key}`;
        if (!this.#dirty.has(name)) this.#dirty.set(name, entry);
      }
      throw this.#refused(error);
    }
  }

  #replay(entry: JournalEntry): void {
    const values = this.#collection(entry.collection);
    if ('value' in entry) values.set(entry.key, entry.value);
    else values.delete(entry.key);
    this.#dirty.set(`${entry.collection}/${entry.key}`, entry);
  }
}

/** The entries of all journals in order. Behind a torn line may only be journals that nothing was written to. */
async function readJournals(directory: string, numbers: readonly number[]): Promise<readonly JournalEntry[]> {
  const paths = numbers.map((number) => journalPath(directory, number));
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  const last = texts.findLastIndex((text) => text !== '');
  return paths.flatMap((path, index) => decodeJournal(path, texts[index] ?? '', index >= last));
}

/** write(2) on a nearly full disk writes a part and calls it success; the rest then gives the error. */
async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

interface OpenJournal {
  readonly handle: FileHandle;
  readonly number: number;
}

async function openJournal(directory: string, number: number): Promise<OpenJournal> {
  return { handle: await open(journalPath(directory, number), 'w', 0o600), number };
}

function journalPath(directory: string, number: number): string {
  return `${directory}/journal-${number}`;
}

async function journalNumbers(directory: string): Promise<readonly number[]> {
  const numbers = (await readdir(directory)).flatMap((name) => /^journal-(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  return numbers.sort((a, b) => a - b);
}
