/** Annotations and finalizers, spelled as upstream spells them, and our own few. */
export const annotations = {
  boundByController: 'pv.kubernetes.io/bound-by-controller',
  bindCompleted: 'pv.kubernetes.io/bind-completed',
  provisionedBy: 'pv.kubernetes.io/provisioned-by',
  storageProvisioner: 'volume.kubernetes.io/storage-provisioner',
  betaStorageProvisioner: 'volume.beta.kubernetes.io/storage-provisioner',
  betaStorageClass: 'volume.beta.kubernetes.io/storage-class',
  /** Of a volume whose filesystem is still to be grown: what its claim's capacity was before. */
  preResizeCapacity: 'volume.alpha.kubernetes.io/pre-resize-capacity',
  /** Of a claim: the node that its volume is to be made on. */
  selectedNode: 'volume.kubernetes.io/selected-node',
  isDefaultClass: 'storageclass.kubernetes.io/is-default-class',
  betaIsDefaultClass: 'storageclass.beta.kubernetes.io/is-default-class',
  isDefaultSnapshotClass: 'snapshot.storage.kubernetes.io/is-default-class',
  /** Of a content: from the intent to take its snapshot until it is there, so that one that comes late is not lost. */
  snapshotBeingCreated: 'snapshot.storage.kubernetes.io/volumesnapshot-being-created',
  /** Of a content: where its copy is being made, for whoever has to take it away when its volume is gone. */
  snapshotHandle: 'moored.dev/snapshot-handle',
  /** Of a content: its snapshot was seen, and is gone. */
  snapshotBeingDeleted: 'snapshot.storage.kubernetes.io/volumesnapshot-being-deleted',
  allowVolumeModeChange: 'snapshot.storage.kubernetes.io/allow-volume-mode-change',
  /** Of a content: how its snapshot was taken. */
  snapshotMethod: 'moored.dev/snapshot-method',
  snapshotConsistency: 'moored.dev/snapshot-consistency',
  snapshotFrozenMs: 'moored.dev/snapshot-frozen-ms',
  /** Of a volume: "not-enforced" where nothing keeps what is written from being more than its capacity. */
  capacity: 'moored.dev/capacity',
  /** File in the manifest directory that declares the object; objects that the daemon made have none. */
  manifest: 'moored.dev/manifest',
} as const;

export const finalizers = {
  pvcProtection: 'kubernetes.io/pvc-protection',
  pvProtection: 'kubernetes.io/pv-protection',
  /** Of a provisioned volume with policy Delete: its data goes before its object does. */
  externalProvisioner: 'external-provisioner.volume.kubernetes.io/finalizer',
  /** A pod's object stays until none of its volumes is mounted any more. */
  podVolumes: 'moored.dev/volumes',
  /** While a claim that waits is to be made of the snapshot. */
  snapshotAsSource: 'snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection',
  snapshotBound: 'snapshot.storage.kubernetes.io/volumesnapshot-bound-protection',
  contentBound: 'snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection',
  /** While a snapshot of the claim is being taken. */
  pvcAsSource: 'snapshot.storage.kubernetes.io/pvc-as-source-protection',
  /** While a clone of the claim is being made (external-provisioner). */
  cloneProtection: 'provisioner.storage.kubernetes.io/cloning-protection',
  /** What an object owns goes before it does (apimachinery: FinalizerDeleteDependents). */
  foregroundDeletion: 'foregroundDeletion',
} as const;

/** Labels of the pods of a StatefulSet, as upstream's controller writes them. */
export const statefulSetLabels = {
  podName: 'statefulset.kubernetes.io/pod-name',
  podIndex: 'apps.kubernetes.io/pod-index',
} as const;

/** Annotations that the daemon writes: a manifest that does not have them does not take them away. */
export const controllerAnnotations: ReadonlySet<string> = new Set([
  annotations.boundByController,
  annotations.bindCompleted,
  annotations.provisionedBy,
  annotations.storageProvisioner,
  annotations.betaStorageProvisioner,
  annotations.preResizeCapacity,
  annotations.snapshotBeingCreated,
  annotations.snapshotBeingDeleted,
  annotations.snapshotHandle,
  annotations.snapshotMethod,
  annotations.snapshotConsistency,
  annotations.snapshotFrozenMs,
  annotations.selectedNode,
]);
