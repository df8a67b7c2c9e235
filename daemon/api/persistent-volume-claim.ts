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

/** What a claim's volume is to be made of: TypedObjectReference of core/v1. */
export interface DataSource {
  /** Absent: the core group. */
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
  /** Of a dataSourceRef only; absent is the claim's own. */
  readonly namespace?: string;
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
  readonly dataSource?: DataSource;
  readonly dataSourceRef?: DataSource;
  readonly volumeAttributesClassName?: string;
  readonly [key: string]: unknown;
}

/** Where a growth is, between the request and the capacity (core/v1: ClaimResourceStatus). */
export type ClaimResourceStatus = 'ControllerResizeInProgress' | 'NodeResizePending' | 'NodeResizeInProgress';

export type ClaimConditionType = 'Resizing' | 'FileSystemResizePending' | 'ControllerResizeError' | 'NodeResizeError';

export interface ClaimCondition {
  readonly type: ClaimConditionType;
  readonly status: 'True';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

export interface PersistentVolumeClaimStatus {
  readonly phase?: ClaimPhase;
  readonly accessModes?: readonly AccessMode[];
  readonly capacity?: { readonly storage: string };
  /** The class of the volume when the claim was bound. */
  readonly currentVolumeAttributesClassName?: string;
  /** The size that the volume is being grown to, or was last. */
  readonly allocatedResources?: { readonly storage: string };
  readonly allocatedResourceStatuses?: { readonly storage: ClaimResourceStatus };
  /** Only those that hold: one that is over is taken away, as upstream does. */
  readonly conditions?: readonly ClaimCondition[];
}

export interface PersistentVolumeClaim extends TypedObject<'PersistentVolumeClaim', PersistentVolumeClaimSpec> {
  readonly status?: PersistentVolumeClaimStatus;
}

export interface StoredPersistentVolumeClaim extends PersistentVolumeClaim {
  readonly metadata: ObjectMeta;
}
