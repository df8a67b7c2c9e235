import { StorageError } from '../../world/storage-error.ts';
import type { Clock } from '../clock.ts';
import type { StateCollection, StateStore } from '../state-store.ts';

interface Write {
  readonly collection: StateCollection;
  readonly key: string;
  /** Absent when the key was removed. */
  readonly value?: unknown;
}

type Values = Map<StateCollection, Map<string, unknown>>;

/** What outlives the daemon: writes in their order, of which a power cut may take those that were not synced. */
export class FakeStateDisk {
  /** A refusal of every write, as of a full or broken filesystem. */
  isRefusing = false;
  readonly #synced: Values = new Map();
  #tail: Write[] = [];

  write(writes: readonly Write[]): void {
    if (this.isRefusing) throw new Error('no space left on device');
    this.#tail.push(...writes);
  }

  sync(): void {
    if (this.isRefusing) throw new Error('input/output error');
    for (const write of this.#tail) apply(this.#synced, write);
    this.#tail = [];
  }

  /** Keeps what was synced and the first `kept` writes after it. */
  cutPower(kept: number): void {
    this.#tail.length = Math.min(kept, this.#tail.length);
  }

  get unsynced(): number {
    return this.#tail.length;
  }

  /** What a power cut now would leave for certain. */
  durable(collection: StateCollection): ReadonlyMap<string, unknown> {
    return this.#synced.get(collection) ?? new Map<string, unknown>();
  }

  /** What the next start reads. */
  read(): Values {
    const values: Values = new Map();
    for (const [collection, known] of this.#synced) values.set(collection, new Map(known));
    for (const write of this.#tail) apply(values, write);
    return values;
  }
}

function apply(values: Values, { collection, key, ...write }: Write): void {
  const known = values.get(collection) ?? new Map<string, unknown>();
  values.set(collection, known);
  if ('value' in write) known.set(key, write.value);
  else known.delete(key);
}

const retryMs = 1_000;

/** Writes one group at a time and syncs it, as the journal does; what is not written yet goes with the daemon. */
export class FakeStateStore implements StateStore {
  readonly #disk: FakeStateDisk;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #syncMs: number;
  readonly #values: Values;
  #pending: Write[] = [];
  #waiters: { readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  #isFlushing = false;
  #isDead = false;

  /** @param syncMs how long a sync takes */
  constructor(disk: FakeStateDisk, clock: Pick<Clock, 'after'>, syncMs: number) {
    this.#disk = disk;
    this.#clock = clock;
    this.#syncMs = syncMs;
    // A value is as good as its text: nobody shares an object with the daemon before.
    this.#values = structuredClone(disk.read());
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
    if (this.#pending.length === 0 && !this.#isFlushing) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#flushSoon();
    });
  }

  /** The daemon was killed: nothing more reaches the disk, and nobody is answered. */
  kill(): void {
    this.#isDead = true;
  }

  #collection(collection: StateCollection): Map<string, unknown> {
    const known = this.#values.get(collection) ?? new Map<string, unknown>();
    this.#values.set(collection, known);
    return known;
  }

  #append(write: Write): void {
    this.#pending.push(write);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    if (this.#isDead) return;
    const writes = this.#pending;
    const waiters = this.#waiters;
    this.#pending = [];
    this.#waiters = [];
    const refuse = (cause: unknown): void => {
      this.#isFlushing = false;
      this.#pending = [...writes, ...this.#pending];
      const options = { code: 'Unavailable', progress: 'transient', cause } as const;
      for (const { reject } of waiters) reject(new StorageError('Cannot write state: the disk refuses', options));
      this.#clock.after(retryMs, () => this.#flushSoon());
    };
    try {
      this.#disk.write(writes);
    } catch (error) {
      refuse(error);
      return;
    }
    this.#clock.after(this.#syncMs, () => {
      if (this.#isDead) return;
      try {
        this.#disk.sync();
      } catch (error) {
        refuse(error);
        return;
      }
      this.#isFlushing = false;
      for (const { resolve } of waiters) resolve();
      if (this.#pending.length > 0 || this.#waiters.length > 0) this.#flushSoon();
    });
  }
}
