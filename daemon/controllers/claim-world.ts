import { keyOf, type ObjectKey, objectKey } from '../api/meta.ts';
import type { StoredObject } from '../api/object.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { isTerminated, type StoredPod } from '../api/pod.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import type { StorageError } from '../world/storage-error.ts';

/** What the claim and volume reducers look at. */
export interface ClaimWorld {
  readonly claims: readonly StoredPersistentVolumeClaim[];
  readonly volumes: readonly StoredPersistentVolume[];
  readonly classes: readonly StoredStorageClass[];
  claim(namespace: string, name: string): StoredPersistentVolumeClaim | undefined;
  volume(name: string): StoredPersistentVolume | undefined;
  storageClass(name: string): StoredStorageClass | undefined;
  /** Volumes whose claimRef names the claim, whatever its uid. */
  volumesNaming(claim: StoredPersistentVolumeClaim): readonly StoredPersistentVolume[];
  /** Volumes of a class ('': of none) that name no claim. */
  unclaimedVolumes(className: string): readonly StoredPersistentVolume[];
  /** Pods that name the claim, also terminating and finished ones: while there is one, the claim is protected. */
  podsUsing(claim: StoredPersistentVolumeClaim): readonly StoredPod[];
  /** Whether a class of this provisioner is served by a plugin here. */
  canProvision(provisioner: string): boolean;
  /** RFC 3339, for conditions that begin now. */
  readonly now: string;
  /** Whether a plugin here made the volume and can make it larger. */
  canExpand(volume: StoredPersistentVolume): boolean;
  /** Whether the volume is attached, or may be. */
  isInUse(volume: StoredPersistentVolume): boolean;
  nodeExpansion(volume: StoredPersistentVolume): NodeExpansion;
}

/** How far the growth of a volume is on this machine. */
export interface NodeExpansion {
  /** So large device and filesystem were grown; 0n when they were not, or nothing of the volume is here. */
  readonly expandedBytes: bigint;
  readonly isRunning: boolean;
  /** Why the last try failed, while the next is waited for. */
  readonly error?: string;
}

/** What the world of claims asks of others than the store. */
export interface ClaimSurroundings
  extends Pick<ClaimWorld, 'canProvision' | 'now' | 'canExpand' | 'isInUse' | 'nodeExpansion'> {}

/** Told of the claim or volume that the step is about. */
export interface ControlEvent {
  readonly reason: ReasonCode;
  readonly message: string;
  /** What is asked for cannot be done, or was not. */
  readonly error?: StorageError;
}

/** What is to be done next for one claim or volume. */
export type ControlStep =
  | { readonly kind: 'write'; readonly object: StoredObject; readonly event?: ControlEvent }
  | { readonly kind: 'remove'; readonly key: ObjectKey; readonly resourceVersion: string }
  | {
      readonly kind: 'provision';
      readonly claim: StoredPersistentVolumeClaim;
      readonly storageClass: StoredStorageClass;
    }
  /** The backing data of a released volume goes to the trash, then the object. */
  | { readonly kind: 'reclaim'; readonly volume: StoredPersistentVolume }
  /** The backing data of a bound volume becomes larger, then the volume's capacity. */
  | {
      readonly kind: 'expand';
      readonly claim: StoredPersistentVolumeClaim;
      readonly volume: StoredPersistentVolume;
      /** The new capacity, a quantity. */
      readonly storage: string;
    }
  /** Nothing to do until something changes (or what is attached and mounted does); the reason is told once. */
  | ({ readonly kind: 'wait'; readonly until?: 'volumesChange' } & ControlEvent)
  | { readonly kind: 'settled' };

export const settled: ControlStep = { kind: 'settled' };

export function removeStep(object: StoredObject): ControlStep {
  return { kind: 'remove', key: keyOf(object), resourceVersion: object.metadata.resourceVersion };
}

/**
 * The store as the reducers see it: always as it is now, so that a claim does not take a volume that another took a step
 * before. Only two indexes are made once. Who uses which claim: nobody but the caller of this writes pods. Which volume
 * may be whose: the volumes themselves are read anew, and one that came free since is found in the next round.
 */
export function claimWorldOf(objects: ObjectStore, surroundings: ClaimSurroundings): ClaimWorld {
  let users: ReadonlyMap<ObjectKey, readonly StoredPod[]> | undefined;
  let owners: VolumeIndex | undefined;
  const volume = (name: string) =>
    objects.get(objectKey('PersistentVolume', '', name)) as StoredPersistentVolume | undefined;
  const indexed = (list: keyof VolumeIndex, key: string) => {
    owners ??= volumeIndexOf(objects.list('PersistentVolume'));
    return (owners[list].get(key) ?? []).flatMap((name) => volume(name) ?? []);
  };
  return {
    get claims() {
      return objects.list('PersistentVolumeClaim');
    },
    get volumes() {
      return objects.list('PersistentVolume');
    },
    get classes() {
      return objects.list('StorageClass');
    },
    claim: (namespace, name) =>
      objects.get(objectKey('PersistentVolumeClaim', namespace, name)) as StoredPersistentVolumeClaim | undefined,
    volume,
    volumesNaming: ({ metadata }) => indexed('byClaim', `${metadata.namespace}/${metadata.name}`),
    unclaimedVolumes: (className) => indexed('unclaimedByClass', className),
    storageClass: (name) => objects.get(objectKey('StorageClass', '', name)) as StoredStorageClass | undefined,
    podsUsing: (claim) => {
      users ??= podsByClaim(objects.list('Pod'));
      return users.get(keyOf(claim)) ?? [];
    },
    ...surroundings,
  };
}

/** Names of volumes. */
interface VolumeIndex {
  readonly byClaim: ReadonlyMap<string, readonly string[]>;
  readonly unclaimedByClass: ReadonlyMap<string, readonly string[]>;
}

function volumeIndexOf(volumes: readonly StoredPersistentVolume[]): VolumeIndex {
  const byClaim = new Map<string, string[]>();
  const unclaimedByClass = new Map<string, string[]>();
  for (const { metadata, spec } of volumes) {
    const { claimRef, storageClassName = '' } = spec;
    if (claimRef === undefined) push(unclaimedByClass, storageClassName, metadata.name);
    else push(byClaim, `${claimRef.namespace}/${claimRef.name}`, metadata.name);
  }
  return { byClaim, unclaimedByClass };
}

function push<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const known = lists.get(key);
  if (known === undefined) lists.set(key, [value]);
  else known.push(value);
}

function podsByClaim(pods: readonly StoredPod[]): ReadonlyMap<ObjectKey, readonly StoredPod[]> {
  const users = new Map<ObjectKey, StoredPod[]>();
  for (const pod of pods) {
    for (const name of claimNames(pod)) {
      const key = objectKey('PersistentVolumeClaim', pod.metadata.namespace, name);
      push(users, key, pod);
    }
  }
  return users;
}

function claimNames(pod: StoredPod): readonly string[] {
  return (pod.spec.volumes ?? []).flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []);
}

/** Whether somebody who may still run needs the claim: what WaitForFirstConsumer waits for. */
export function hasConsumer(world: ClaimWorld, claim: StoredPersistentVolumeClaim): boolean {
  return world.podsUsing(claim).some((pod) => !isTerminated(pod));
}
