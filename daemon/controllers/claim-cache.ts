import { dataSourceOf, isClaimSource } from '../api/claim-data-source.ts';
import { keyOf, kinds, type ObjectKey, objectKey } from '../api/meta.ts';
import type { StoredObject } from '../api/object.ts';
import type { ClaimName, StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredPod } from '../api/pod.ts';
import { claimNamesOf } from '../api/pod-claims.ts';
import { classOfClaim, classOfVolume } from '../plan/claim-matching.ts';
import { isFree, VolumeIndex } from '../plan/volume-index.ts';
import type { ObjectStore } from '../ports/object-store.ts';

/**
 * What the claim controller has seen of the store, by what it asks for, and what is to be looked at again because of what
 * changed. `refresh` compares the whole store with what was seen, so that no write by anybody is missed for long.
 */
export class ClaimCache {
  readonly volumes = new VolumeIndex();
  readonly #seen = new Map<ObjectKey, StoredObject>();
  readonly #claimsByVolume = new Map<string, Set<ObjectKey>>();
  readonly #unboundByClass = new Map<string, Set<ObjectKey>>();
  readonly #podsByClaim = new Map<ObjectKey, Map<ObjectKey, StoredPod>>();
  /** Unbound claims, by the claim that their volume is to be made of. */
  readonly #clonesByClaim = new Map<string, Set<ObjectKey>>();
  readonly #affected = new Set<ObjectKey>();
  readonly #affectedClasses = new Set<string>();

  /** Takes in whatever differs from what was seen before. */
  refresh(objects: ObjectStore): void {
    let count = 0;
    for (const kind of kinds) {
      for (const object of objects.list(kind)) {
        this.take(keyOf(object), object);
        count += 1;
      }
    }
    if (count === this.#seen.size) return;
    for (const key of this.#seen.keys()) if (objects.get(key) === undefined) this.take(key, undefined);
  }

  take(key: ObjectKey, now: StoredObject | undefined): void {
    const before = this.#seen.get(key);
    if (before === now) return;
    if (now === undefined) this.#seen.delete(key);
    else this.#seen.set(key, now);
    for (const object of [before, now]) if (object !== undefined) this.#affect(key, object);
    if (before !== undefined) this.#forget(key, before);
    if (now !== undefined) this.#remember(key, now);
  }

  /** A write of this controller, seen at once. */
  write(objects: ObjectStore, object: StoredObject): void {
    this.take(keyOf(object), objects.update(object));
  }

  /** Everything is looked at again. */
  affectAll(): void {
    for (const [key, { kind }] of this.#seen) {
      if (kind === 'PersistentVolumeClaim' || kind === 'PersistentVolume' || kind === 'Pod') this.#affected.add(key);
    }
  }

  affect(key: ObjectKey): void {
    this.#affected.add(key);
  }

  /** Claims, volumes and pods to be looked at since this was last asked, each once. */
  takeAffected(): readonly ObjectKey[] {
    for (const className of this.#affectedClasses) {
      for (const key of this.#unboundByClass.get(className) ?? []) this.#affected.add(key);
    }
    // A clone waits for its source to be bound; whether a pod can be here may hang on each of its claims.
    for (const key of this.#affected) for (const clone of this.#clonesByClaim.get(key) ?? []) this.#affected.add(clone);
    for (const key of this.#affected)
      for (const pod of this.#podsByClaim.get(key)?.keys() ?? []) this.#affected.add(pod);
    const affected = [...this.#affected];
    this.#affected.clear();
    this.#affectedClasses.clear();
    return affected;
  }

  podsUsing({ namespace, name }: ClaimName): readonly StoredPod[] {
    return [...(this.#podsByClaim.get(objectKey('PersistentVolumeClaim', namespace, name))?.values() ?? [])];
  }

  #affect(key: ObjectKey, object: StoredObject): void {
    switch (object.kind) {
      case 'PersistentVolumeClaim':
        this.#affected.add(key);
        if (object.spec.volumeName !== undefined) this.#affected.add(volumeKey(object.spec.volumeName));
        for (const volume of this.volumes.naming(object.metadata)) this.#affected.add(keyOf(volume));
        break;
      case 'PersistentVolume':
        this.#affectByVolume(key, object);
        break;
      case 'Pod':
        this.#affected.add(key);
        for (const claim of claimsOf(object)) this.#affected.add(claim);
        break;
      default:
        // Classes and what else a step may look at change seldom: whoever may be concerned looks again.
        this.affectAll();
    }
  }

  #affectByVolume(key: ObjectKey, volume: StoredPersistentVolume): void {
    this.#affected.add(key);
    const { claimRef } = volume.spec;
    if (claimRef !== undefined) {
      this.#affected.add(objectKey('PersistentVolumeClaim', claimRef.namespace, claimRef.name));
    }
    for (const claim of this.#claimsByVolume.get(volume.metadata.name) ?? []) this.#affected.add(claim);
    if (isFree(volume)) this.#affectedClasses.add(classOfVolume(volume));
  }

  #remember(key: ObjectKey, object: StoredObject): void {
    if (object.kind === 'PersistentVolume') this.volumes.set(object);
    if (object.kind === 'PersistentVolumeClaim') {
      const { volumeName } = object.spec;
      if (volumeName === undefined) {
        addTo(this.#unboundByClass, classOf(object), key);
        if (sourceOf(object) !== '') addTo(this.#clonesByClaim, sourceOf(object), key);
      } else addTo(this.#claimsByVolume, volumeName, key);
    }
    if (object.kind === 'Pod') {
      for (const claim of claimsOf(object)) {
        const pods = this.#podsByClaim.get(claim) ?? new Map<ObjectKey, StoredPod>();
        this.#podsByClaim.set(claim, pods.set(key, object));
      }
    }
  }

  #forget(key: ObjectKey, object: StoredObject): void {
    if (object.kind === 'PersistentVolume') this.volumes.remove(object.metadata.name);
    if (object.kind === 'PersistentVolumeClaim') {
      this.#unboundByClass.get(classOf(object))?.delete(key);
      this.#clonesByClaim.get(sourceOf(object))?.delete(key);
      this.#claimsByVolume.get(object.spec.volumeName ?? '')?.delete(key);
    }
    if (object.kind === 'Pod') for (const claim of claimsOf(object)) this.#podsByClaim.get(claim)?.delete(key);
  }
}

function claimsOf(pod: StoredPod): readonly ObjectKey[] {
  return claimNamesOf(pod).map((name) => objectKey('PersistentVolumeClaim', pod.metadata.namespace, name));
}

function classOf(claim: StoredPersistentVolumeClaim): string {
  return classOfClaim(claim) ?? '';
}

/** The key of the claim that it is a clone of, or ''. */
function sourceOf({ spec, metadata }: StoredPersistentVolumeClaim): string {
  const source = dataSourceOf(spec);
  if (source === undefined || !isClaimSource(source)) return '';
  return objectKey('PersistentVolumeClaim', metadata.namespace, source.name);
}

function volumeKey(name: string): ObjectKey {
  return objectKey('PersistentVolume', '', name);
}

function addTo(map: Map<string, Set<ObjectKey>>, name: string, key: ObjectKey): void {
  const known = map.get(name);
  if (known === undefined) map.set(name, new Set([key]));
  else known.add(key);
}
