import { keyOf } from '../api/meta.ts';
import type { StoredObject } from '../api/object.ts';
import type { ControlStep } from './claim-world.ts';

/**
 * What a finalizer of a deleted object waited for is so: the finalizer goes, and with the last one the object. One that
 * somebody else put there (a provisioner's, a clone's) keeps it.
 */
export function finishDeletion(object: StoredObject, ...done: readonly string[]): ControlStep {
  const { resourceVersion, finalizers = [] } = object.metadata;
  const left = finalizers.filter((finalizer) => !done.includes(finalizer));
  if (left.length === 0) return { kind: 'remove', key: keyOf(object), resourceVersion };
  if (left.length < finalizers.length) {
    return { kind: 'write', object: { ...object, metadata: { ...object.metadata, finalizers: left } } };
  }
  const message = `it is being deleted and waits for its finalizers ${left.join(', ')}`;
  return { kind: 'wait', reason: 'FinalizersLeft', message };
}
