import { type ObjectKey, objectKey } from '../api/meta.ts';
import type { StoredObject } from '../api/object.ts';
import type { ClaimName, StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { isTerminated, type StoredPod } from '../api/pod.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import type { StoredVolumeSnapshot } from '../api/volume-snapshot.ts';
import type { StoredVolumeSnapshotContent } from '../api/volume-snapshot-content.ts';
import type { VolumeRequest } from '../plan/volume-index.ts';
import type { SchedulingWorld } from '../plan/volume-scheduling.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import type { StorageError } from '../world/storage-error.ts';
import type { ClaimCache } from './claim-cache.ts';

/** What the claim and volume reducers look at. */
export interface ClaimWorld extends ClaimSurroundings {
  readonly classes: readonly StoredStorageClass[];
  claim(namespace: string, name: string): StoredPersistentVolumeClaim | undefined;
  volume(name: string): StoredPersistentVolume | undefined;
  storageClass(name: string): StoredStorageClass | undefined;
  snapshot(namespace: string, name: string): StoredVolumeSnapshot | undefined;
  snapshotContent(name: string): StoredVolumeSnapshotContent | undefined;
  /** The volume to bind, by the rules of plan/volume-index.ts. */
  bestVolumeFor(request: VolumeRequest): StoredPersistentVolume | undefined;
  /** Volumes whose claimRef has the claim's namespace and name. */
  volumesNaming(claim: ClaimName): readonly StoredPersistentVolume[];
  /** Pods that name the claim, also terminating and finished ones: while there is one, the claim is protected. */
  podsUsing(claim: ClaimName): readonly StoredPod[];
}

/** What the reducers ask of others than the store. */
export interface ClaimSurroundings extends Pick<SchedulingWorld, 'nodes' | 'isHere' | 'freeBytes'> {
  /** RFC 3339, for conditions that begin now. */
  readonly now: string;
  /** A pod that has finished does not keep a claim that is to go (upstream: it does). */
  readonly ignoresFinishedPods?: boolean;
  /** Whether a class of this provisioner is served by a plugin here. */
  canProvision(provisioner: string): boolean;
  /** Whether a plugin here made the volume and can make it larger. */
  canExpand(volume: StoredPersistentVolume): boolean;
  /** Whether the volume is attached, or may be. */
  isInUse(volume: StoredPersistentVolume): boolean;
  nodeExpansion(volume: StoredPersistentVolume): NodeExpansion;
  /** Whether what is in the volume can be removed here, safely. */
  canRecycle(volume: StoredPersistentVolume): boolean;
  /** Why the last effect for this object failed, until the next succeeds. */
  failureOf(key: ObjectKey): ControlEvent | undefined;
}

/** How far the growth of a volume is on this machine. */
export interface NodeExpansion {
  /** So large device and filesystem were grown; 0n when they were not, or nothing of the volume is here. */
  readonly expandedBytes: bigint;
  readonly isRunning: boolean;
  /** Why the last try failed, while the next is waited for. */
  readonly error?: string;
}

/** Told of the claim or volume that the step is about. */
export interface ControlEvent {
  readonly reason: ReasonCode;
  /** Where it is another one than the reason's. */
  readonly type?: 'Normal';
  readonly message: string;
  /** What is asked for cannot be done, or was not. */
  readonly error?: StorageError;
}

/** What is to be done next for one claim or volume. */
export type ControlStep =
  | { readonly kind: 'write'; readonly object: StoredObject; readonly event?: ControlEvent }
  /** All or none of them: what a pod needs is given at once. */
  | { readonly kind: 'writeTogether'; readonly objects: readonly StoredObject[] }
  | { readonly kind: 'remove'; readonly key: ObjectKey; readonly resourceVersion: string }
  | {
      readonly kind: 'provision';
      readonly claim: StoredPersistentVolumeClaim;
      readonly storageClass: StoredStorageClass;
    }
  /** The backing data of a released volume goes to the trash, then the object. */
  | { readonly kind: 'delete'; readonly volume: StoredPersistentVolume }
  /** What is in a released volume is removed, then it is free again. */
  | { readonly kind: 'recycle'; readonly volume: StoredPersistentVolume }
  /** The backing data of a bound volume becomes larger, then the volume's capacity. */
  | {
      readonly kind: 'expand';
      readonly claim: StoredPersistentVolumeClaim;
      readonly volume: StoredPersistentVolume;
      /** The new capacity, a quantity. */
      readonly storage: string;
    }
  /** Nothing to do until something changes; the reason is told once. */
  | ({
      readonly kind: 'wait';
      /** Also when what is attached and mounted changes, or now and then, as nothing tells of free space. */
      readonly until?: 'volumesChange' | 'spaceIsFreed';
      /** No event: what is waited for says itself why it is not there. */
      readonly isToldElsewhere?: true;
    } & ControlEvent)
  | { readonly kind: 'settled' };

export const settled: ControlStep = { kind: 'settled' };

/**
 * The store as the reducers see it: always as it is now, so that a claim does not take a volume that another took a step
 * before.
 */
export function claimWorldOf(objects: ObjectStore, cache: ClaimCache, surroundings: ClaimSurroundings): ClaimWorld {
  return {
    get classes() {
      return objects.list('StorageClass');
    },
    claim: (namespace, name) =>
      objects.get(objectKey('PersistentVolumeClaim', namespace, name)) as StoredPersistentVolumeClaim | undefined,
    volume: (name) => objects.get(objectKey('PersistentVolume', '', name)) as StoredPersistentVolume | undefined,
    storageClass: (name) => objects.get(objectKey('StorageClass', '', name)) as StoredStorageClass | undefined,
    snapshot: (namespace, name) =>
      objects.get(objectKey('VolumeSnapshot', namespace, name)) as StoredVolumeSnapshot | undefined,
    snapshotContent: (name) =>
      objects.get(objectKey('VolumeSnapshotContent', '', name)) as StoredVolumeSnapshotContent | undefined,
    bestVolumeFor: (request) => cache.volumes.bestFor(request),
    volumesNaming: (claim) => cache.volumes.naming(claim),
    podsUsing: (claim) => cache.podsUsing(claim),
    ...surroundings,
    // After the spread, which has asked once: time and nodes are those of the moment that a step asks.
    get now() {
      return surroundings.now;
    },
    get nodes() {
      return surroundings.nodes;
    },
  };
}

/** Who may still run and needs the claim: what WaitForFirstConsumer waits for. */
export function consumersOf(world: ClaimWorld, claim: StoredPersistentVolumeClaim): readonly StoredPod[] {
  return world.podsUsing(claim.metadata).filter((pod) => !isTerminated(pod));
}
