import type { Kind, ObjectKey } from '../api/meta.ts';
import type { StoredByKind, StoredObject } from '../api/object.ts';

/** Thrown by update/delete when somebody else wrote first: read again, decide again. */
export class ConflictError extends Error {}

/**
 * Objects with list/watch/compare-and-set semantics. Reads come from memory; a write is visible at once and durable
 * when the next `durable()` resolves. Writes reach the disk in the order they were made: after a crash a prefix of them
 * is there, never a later one without an earlier.
 */
export interface ObjectStore {
  get(key: ObjectKey): StoredObject | undefined;
  list<K extends Kind>(kind: K): readonly StoredByKind[K][];
  /** Stores a new object; gives it its resourceVersion. Throws ConflictError if the key exists. */
  create<T extends StoredObject>(object: T): T;
  /** Replaces an object; `object.metadata.resourceVersion` must be the stored one, else ConflictError. */
  update<T extends StoredObject>(object: T): T;
  remove(key: ObjectKey, resourceVersion: string): void;
  /** Resolves when every write made before this call is on disk. Rejects when the disk refuses (ENOSPC, EIO, EROFS). */
  durable(): Promise<void>;
  /** A reader of its own place: each call gives the keys written or removed since the one before; the first, all. */
  changes(): () => readonly ObjectKey[];
  /** Called once per tick after one or more writes. Returns the unsubscribe. */
  onChange(listener: () => void): () => void;
}
