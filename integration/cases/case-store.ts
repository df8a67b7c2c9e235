/** The objects of a case, and what its steps do to them. */
import { MemoryStateStore } from '../../daemon/adapters/memory-state-store.ts';
import { StateObjectStore } from '../../daemon/adapters/state-object-store.ts';
import { keyOf, type ObjectKey, objectKey } from '../../daemon/api/meta.ts';
import type { Scene, Words } from './case-format.ts';
import { sceneObjects } from './case-objects.ts';

const shortKinds: Readonly<Record<string, string>> = {
  PersistentVolumeClaim: 'pvc',
  PersistentVolume: 'pv',
  Pod: 'pod',
  StatefulSet: 'sts',
  VolumeSnapshot: 'vs',
  VolumeSnapshotContent: 'vsc',
};
const clusterKinds = new Set(['PersistentVolume', 'VolumeSnapshotContent']);

export class CaseStore {
  readonly state = new MemoryStateStore();
  readonly objects = new StateObjectStore(this.state);

  put(scene: Scene): void {
    for (const object of sceneObjects(scene)) {
      const { resourceVersion } = this.objects.get(keyOf(object))?.metadata ?? {};
      if (resourceVersion === undefined) this.objects.create(object);
      else this.objects.update({ ...object, metadata: { ...object.metadata, resourceVersion } });
    }
  }

  /** "pvc/data", or a whole key; its finalizers are not asked. */
  remove(words: string): void {
    const current = this.objects.get(keyIn(words));
    if (current === undefined) throw new Error(`Cannot remove "${words}": it is not there`);
    this.objects.remove(keyOf(current), current.metadata.resourceVersion);
  }

  /** As when its manifest is gone. */
  delete(words: string): void {
    const current = this.objects.get(keyIn(words));
    if (current === undefined) throw new Error(`Cannot delete "${words}": it is not there`);
    this.objects.update({ ...current, metadata: { ...current.metadata, deletionTimestamp: '2026-01-02T00:00:00Z' } });
  }

  /** Changes with every write. */
  get version(): string {
    return [...this.state.entries('objects').values()].map((object) => JSON.stringify(object)).join();
  }
}

/** "pvc/data", "pvc/namespace/data", or a key as it is. */
export function keyIn(words: string): ObjectKey {
  const [short = '', first = '', second] = words.split('/');
  const kind = Object.keys(shortKinds).find((known) => shortKinds[known] === short);
  if (kind === undefined) return words as ObjectKey;
  if (clusterKinds.has(kind)) return objectKey(kind as 'PersistentVolume', '', first);
  const [namespace, name] = second === undefined ? ['default', first] : [first, second];
  return objectKey(kind as 'PersistentVolumeClaim', namespace, name);
}

export function eventInWords({ type, reason, regarding }: { type: string; reason: string; regarding: string }): string {
  const [kind = '', ...names] = regarding.split('/');
  return `${type} ${reason} ${shortKinds[kind] ?? kind}/${names.at(-1) ?? ''}`;
}

export function sorted(words: readonly Words[]): readonly Words[] {
  return words.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
