/** Collections of the state dir. */
export type StateCollection = 'objects' | 'volumes' | 'daemon';

/**
 * Durable JSON values by collection and key. Reads come from memory; writes reach the disk in the order they were made,
 * so that a crash leaves a prefix of them.
 */
export interface StateStore {
  entries(collection: StateCollection): ReadonlyMap<string, unknown>;
  put(collection: StateCollection, key: string, value: unknown): void;
  remove(collection: StateCollection, key: string): void;
  /** Resolves when all writes made before this call are on disk; rejects with a StorageError when the disk refuses. */
  durable(): Promise<void>;
}
