import type { ObjectMeta, TypedObject } from './meta.ts';
import type { TopologySelectorTerm } from './node-selector.ts';
import type { ReclaimPolicy } from './persistent-volume.ts';

/** The fields that Kubernetes keeps at the top level of a StorageClass; here under `spec` like every other kind. */
export interface StorageClassSpec {
  readonly provisioner: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly reclaimPolicy?: ReclaimPolicy;
  readonly mountOptions?: readonly string[];
  readonly allowVolumeExpansion?: boolean;
  readonly volumeBindingMode?: 'Immediate' | 'WaitForFirstConsumer';
  readonly allowedTopologies?: readonly TopologySelectorTerm[];
}

export interface StorageClass extends TypedObject<'StorageClass', StorageClassSpec> {}

export interface StoredStorageClass extends StorageClass {
  readonly metadata: ObjectMeta;
}
