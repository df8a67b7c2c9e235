import { describe, expect, it } from 'vitest';
import { keyOf, objectKey } from '../api/meta.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import { ConflictError } from '../ports/object-store.ts';
import { MemoryStateStore } from './memory-state-store.ts';
import { StateObjectStore } from './state-object-store.ts';

function storageClass(name: string, provisioner = 'loop.moored.dev'): StoredStorageClass {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name,
      namespace: '',
      uid: `uid-${name}`,
      resourceVersion: '0',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { provisioner },
  };
}

const fast = objectKey('StorageClass', '', 'fast');

describe('StateObjectStore', () => {
  it('gives each write a new resourceVersion, and shows it at once', () => {
    const store = new StateObjectStore(new MemoryStateStore());
    const first = store.create(storageClass('fast'));
    const second = store.update({ ...first, spec: { provisioner: 'other' } });
    const other = store.create(storageClass('slow'));
    expect([first, second, other].map(({ metadata }) => metadata.resourceVersion)).toEqual(['1', '2', '3']);
    expect(store.get(fast)).toEqual(second);
    expect(store.list('StorageClass')).toEqual([second, other]);
    expect(store.list('Pod')).toEqual([]);
  });

  it('refuses a write on top of a version that was never read', () => {
    const store = new StateObjectStore(new MemoryStateStore());
    const first = store.create(storageClass('fast'));
    const second = store.update(first);
    expect(() => store.update(first)).toThrow(ConflictError);
    expect(() => store.remove(fast, first.metadata.resourceVersion)).toThrow(/at version "1": it is at version 2/);
    expect(store.get(fast)).toBe(second);
    expect(store.update(second).metadata.resourceVersion).toBe('3');
  });

  it('refuses to create what exists, and to change or remove what does not', () => {
    const store = new StateObjectStore(new MemoryStateStore());
    expect(() => store.update(storageClass('fast'))).toThrow(ConflictError);
    expect(() => store.remove(fast, '0')).toThrow(/it does not exist/);
    const first = store.create(storageClass('fast'));
    expect(() => store.create(storageClass('fast'))).toThrow(ConflictError);
    store.remove(fast, first.metadata.resourceVersion);
    expect(store.get(fast)).toBeUndefined();
    expect(() => store.remove(fast, first.metadata.resourceVersion)).toThrow(ConflictError);
  });

  it('does not change what a reader was given', () => {
    const store = new StateObjectStore(new MemoryStateStore());
    const list = store.list('StorageClass');
    const first = store.create(storageClass('fast'));
    store.update({ ...first, spec: { provisioner: 'other' } });
    expect(list).toEqual([]);
    expect(first.spec.provisioner).toBe('loop.moored.dev');
  });

  it('keeps kinds and namespaces apart', () => {
    const store = new StateObjectStore(new MemoryStateStore());
    const pod = (namespace: string) =>
      ({
        ...storageClass('fast'),
        kind: 'Pod',
        metadata: { ...storageClass('fast').metadata, namespace },
        spec: {},
      }) as const;
    store.create(storageClass('fast'));
    store.create(pod('a'));
    store.create(pod('b'));
    expect(store.list('Pod').map(keyOf)).toEqual(['Pod/a/fast', 'Pod/b/fast']);
    expect(store.list('StorageClass')).toHaveLength(1);
  });

  it('reads its objects back from the state and goes on counting', () => {
    const state = new MemoryStateStore();
    const before = new StateObjectStore(state);
    before.create(storageClass('fast'));
    const slow = before.create(storageClass('slow'));
    before.remove(keyOf(slow), slow.metadata.resourceVersion);
    const after = new StateObjectStore(state);
    expect(after.list('StorageClass')).toEqual(before.list('StorageClass'));
    const first = after.get(fast) as StoredStorageClass;
    const updated = after.update(first);
    expect(Number(updated.metadata.resourceVersion)).toBeGreaterThan(Number(first.metadata.resourceVersion));
    expect(state.entries('objects').get(fast)).toEqual(updated);
  });

  it('is durable when its state is', async () => {
    const state = new MemoryStateStore();
    const refused = new Error('no space left on device');
    state.durable = () => Promise.reject(refused);
    await expect(new StateObjectStore(state).durable()).rejects.toBe(refused);
  });

  it('tells of any number of writes in one turn once, after them', async () => {
    const store = new StateObjectStore(new MemoryStateStore());
    const seen: number[] = [];
    const unsubscribe = store.onChange(() => seen.push(store.list('StorageClass').length));
    store.create(storageClass('a'));
    store.create(storageClass('b'));
    store.remove(objectKey('StorageClass', '', 'a'), '1');
    expect(seen).toEqual([]);
    await Promise.resolve();
    expect(seen).toEqual([1]);
    store.create(storageClass('c'));
    await Promise.resolve();
    expect(seen).toEqual([1, 2]);
    unsubscribe();
    store.create(storageClass('d'));
    await Promise.resolve();
    expect(seen).toEqual([1, 2]);
  });

  it('gives each reader of changes what it has not seen, each key once, removals too', () => {
    const store = new StateObjectStore(new MemoryStateStore());
    const first = store.create(storageClass('fast'));
    const changes = store.changes();
    expect(changes()).toEqual([fast]);
    expect(changes()).toEqual([]);
    store.update(store.update(first));
    const late = store.changes();
    expect(changes()).toEqual([fast]);
    store.remove(fast, '3');
    store.create(storageClass('slow'));
    expect(changes()).toEqual([fast, objectKey('StorageClass', '', 'slow')]);
    expect(late()).toEqual([fast, objectKey('StorageClass', '', 'slow')]);
  });

  it('tells again of writes that a listener makes', async () => {
    const store = new StateObjectStore(new MemoryStateStore());
    let calls = 0;
    store.onChange(() => {
      calls++;
      if (calls === 1) store.create(storageClass('made by a listener'));
    });
    store.create(storageClass('a'));
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    expect(calls).toBe(2);
  });

  it('tells nobody of a write that was refused', async () => {
    const store = new StateObjectStore(new MemoryStateStore());
    let calls = 0;
    store.onChange(() => calls++);
    expect(() => store.update(storageClass('fast'))).toThrow(ConflictError);
    await Promise.resolve();
    expect(calls).toBe(0);
  });
});
