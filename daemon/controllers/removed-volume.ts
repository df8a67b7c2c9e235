import { objectKey } from '../api/meta.ts';
import { finalizers } from '../api/well-known.ts';
import type { ObjectStore } from '../ports/object-store.ts';

/** The end of a volume whose data is gone: its own finalizers go, and it does, unless one of somebody else's keeps it. */
export function removeDeletedVolume(objects: ObjectStore, name: string, now: string): void {
  const key = objectKey('PersistentVolume', '', name);
  const current = objects.get(key);
  if (current === undefined) return;
  const own: readonly string[] = [finalizers.pvProtection, finalizers.externalProvisioner];
  const left = (current.metadata.finalizers ?? []).filter((finalizer) => !own.includes(finalizer));
  if (left.length === 0) objects.remove(key, current.metadata.resourceVersion);
  else objects.update({ ...current, metadata: { ...current.metadata, deletionTimestamp: now, finalizers: left } });
}
