import type { ObjectMeta, TypedObject } from './meta.ts';
import type { LabelSelector, PersistentVolumeClaimSpec } from './persistent-volume-claim.ts';
import type { PodSpec } from './pod.ts';

interface TemplateMeta {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface PodTemplate {
  readonly metadata?: TemplateMeta;
  readonly spec: PodSpec;
}

/** A claim as a StatefulSet makes it for each of its pods; its name is that of the volume. */
export interface ClaimTemplate {
  readonly metadata: TemplateMeta & { readonly name: string };
  readonly spec: PersistentVolumeClaimSpec;
}

export type ClaimRetention = 'Retain' | 'Delete';

/** StatefulSetSpec of apps/v1: what concerns storage and order; the rest passes through. */
export interface StatefulSetSpec {
  readonly replicas?: number;
  readonly selector: LabelSelector;
  readonly serviceName?: string;
  readonly template: PodTemplate;
  readonly volumeClaimTemplates?: readonly ClaimTemplate[];
  readonly podManagementPolicy?: 'OrderedReady' | 'Parallel';
  readonly updateStrategy?: {
    readonly type?: 'RollingUpdate' | 'OnDelete';
    readonly rollingUpdate?: { readonly partition?: number };
  };
  readonly persistentVolumeClaimRetentionPolicy?: {
    readonly whenDeleted?: ClaimRetention;
    readonly whenScaled?: ClaimRetention;
  };
  readonly ordinals?: { readonly start?: number };
  /** KEP-4650: whether claims that exist follow their template. */
  readonly volumeClaimUpdatePolicy?: 'OnClaimDelete' | 'InPlace';
  readonly [key: string]: unknown;
}

export interface StatefulSet extends TypedObject<'StatefulSet', StatefulSetSpec> {}

export interface StoredStatefulSet extends StatefulSet {
  readonly metadata: ObjectMeta;
}
