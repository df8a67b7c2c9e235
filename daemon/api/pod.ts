import type { IscsiVolumeSource } from './iscsi.ts';
import type { ObjectMeta, TypedObject } from './meta.ts';
import type { NfsVolumeSource } from './nfs.ts';
import type { Toleration } from './node.ts';
import type { PodAffinity } from './node-selector.ts';
import type { PersistentVolumeClaimSpec } from './persistent-volume-claim.ts';

/** emptyDir of core/v1: a directory, or a tmpfs with medium Memory, that lives as long as its pod. */
export interface EmptyDirVolumeSource {
  readonly medium?: '' | 'Memory';
  /** A Kubernetes quantity; for medium Memory the tmpfs is limited to it. */
  readonly sizeLimit?: string;
}

export interface PersistentVolumeClaimVolumeSource {
  readonly claimName: string;
  readonly readOnly?: boolean;
}

/** An inline CSI volume; for loop.moored.dev volumeAttributes are {size, fsType}. */
export interface InlineCsiVolumeSource {
  readonly driver: string;
  readonly readOnly?: boolean;
  readonly fsType?: string;
  readonly volumeAttributes?: Readonly<Record<string, string>>;
}

/** A generic ephemeral volume: a claim that is made for the pod and goes with it. */
export interface EphemeralVolumeSource {
  readonly volumeClaimTemplate: {
    readonly metadata?: {
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly spec: PersistentVolumeClaimSpec;
  };
}

/** One entry of spec.volumes: a name and exactly one source. Sources without a plugin are kept under their own key. */
export interface Volume {
  readonly name: string;
  readonly emptyDir?: EmptyDirVolumeSource;
  readonly persistentVolumeClaim?: PersistentVolumeClaimVolumeSource;
  readonly ephemeral?: EphemeralVolumeSource;
  readonly csi?: InlineCsiVolumeSource;
  readonly iscsi?: IscsiVolumeSource;
  readonly nfs?: NfsVolumeSource;
  readonly [otherSource: string]: unknown;
}

export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
  readonly [key: string]: unknown;
}

export interface VolumeDevice {
  readonly name: string;
  readonly devicePath: string;
}

export interface Container {
  readonly name: string;
  readonly volumeMounts?: readonly VolumeMount[];
  readonly volumeDevices?: readonly VolumeDevice[];
  readonly [key: string]: unknown;
}

/** The rest of a legal pod passes through untouched under its own keys. */
export interface PodSpec {
  readonly volumes?: readonly Volume[];
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly ephemeralContainers?: readonly Container[];
  /** The machine that the pod is for; one of another name is not served here. */
  readonly nodeName?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly affinity?: PodAffinity;
  readonly tolerations?: readonly Toleration[];
  readonly [key: string]: unknown;
}

export interface PodStatus {
  readonly phase?: string;
}

export interface Pod extends TypedObject<'Pod', PodSpec> {
  readonly status?: PodStatus;
}

export interface StoredPod extends Pod {
  readonly metadata: ObjectMeta;
}

/** A pod is terminated when its file is gone or its phase says so (DESIGN.md, decisions). */
export function isTerminated(pod: StoredPod): boolean {
  return pod.metadata.deletionTimestamp !== undefined || hasFinished(pod);
}

/** It has ended, and is there still. */
export function hasFinished({ status }: StoredPod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
