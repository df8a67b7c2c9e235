import type { Kind, ObjectKey } from '../api/meta.ts';
import { keyOf } from '../api/meta.ts';
import type { StoredByKind, StoredObject } from '../api/object.ts';
import { ConflictError, type ObjectStore } from '../ports/object-store.ts';
import type { StateStore } from '../ports/state-store.ts';

/** The object store of one machine: a view of the state dir's collection `objects`. */
export class StateObjectStore implements ObjectStore {
  readonly #state: StateStore;
  readonly #byKind = new Map<Kind, Map<ObjectKey, StoredObject>>();
  readonly #listeners = new Set<() => void>();
  /** Of each reader of changes what it has not seen yet. */
  readonly #changed: Set<ObjectKey>[] = [];
  #counter = 0;
  #isNotifying = false;

  constructor(state: StateStore) {
    this.#state = state;
    for (const value of state.entries('objects').values()) {
      const object = value as StoredObject;
      this.#kind(object.kind).set(keyOf(object), object);
      this.#counter = Math.max(this.#counter, Number(object.metadata.resourceVersion));
    }
  }

  get(key: ObjectKey): StoredObject | undefined {
    return this.#byKind.get(kindIn(key))?.get(key);
  }

  list<K extends Kind>(kind: K): readonly StoredByKind[K][] {
    return [...this.#kind(kind).values()] as unknown as readonly StoredByKind[K][];
  }

  create<T extends StoredObject>(object: T): T {
    const key = keyOf(object);
    if (this.get(key) !== undefined) throw new ConflictError(`Cannot create "${key}": it exists`);
    return this.#write(key, object);
  }

  update<T extends StoredObject>(object: T): T {
    const key = keyOf(object);
    this.#assertCurrent(key, object.metadata.resourceVersion);
    return this.#write(key, object);
  }

  remove(key: ObjectKey, resourceVersion: string): void {
    this.#assertCurrent(key, resourceVersion);
    this.#kind(kindIn(key)).delete(key);
    this.#state.remove('objects', key);
    this.#changedNow(key);
  }

  durable(): Promise<void> {
    return this.#state.durable();
  }

  changes(): () => readonly ObjectKey[] {
    const changed = new Set([...this.#byKind.values()].flatMap((objects) => [...objects.keys()]));
    this.#changed.push(changed);
    return () => {
      const keys = [...changed];
      changed.clear();
      return keys;
    };
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #write<T extends StoredObject>(key: ObjectKey, object: T): T {
    this.#counter++;
    const metadata = { ...object.metadata, resourceVersion: String(this.#counter) };
    const stored = { ...object, metadata };
    this.#kind(object.kind).set(key, stored);
    this.#state.put('objects', key, stored);
    this.#changedNow(key);
    return stored;
  }

  #assertCurrent(key: ObjectKey, resourceVersion: string): void {
    const current = this.get(key)?.metadata.resourceVersion;
    if (current === resourceVersion) return;
    const is = current === undefined ? 'it does not exist' : `it is at version ${current}`;
    throw new ConflictError(`Cannot write "${key}" at version "${resourceVersion}": ${is}`);
  }

  #kind(kind: Kind): Map<ObjectKey, StoredObject> {
    const known = this.#byKind.get(kind);
    if (known !== undefined) return known;
    const created = new Map<ObjectKey, StoredObject>();
    this.#byKind.set(kind, created);
    return created;
  }

  #changedNow(key: ObjectKey): void {
    for (const changed of this.#changed) changed.add(key);
    this.#notifySoon();
  }

  #notifySoon(): void {
    if (this.#isNotifying) return;
    this.#isNotifying = true;
    queueMicrotask(() => {
      this.#isNotifying = false;
      for (const listener of this.#listeners) listener();
    });
  }
}

function kindIn(key: ObjectKey): Kind {
  return key.slice(0, key.indexOf('/')) as Kind;
}
