/** Terms that choose nodes by their labels (k8s.io/api/core/v1). */

export interface NodeSelectorRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  readonly values?: readonly string[];
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly NodeSelectorRequirement[];
  /** Over fields of the node; there is one, metadata.name. */
  readonly matchFields?: readonly NodeSelectorRequirement[];
}

/** Terms are ORed; a list without terms matches no node. */
export interface NodeSelector {
  readonly nodeSelectorTerms: readonly NodeSelectorTerm[];
}

/** Of a PersistentVolume: the nodes that can reach it. */
export interface VolumeNodeAffinity {
  readonly required: NodeSelector;
}

/** Of a StorageClass: where its new volumes may be. */
export interface TopologySelectorTerm {
  readonly matchLabelExpressions?: readonly { readonly key: string; readonly values: readonly string[] }[];
}

/** Of a pod, as far as it is read: what is only preferred asks nothing of a machine that is the only one. */
export interface PodAffinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: NodeSelector;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}
