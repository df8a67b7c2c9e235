import type { ObjectMeta, TypedObject } from './meta.ts';
import type { AccessMode, VolumeMode } from './persistent-volume.ts';

export type ClaimPhase = 'Pending' | 'Bound' | 'Lost';

export interface LabelSelectorRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[];
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelSelectorRequirement[];
}

export interface PersistentVolumeClaimSpec {
  readonly accessModes: readonly AccessMode[];
  readonly resources: {
    readonly requests: { readonly storage: string };
    readonly limits?: { readonly storage?: string };
  };
  readonly volumeMode?: VolumeMode;
  /** undefined asks for the default class; '' asks for volumes without a class. */
  readonly storageClassName?: string;
  readonly volumeName?: string;
  readonly selector?: LabelSelector;
  readonly [key: string]: unknown;
}

export interface PersistentVolumeClaimStatus {
  readonly phase?: ClaimPhase;
  readonly accessModes?: readonly AccessMode[];
  readonly capacity?: { readonly storage: string };
}

export interface PersistentVolumeClaim extends TypedObject<'PersistentVolumeClaim', PersistentVolumeClaimSpec> {
  readonly status?: PersistentVolumeClaimStatus;
}

export interface StoredPersistentVolumeClaim extends PersistentVolumeClaim {
  readonly metadata: ObjectMeta;
}
