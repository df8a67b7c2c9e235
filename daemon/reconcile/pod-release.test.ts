import { expect, it } from 'vitest';
import { MemoryEventRecorder } from '../adapters/memory-event-recorder.ts';
import { MemoryStateStore } from '../adapters/memory-state-store.ts';
import { StateObjectStore } from '../adapters/state-object-store.ts';
import type { StoredPod } from '../api/pod.ts';
import type { ManagedDirectories } from '../ports/managed-directories.ts';
import { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import { diskLayout } from '../world/disk-layout.ts';
import { StorageError } from '../world/storage-error.ts';
import { releaseTerminatedPods } from './pod-release.ts';

const now = '2026-01-01T00:00:00Z';
const ended: StoredPod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    ...{ name: 'web', namespace: 'default', uid: 'uid-web', resourceVersion: '0', generation: 1 },
    creationTimestamp: now,
    deletionTimestamp: now,
  },
  spec: {},
};

/** The pod's directory as far as the release looks at it: `list` answers what is in each. */
function release(list: (path: string) => readonly string[], pods: readonly StoredPod[] = [ended]) {
  const objects = new StateObjectStore(new MemoryStateStore());
  for (const pod of pods) objects.create(pod);
  const removed: string[] = [];
  const directories = { list, remove: (path: string) => removed.push(path) } as unknown as ManagedDirectories;
  const events = new MemoryEventRecorder({ timestamp: () => now });
  const silent = () => undefined;
  const logger = { info: silent, warn: silent, error: silent, debug: silent };
  const isAllReleased = releaseTerminatedPods({
    objects,
    asw: new ActualStateOfWorld(),
    directories,
    layout: diskLayout('/r'),
    events,
    logger,
  });
  const messages = events.list().map(({ message }) => message);
  return { left: objects.list('Pod').length, removed, messages, isAllReleased };
}

it('removes the empty directories of an ended pod, then its object', () => {
  const { left, removed, messages, isAllReleased } = release((path) =>
    path.endsWith('/volumes') ? ['kubernetes.io~empty-dir'] : [],
  );
  expect(left).toBe(0);
  expect(isAllReleased).toBe(true);
  expect(removed).toContain('/r/pods/uid-web/volumes/kubernetes.io~empty-dir');
  expect(removed.at(-1)).toBe('/r/pods/uid-web');
  expect(messages).toEqual([]);
});

it('keeps a directory with something in it, and the pod with it', () => {
  const { left, removed, messages, isAllReleased } = release((path) =>
    path === '/r/pods/uid-web' ? ['precious'] : [],
  );
  expect(left).toBe(1);
  expect(isAllReleased).toBe(false);
  expect(removed).not.toContain('/r/pods/uid-web');
  expect(messages).toEqual(['The directory "/r/pods/uid-web" of an ended pod is kept: it is not empty']);
});

it('says what it cannot read and goes on: an error is not an empty directory', () => {
  const { left, removed, messages } = release((path) => {
    throw new StorageError(`Cannot list "${path}": input/output error`, { code: 'Internal' });
  });
  expect(left).toBe(1);
  expect(removed).toEqual([]);
  expect(messages).toEqual(['Cannot list "/r/pods/uid-web/volumes": input/output error']);
});

it('goes in portions: nothing else happens meanwhile', () => {
  const crowd = Array.from({ length: 150 }, (_, index) => ({
    ...ended,
    metadata: { ...ended.metadata, name: `web-${index}`, uid: `uid-${index}` },
  }));
  const { left, isAllReleased } = release(() => [], crowd);
  expect(left).toBe(50);
  expect(isAllReleased).toBe(false);
});
