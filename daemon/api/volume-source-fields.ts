/**
 * The volume sources of core/v1 and their fields (k8s.io/api/core/v1, 1.36), for those that moored passes through
 * unread. A source without a plugin is legal in a manifest: the volume says so when it is to be mounted.
 */
export type SourceFields = Readonly<Record<string, readonly string[]>>;

const inBoth: SourceFields = {
  awsElasticBlockStore: ['volumeID', 'fsType', 'partition', 'readOnly'],
  azureDisk: ['diskName', 'diskURI', 'cachingMode', 'fsType', 'readOnly', 'kind'],
  cephfs: ['monitors', 'path', 'user', 'secretFile', 'secretRef', 'readOnly'],
  cinder: ['volumeID', 'fsType', 'readOnly', 'secretRef'],
  fc: ['targetWWNs', 'lun', 'fsType', 'readOnly', 'wwids'],
  flexVolume: ['driver', 'fsType', 'secretRef', 'readOnly', 'options'],
  flocker: ['datasetName', 'datasetUUID'],
  gcePersistentDisk: ['pdName', 'fsType', 'partition', 'readOnly'],
  hostPath: ['path', 'type'],
  photonPersistentDisk: ['pdID', 'fsType'],
  portworxVolume: ['volumeID', 'fsType', 'readOnly'],
  quobyte: ['registry', 'volume', 'readOnly', 'user', 'group', 'tenant'],
  rbd: ['monitors', 'image', 'fsType', 'pool', 'user', 'keyring', 'secretRef', 'readOnly'],
  scaleIO: [
    'gateway',
    'system',
    'secretRef',
    'sslEnabled',
    'protectionDomain',
    'storagePool',
    'storageMode',
    'volumeName',
    'fsType',
    'readOnly',
  ],
  vsphereVolume: ['volumePath', 'fsType', 'storagePolicyName', 'storagePolicyID'],
};

/** In spec.volumes of a pod, besides emptyDir, persistentVolumeClaim, ephemeral, csi, iscsi and nfs. */
export const podSourceFields: SourceFields = {
  ...inBoth,
  azureFile: ['secretName', 'shareName', 'readOnly'],
  configMap: ['name', 'items', 'defaultMode', 'optional'],
  downwardAPI: ['items', 'defaultMode'],
  gitRepo: ['repository', 'revision', 'directory'],
  glusterfs: ['endpoints', 'path', 'readOnly'],
  image: ['reference', 'pullPolicy'],
  projected: ['sources', 'defaultMode'],
  secret: ['secretName', 'items', 'defaultMode', 'optional'],
  storageos: ['volumeName', 'volumeNamespace', 'fsType', 'readOnly', 'secretRef'],
};

/** In spec of a PersistentVolume, besides csi, iscsi, local and nfs. */
export const persistentVolumeSourceFields: SourceFields = {
  ...inBoth,
  azureFile: ['secretName', 'shareName', 'readOnly', 'secretNamespace'],
  glusterfs: ['endpoints', 'path', 'readOnly', 'endpointsNamespace'],
  storageos: ['volumeName', 'volumeNamespace', 'fsType', 'readOnly', 'secretRef'],
};
