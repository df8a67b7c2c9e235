import type { Reason } from './reason.ts';

/** About snapshots, their contents, and volumes that are made of snapshots or of other claims. */
export const snapshotReasons = {
  CreatingSnapshot: { type: 'Normal', means: 'The snapshot is being taken.', help: ['moorctl get vs,vsc'] },
  SnapshotReady: { type: 'Normal', means: 'The snapshot is there; volumes can be made of it.', help: [] },
  SnapshotCreated: {
    type: 'Normal',
    means: 'The copy that a snapshot is was made; the message says how and how long writers waited.',
    help: [],
  },
  SnapshotCreationFailed: {
    type: 'Warning',
    means: 'The copy that a snapshot is could not be made; what was begun of it is gone, and it is tried again.',
    help: ['is there room? df -h', 'moorctl describe vsc NAME'],
  },
  SnapshotContentCreationFailed: {
    type: 'Warning',
    means: 'The snapshot cannot be begun: its claim, its volume or its class is not as it must be.',
    help: ['moorctl get pvc,vsclass', 'change what the message names; it is then tried again by itself'],
  },
  SetDefaultSnapshotClassFailed: {
    type: 'Warning',
    means: 'The snapshot names no class, and not exactly one class of its driver is marked as default.',
    help: [
      'set spec.volumeSnapshotClassName',
      'or mark one class: snapshot.storage.kubernetes.io/is-default-class: "true"',
      'moorctl get vsclass',
    ],
  },
  SnapshotContentMissing: {
    type: 'Warning',
    means: 'The content that the snapshot is bound to, or names, does not exist.',
    help: ['moorctl get vsc', 'declare the content, with its snapshotHandle, or delete the snapshot'],
  },
  SnapshotContentMismatch: {
    type: 'Warning',
    means: 'The content that the snapshot names is one that takes a snapshot, not one that has one.',
    help: ['set spec.source.snapshotHandle of the content'],
  },
  SnapshotContentMisbound: {
    type: 'Warning',
    means: 'The content that the snapshot names belongs to another snapshot.',
    help: ['moorctl describe vsc NAME', 'make a content of its own for the snapshot'],
  },
  SnapshotMisbound: {
    type: 'Warning',
    means: "The snapshot's content belongs to another snapshot.",
    help: ['moorctl describe vsc NAME', 'delete the snapshot and make a new one'],
  },
  SnapshotDeletePending: {
    type: 'Normal',
    means: 'The snapshot is being deleted and stays until the claims that are to be made of it are bound.',
    help: ['moorctl explain pvc/NAME', 'or delete the claim that is named'],
  },
  SnapshotContentInUse: {
    type: 'Normal',
    means: 'The content is being deleted and stays until its snapshot is.',
    help: ['remove the snapshot that is named'],
  },
  SnapshotDeleteError: {
    type: 'Warning',
    means: 'The snapshot is deleted and its data could not be put into the trash.',
    help: ['moorctl describe vsc NAME', 'to keep the data instead: deletionPolicy: Retain'],
  },
  SnapshotDeleted: {
    type: 'Normal',
    means: 'The snapshot was deleted; its data is in the trash.',
    help: ['moorctl orphans lists the trash'],
  },
  Provisioning: {
    type: 'Normal',
    means: 'The volume of the claim is being made: data is copied, and how far it is the message says.',
    help: [],
  },
  UnrecognizedDataSourceKind: {
    type: 'Warning',
    means:
      'The claim is to be made of something that moored does not know; an empty volume would not be what is asked.',
    help: [
      'known are VolumeSnapshot (apiGroup snapshot.storage.k8s.io) and PersistentVolumeClaim',
      'delete the claim and make it anew without dataSource, or with another one',
    ],
  },
  FilesystemNotThawed: {
    type: 'Warning',
    means: 'A filesystem that was frozen for a snapshot may still be frozen: whoever writes to it waits.',
    help: ['moored tries again by itself', 'fsfreeze --unfreeze PATH'],
  },
} as const satisfies Readonly<Record<string, Reason>>;
