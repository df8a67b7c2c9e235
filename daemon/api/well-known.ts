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
  isDefaultClass: 'storageclass.kubernetes.io/is-default-class',
  betaIsDefaultClass: 'storageclass.beta.kubernetes.io/is-default-class',
  /** File in the manifest directory that declares the object; objects that the daemon made have none. */
  manifest: 'moored.dev/manifest',
} as const;

export const finalizers = {
  pvcProtection: 'kubernetes.io/pvc-protection',
  pvProtection: 'kubernetes.io/pv-protection',
  /** A pod's object stays until none of its volumes is mounted any more. */
  podVolumes: 'moored.dev/volumes',
} as const;

/** Annotations that the daemon writes: a manifest that does not have them does not take them away. */
export const controllerAnnotations: ReadonlySet<string> = new Set([
  annotations.boundByController,
  annotations.bindCompleted,
  annotations.provisionedBy,
  annotations.storageProvisioner,
  annotations.betaStorageProvisioner,
  annotations.preResizeCapacity,
]);
