import type { ReasonCode } from './reasons/reason-table.ts';
import type { StorageError } from './storage-error.ts';
import type { UniqueVolumeName } from './unique-volume-name.ts';
import type { PodMount, VolumeRecipe } from './volume-recipe.ts';
import type { PodReference } from './volume-record.ts';

/** One pod's wish for one volume. */
export interface PodToMount {
  readonly pod: PodReference;
  readonly specName: string;
  /** Names in pod.spec.volumes: two names for one claim share one mount. */
  readonly outerNames: readonly string[];
  readonly targetPath: string;
  readonly mount: PodMount;
}

/**
 * How large a volume shall be, beside its recipe and not in it: a changed recipe holds the volume, a larger size grows it
 * (kubelet: persistentVolumeSize).
 */
export interface VolumeSize {
  /** Name of the PersistentVolume. */
  readonly persistentVolume: string;
  /** spec.capacity of the volume, in bytes. */
  readonly desiredBytes: bigint;
  /** status.capacity of its claim, in bytes: so large the filesystem is known to be. */
  readonly claimBytes: bigint;
}

export interface VolumeToMount {
  readonly name: UniqueVolumeName;
  readonly plugin: string;
  readonly recipe: VolumeRecipe;
  /** Absent for inline volumes and for read-only ones, which do not grow. */
  readonly size?: VolumeSize;
  /** Who it is for, in words: "claim default/data", "pod default/web". */
  readonly subject: string;
  /** By pod uid. */
  readonly pods: ReadonlyMap<string, PodToMount>;
}

/** Why one volume of a pod could not be resolved; the pod's mounts are held as they are meanwhile. */
export interface PodVolumeError {
  readonly pod: PodReference;
  readonly volume: string;
  readonly reason: ReasonCode & ('ClaimNotBound' | 'VolumeNotResolved' | 'FailedScheduling' | 'OtherNode');
  readonly error: StorageError;
}

/** What should be mounted. Written by the populator only; immutable. */
export interface DesiredStateOfWorld {
  readonly volumes: ReadonlyMap<UniqueVolumeName, VolumeToMount>;
  /** By pod uid: pods of which not every volume could be resolved. Nothing of theirs is unmounted. */
  readonly errors: ReadonlyMap<string, readonly PodVolumeError[]>;
  /** False until every source was read once: until then nothing is unmounted (kubelet: readyToUnmount). */
  readonly complete: boolean;
}

export const emptyDesiredStateOfWorld: DesiredStateOfWorld = { volumes: new Map(), errors: new Map(), complete: false };
