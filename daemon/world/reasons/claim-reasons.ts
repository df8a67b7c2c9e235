import type { Reason } from './reason.ts';

/** About claims and volumes as objects: binding, provisioning, reclaim. */
export const claimReasons = {
  FailedBinding: {
    type: 'Normal',
    means: 'No volume fits the claim, and none is made for it.',
    help: ['moorctl explain pvc/NAME lists each volume and what excludes it', 'moorctl get pv,sc'],
  },
  VolumeMismatch: {
    type: 'Warning',
    means: 'The volume that the claim names does not fit it.',
    help: ['change the claim or the volume in the point that is named: moorctl get pv'],
  },
  WaitForFirstConsumer: {
    type: 'Normal',
    means: 'The class binds a claim only when a pod uses it.',
    help: ['add a pod that uses the claim'],
  },
  WaitForPodScheduled: {
    type: 'Normal',
    means: 'The class binds a claim when a pod that uses it has a node, and the pod that is named has none.',
    help: ['moorctl explain pod/NAME says why'],
  },
  ProvisioningFailed: {
    type: 'Warning',
    means: 'The volume for the claim could not be made.',
    help: [
      'is the class there, and right? moorctl get sc',
      'is there room? df -h; moorctl get trash; pool in moored.yaml',
    ],
  },
  ExternalProvisioning: {
    type: 'Normal',
    means: 'The class names a provisioner that moored does not have; another program is to make the volume.',
    help: ['is the name right? moorctl get sc', 'or declare a PersistentVolume by hand'],
  },
  ProvisioningSucceeded: { type: 'Normal', means: 'The volume for the claim was made.', help: [] },
  Resizing: { type: 'Normal', means: 'The volume of the claim is being grown.', help: [] },
  FileSystemResizeRequired: {
    type: 'Normal',
    means: 'The image or device is larger; the filesystem follows when it is mounted.',
    help: ['moorctl explain pvc/NAME'],
  },
  VolumeResizeSuccessful: { type: 'Normal', means: 'The volume of the claim was grown.', help: [] },
  ClaimInUse: {
    type: 'Normal',
    means: 'The claim is being deleted and stays until no pod names it that is here or may come to be here.',
    help: ['remove the pods that are named'],
  },
  FinalizersLeft: {
    type: 'Normal',
    means: 'The object is being deleted, and a finalizer that is not of this controller keeps it.',
    help: ['whoever put the finalizer there takes it away; the message names it'],
  },
  ClaimLost: {
    type: 'Warning',
    means: 'The volume that the claim is bound to does not exist any more.',
    help: ['declare the volume again under the same name: moorctl get pv', 'or delete the claim and make a new one'],
  },
  ClaimMisbound: {
    type: 'Warning',
    means: 'The volume that the claim is bound to belongs to another claim.',
    help: ['moorctl get pv', 'delete the claim and make a new one; the data stays with the other claim'],
  },
  VolumeInUse: {
    type: 'Normal',
    means: 'The volume is to be deleted and is still attached.',
    help: ['moorctl get asw'],
  },
  VolumeFailedDelete: {
    type: 'Warning',
    means: 'The volume was released, and its data could not be deleted: the volume is Failed.',
    help: ['moorctl describe pv NAME', 'to keep the data instead: persistentVolumeReclaimPolicy: Retain'],
  },
  ExternalDeleting: {
    type: 'Normal',
    means: 'The volume was released; the program that provisioned it is to delete it.',
    help: ['to keep the data instead: persistentVolumeReclaimPolicy: Retain'],
  },
  VolumeFailedRecycle: {
    type: 'Warning',
    means: 'The volume was released, and what is in it could not be removed.',
    help: [
      'moorctl describe pv NAME says why: only the directory of a local volume is emptied',
      'to keep the data instead: persistentVolumeReclaimPolicy: Retain',
    ],
  },
  VolumeRecycled: { type: 'Normal', means: 'What was in the volume is removed: it is free again.', help: [] },
  VolumeUnknownReclaimPolicy: {
    type: 'Warning',
    means: 'The reclaim policy of the volume is none that moored knows: the volume is Failed, its data is kept.',
    help: ['persistentVolumeReclaimPolicy is one of Retain, Delete, Recycle'],
  },
  VolumeDeleted: {
    type: 'Normal',
    means: 'The volume was deleted; its image or directory is in the trash.',
    help: ['moorctl get trash', 'moorctl undelete NAME brings it back'],
  },
  VolumeUndeleted: { type: 'Normal', means: 'A deleted volume was brought back from the trash.', help: [] },
  VolumeReleased: { type: 'Normal', means: 'The claim of a released volume was taken off it by hand.', help: [] },
  VolumeAdopted: { type: 'Normal', means: 'A volume was reserved for a claim by hand.', help: [] },
  VolumeRecovered: {
    type: 'Normal',
    means: 'The object of a volume was made anew from the record beside its image or directory.',
    help: [],
  },
  TrashEmptied: {
    type: 'Normal',
    means: 'A deleted volume was in the trash for trash.grace and was removed.',
    help: [],
  },
} as const satisfies Readonly<Record<string, Reason>>;
