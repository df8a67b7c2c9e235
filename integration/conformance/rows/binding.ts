import type { Area } from '../row.ts';

const decode = 'daemon/api/decode.test.ts';
const mainJob = 'integration/main-job.test.ts';

export const volumePhases: Area = {
  title: 'Phases of a PersistentVolume',
  rows: [
    {
      id: 'V00',
      says: 'Volumes have a queue of their own; their phase is an output of it.',
      tests: ['pv/10-own-2 (B011)'],
    },
    { id: 'V01', says: 'A new volume is Available.', tests: ['pv/4-1', 'pv/4-2', 'pv/10-1'] },
    { id: 'V02', says: 'A volume that a claim is bound to is Bound.', tests: ['pv/1-1', 'pv/4-6'] },
    {
      id: 'V03',
      says: 'A volume whose claim is gone, or is another one of that name, is Released.',
      tests: ['pv/4-3', 'pv/4-4'],
    },
    { id: 'V04', says: 'A recycled volume is Available again.', tests: ['pv/6-1', 'pv/6-2'] },
    {
      id: 'V05',
      says: 'A volume whose claimRef was removed is Available, whatever it was.',
      tests: ['pv/4-own-1 (V05)'],
    },
    { id: 'V06', says: 'A reclaim policy that is not known makes the volume Failed.', tests: ['pv/6-10'] },
    {
      id: 'V07',
      says: 'A recycle that fails makes the volume Failed, and is tried again.',
      tests: ['pv/6-4, 6-5', 'pv/6-own-1 (V04, V07)'],
    },
    {
      id: 'V08',
      says: 'A delete that fails makes the volume Failed, and is tried again.',
      tests: ['pv/8-5', 'pv/9-1', 'pv/4-10'],
    },
    {
      id: 'V09',
      says: 'Provisioned, bound, released, and reclaimed by its policy.',
      tests: ['pv/11-1', 'pv/8-1', `${mainJob} > puts the image into the trash once nothing uses it`],
    },
  ],
};

export const claimPhases: Area = {
  title: 'Phases of a PersistentVolumeClaim',
  rows: [
    {
      id: 'P00',
      says: 'Claims have a queue of their own; a volume that goes wakes its claim and the other way round.',
      tests: ['pv/10-own-3 (B011)', 'pv/10-own-2 (B011)'],
    },
    {
      id: 'P01',
      says: 'A claim that no volume satisfies is Pending, with the reason.',
      tests: ['pv/1-2', 'pv/1-3', 'pv/1-12'],
    },
    {
      id: 'P02',
      says: 'A claim is Bound when its four writes are done.',
      tests: ['pv/1-1', "daemon/controllers/claim-controller.test.ts > binds in upstream's order"],
    },
    { id: 'P03', says: 'A claim whose volume is gone is Lost.', tests: ['pv/3-1', 'pv/3-2', 'pv/10-own-3 (B011)'] },
    {
      id: 'P04',
      says: 'A Lost claim is Bound again when a volume of that name comes back that is free or its own.',
      tests: ['pv/3-own-1 (P04, Z07)', 'pv/3-own-2 (P04, Z07)', 'pv/3-own-3 (Z07)'],
    },
  ],
};

export const delayedBinding: Area = {
  title: 'Delayed binding',
  rows: [
    { id: 'D01', says: 'A claim with a selected node is not delayed.', tests: ['sch/provisioned,selected'] },
    { id: 'D02', says: 'A claim without a class is not delayed.', tests: ['pv/1-1'] },
    {
      id: 'D03',
      says: 'A class that waits for the first consumer binds nothing but a reservation before it.',
      tests: ['pv/1-13', 'pv/1-14'],
    },
    { id: 'D04', says: 'A class with mode Immediate binds at once.', tests: ['pv/11-1', 'pv/13-1'] },
  ],
};

export const matching: Area = {
  title: 'The best volume for a claim',
  rows: [
    { id: 'M01', says: 'volumeMode must be equal; none is Filesystem.', tests: ['pv/14-1, 14-2', 'pv/14-3, 14-4'] },
    {
      id: 'M02',
      says: 'A volume of another claim is not seen.',
      tests: ['idx/MatchVolume reserved for another', 'pv/1-7'],
    },
    { id: 'M03', says: 'Only a volume in phase Available is taken.', tests: ['pv/1-17'] },
    {
      id: 'M04',
      says: 'Its labels must satisfy the selector, unless it is named or reserved.',
      tests: ['pv/1-11', 'pv/1-12', 'pv/2-8', 'daemon/plan/claim-matching.test.ts > selector %j on tier=db'],
    },
    {
      id: 'M05',
      says: 'Its class must be equal; none is "".',
      tests: ['pv/13-1', 'pv/13-2, 13-3', 'pv/13-4', 'pv/13-5'],
    },
    {
      id: 'M06',
      says: 'The smallest that is large enough wins, of equals the name that sorts first.',
      tests: ['pv/1-4', 'idx/MatchVolume smallest', 'idx/MatchVolume ties'],
    },
    {
      id: 'M07',
      says: 'Without classes size and access modes decide.',
      tests: ['idx/MatchVolume modes', 'idx/MatchVolume smallest'],
    },
  ],
};

export const bind: Area = {
  title: 'The bind, in this order',
  rows: [
    {
      id: 'B01',
      says: "First the volume's claimRef, with the claim's uid.",
      tests: ["daemon/controllers/claim-controller.test.ts > binds in upstream's order", 'pv/1-8'],
    },
    {
      id: 'B02',
      says: "Then the volume's phase.",
      tests: ["daemon/controllers/claim-controller.test.ts > binds in upstream's order", 'pv/1-9'],
    },
    {
      id: 'B03',
      says: 'The volume is marked bound-by-controller, in the first write, unless somebody had reserved it.',
      tests: ['pv/1-1', 'pv/1-5', 'pv/2-4'],
    },
    {
      id: 'B04',
      says: "Third the claim's volumeName.",
      tests: ["daemon/controllers/claim-controller.test.ts > binds in upstream's order", 'pv/1-10'],
    },
    {
      id: 'B05',
      says: "Fourth the claim's phase, with capacity and modes of the volume.",
      tests: ["daemon/controllers/claim-controller.test.ts > binds in upstream's order", 'pv/1-5'],
    },
    {
      id: 'B06',
      says: 'The claim is marked bind-completed with its volumeName, and bound-by-controller unless the user named the volume.',
      tests: ['pv/1-1', 'pv/1-15', 'pv/2-3'],
    },
  ],
};

export const provisioning: Area = {
  title: 'Provisioning',
  rows: [
    {
      id: 'N01',
      says: 'A volume that is there is looked for first; only without a match one is made.',
      tests: ['pv/11-6'],
    },
    {
      id: 'N02',
      says: 'kubernetes.io/ names a plugin of this process; any other name that has none here is an external program.',
      tests: ['pv/11-17', 'pv/11-18'],
    },
    {
      id: 'N03',
      says: 'The claim is annotated with its provisioner before anything is made, under both keys.',
      tests: [
        'pv/11-1',
        'pv/11-17',
        'daemon/controllers/claim-controller.test.ts > pv/11-1: marks the claim before anything is made',
      ],
    },
    {
      id: 'N04',
      says: 'A plugin that can make volumes says so and says what to make.',
      tests: ['plugins/loop/plugin.test.ts > provision'],
    },
    {
      id: 'N05',
      says: "Provisioning ends in a PersistentVolume named after the claim's uid.",
      tests: ['pv/11-1', 'pv/11-7'],
    },
    { id: 'N06', says: 'It is born with claimRef, class, bound-by-controller and provisioned-by.', tests: ['pv/11-1'] },
    { id: 'N07', says: 'A claim that names a volume is not provisioned for.', tests: ['pv/2-1'] },
    {
      id: 'N08',
      says: 'Only claims whose provisioner is here are served; of others nothing is made.',
      tests: ['pv/11-17'],
    },
    {
      id: 'N09',
      says: 'volumeMode Block gives a volume that is never formatted.',
      tests: ['integration/volume-kinds.test.ts > gives the pod the raw device, never formatted'],
    },
    {
      id: 'N10',
      says: 'CreateVolume of a CSI driver by gRPC.',
      tests: [],
      why: 'Needs T05. A class of such a driver waits for it: X05.',
    },
    {
      id: 'N11',
      says: 'A volume that an external provisioner made with a claimRef is bound to its claim.',
      tests: ['pv/10-own-4 (R01, Z09)'],
    },
  ],
};

export const reclaim: Area = {
  title: 'Reclaim',
  rows: [
    { id: 'R01', says: 'The end of a claim makes its volume Released.', tests: ['pv/4-3'] },
    {
      id: 'R02',
      says: 'Retain keeps data and object for ever.',
      tests: ['pv/4-own-2 (R02)', `${mainJob} > are undone in order when the file goes`],
    },
    {
      id: 'R03',
      says: 'Delete puts the data of a volume that was made here away, then the object.',
      tests: ['pv/8-1', 'pv/8-own-4 (B076)', `${mainJob} > puts the image into the trash once nothing uses it`],
    },
    { id: 'R04', says: 'A volume of an external provisioner is left to it.', tests: ['pv/8-12', 'pv/8-10-1'] },
    {
      id: 'R05',
      says: 'Delete removes the data from use; it stays in a trash until somebody empties that.',
      tests: [`${mainJob} > puts the image into the trash once nothing uses it`],
    },
    {
      id: 'R06',
      says: 'Recycle empties the directory of a local volume and makes it Available; upstream does it for hostPath and NFS.',
      tests: ['pv/6-1', 'pv/6-own-2', 'integration/recycle.test.ts > empties the directory once nothing uses it'],
    },
  ],
};

export const decisions: Area = {
  title: 'Where the sources are dated or silent: what moored does',
  rows: [
    {
      id: 'Z01',
      says: 'moored attaches itself.',
      tests: [`${mainJob} > become an image, a loop device, one global mount and a bind`],
    },
    {
      id: 'Z02',
      says: 'The device is mounted below plugins/, and bound into the directory of each pod.',
      tests: [`${mainJob} > become an image, a loop device, one global mount and a bind`],
    },
    {
      id: 'Z03',
      says: 'A pod that has ended keeps no volume; there is no label that would keep it.',
      tests: ['integration/restart.test.ts > a pod that was deleted is unmounted at the next start'],
    },
    {
      id: 'Z04',
      says: 'Both annotations of the provisioner are written, and a claim counts as marked only with both.',
      tests: ['pv/11-1', 'pv/11-17'],
    },
    {
      id: 'Z05',
      says: 'The beta keys of zone and region are aliases.',
      tests: [
        'integration/topology.test.ts > is held against a node of which settings and manifest tell, in either spelling',
      ],
    },
    {
      id: 'Z06',
      says: 'Access modes (fewest first), capacity, deletion and attributes class count too; a reserved volume wins at once, whatever its class.',
      tests: [
        'idx/MatchVolume fewest modes first',
        'idx/MatchVolume deletion',
        'idx/MatchVolume attributes class',
        'pv/1-5',
        'pv/13-own-1',
      ],
    },
    {
      id: 'Z07',
      says: 'A Lost claim comes back with a volume of that name that is free, or names it; else it stays Lost.',
      tests: ['pv/3-own-1 (P04, Z07)', 'pv/3-own-2 (P04, Z07)', 'pv/3-own-3 (Z07)'],
    },
    {
      id: 'Z08',
      says: 'ReadWriteOnce is for one node, ReadWriteOncePod for one pod. Recycle is for local directories only.',
      tests: ['pv/6-3', 'pv/6-1'],
    },
    {
      id: 'Z09',
      says: 'A volume of an external provisioner is bound without the mark bound-by-controller.',
      tests: ['pv/10-own-4 (R01, Z09)'],
    },
    { id: 'Z10', says: 'The class of the beta annotation beats the field.', tests: ['pv/11-own-3 (Z10)', 'pv/15-6'] },
    {
      id: 'Z11',
      says: 'Snapshots are those of snapshot.storage.k8s.io/v1.',
      tests: ['daemon/api/volume-snapshot-schemas.test.ts > '],
    },
    {
      id: 'Z12',
      says: 'A mount of a volume that is not declared is refused by name.',
      tests: [`${decode} > a mount of no volume`],
    },
    {
      id: 'Z13',
      says: 'The bind is four writes, each of which may be the last before a crash.',
      tests: [
        "daemon/controllers/claim-controller.test.ts > binds in upstream's order",
        'daemon/controllers/claim-controller.test.ts > %s converges to the same',
      ],
    },
    {
      id: 'Z14',
      says: 'emptyDir has medium Memory and a limit.',
      tests: ['integration/volume-kinds.test.ts > with medium Memory is a tmpfs of the limit'],
    },
  ],
};
