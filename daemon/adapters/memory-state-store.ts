import type { StateCollection, StateStore } from '../ports/state-store.ts';

/** State that lives as long as the process: for dry runs and unit tests. */
export class MemoryStateStore implements StateStore {
  readonly #values = new Map<StateCollection, Map<string, unknown>>();

  /** @param copyOf values to begin with; later writes do not touch it */
  constructor(copyOf?: StateStore) {
    for (const collection of ['objects', 'volumes', 'daemon'] as const) {
      this.#values.set(collection, new Map(copyOf?.entries(collection) ?? []));
    }
  }

  entries(collection: StateCollection): ReadonlyMap<string, unknown> {
    return this.#collection(collection);
  }

  put(collection: StateCollection, key: string, value: unknown): void {
    this.#collection(collection).set(key, value);
  }

  remove(collection: StateCollection, key: string): void {
    this.#collection(collection).delete(key);
  }

  durable(): Promise<void> {
    return Promise.resolve();
  }

  #collection(collection: StateCollection): Map<string, unknown> {
    const known = this.#values.get(collection) ?? new Map<string, unknown>();
    this.#values.set(collection, known);
    return known;
  }
}
