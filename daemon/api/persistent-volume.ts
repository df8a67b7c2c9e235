import type { IscsiVolumeSource } from './iscsi.ts';
import type { ObjectMeta, TypedObject } from './meta.ts';
import type { NfsVolumeSource } from './nfs.ts';
import type { VolumeNodeAffinity } from './node-selector.ts';

export type AccessMode = 'ReadWriteOnce' | 'ReadOnlyMany' | 'ReadWriteMany' | 'ReadWriteOncePod';
export type VolumeMode = 'Filesystem' | 'Block';
export type ReclaimPolicy = 'Retain' | 'Delete' | 'Recycle';
export type PersistentVolumePhase = 'Pending' | 'Available' | 'Bound' | 'Released' | 'Failed';

export interface ClaimName {
  readonly namespace: string;
  readonly name: string;
}

/** ObjectReference to a claim; without uid it reserves the volume by name. */
export interface ClaimReference extends ClaimName {
  readonly uid?: string;
}

/** CSIPersistentVolumeSource of core/v1; for loop.moored.dev volumeAttributes are {path}. */
export interface CsiPersistentVolumeSource {
  readonly driver: string;
  readonly volumeHandle: string;
  readonly readOnly?: boolean;
  readonly fsType?: string;
  readonly volumeAttributes?: Readonly<Record<string, string>>;
}

/** LocalVolumeSource of core/v1: a directory, or a block device below /dev. */
export interface LocalVolumeSource {
  readonly path: string;
  readonly fsType?: string;
}

export interface PersistentVolumeSpec {
  readonly capacity: { readonly storage: string };
  readonly accessModes: readonly AccessMode[];
  readonly claimRef?: ClaimReference;
  readonly csi?: CsiPersistentVolumeSource;
  readonly iscsi?: IscsiVolumeSource;
  readonly local?: LocalVolumeSource;
  readonly nfs?: NfsVolumeSource;
  readonly nodeAffinity?: VolumeNodeAffinity;
  readonly volumeMode?: VolumeMode;
  readonly storageClassName?: string;
  readonly mountOptions?: readonly string[];
  readonly persistentVolumeReclaimPolicy?: ReclaimPolicy;
  readonly volumeAttributesClassName?: string;
  readonly [otherSource: string]: unknown;
}

export interface PersistentVolumeStatus {
  readonly phase?: PersistentVolumePhase;
  readonly reason?: string;
  readonly message?: string;
}

export interface PersistentVolume extends TypedObject<'PersistentVolume', PersistentVolumeSpec> {
  readonly status?: PersistentVolumeStatus;
}

export interface StoredPersistentVolume extends PersistentVolume {
  readonly metadata: ObjectMeta;
}

/** The image, device or directory on this machine that a volume is. */
export function dataPathOf({ csi, local }: PersistentVolumeSpec): string | undefined {
  return csi?.volumeAttributes?.['path'] ?? local?.path;
}
