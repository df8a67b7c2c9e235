import type { Area } from '../row.ts';

const snapshotSamples = 'integration/snapshots.test.ts > x08, x09, x10 and x13';

export const examples: Area = {
  title: 'Examples that run',
  rows: [
    {
      id: 'X01',
      says: 'A static NFS volume of 10Gi that retains.',
      tests: ['integration/vm/nfs.test.ts > mounts a PersistentVolume with its options'],
    },
    { id: 'X02', says: 'A claim without a class binds it.', tests: ['pv/x-1 (X01, X02, X03)'] },
    {
      id: 'X03',
      says: 'The table of claims, with access modes in short.',
      tests: ['integration/control/moorctl.test.ts > get pvc'],
    },
    {
      id: 'X04',
      says: 'A pod that mounts it.',
      tests: ['integration/vm/nfs.test.ts > mounts a PersistentVolume with its options'],
    },
    { id: 'X05', says: 'A class of an external provisioner, with mount options.', tests: ['pv/x-2 (X05, X06)'] },
    {
      id: 'X06',
      says: 'A claim with both spellings of its class: the annotation wins.',
      tests: ['pv/x-2 (X05, X06)', 'pv/11-own-3 (Z10)'],
    },
    { id: 'X07', says: 'The table of volumes.', tests: ['integration/control/moorctl.test.ts > get pv'] },
    { id: 'X08', says: 'A snapshot class.', tests: [snapshotSamples] },
    { id: 'X09', says: 'A snapshot of a claim.', tests: [snapshotSamples] },
    { id: 'X10', says: 'A claim made of a snapshot.', tests: [snapshotSamples] },
    {
      id: 'X11',
      says: 'A local volume with a class that provisions none and waits.',
      tests: ['integration/topology.test.ts > is bound when the pod has its node, and is the directory of that node'],
    },
    {
      id: 'X12',
      says: 'A class with topologies.',
      tests: ['integration/topology.test.ts > goes from Pending to Ready once the class allows the zone'],
    },
    { id: 'X13', says: 'The whole life of a snapshot.', tests: [snapshotSamples] },
    {
      id: 'X14',
      says: 'A pod that waits for a topology, and runs when the class is changed.',
      tests: ['integration/topology.test.ts > goes from Pending to Ready once the class allows the zone'],
    },
    {
      id: 'X15',
      says: 'A StatefulSet with a claim template.',
      tests: ['integration/stateful-set.test.ts > X15: the mysql StatefulSet'],
    },
    {
      id: 'X16',
      says: 'A pod with an init container that shares a volume.',
      tests: ['integration/stateful-set.test.ts > X16: the init container and nginx share one volume'],
    },
    { id: 'X17', says: 'Two classes over one storage, chosen by annotation.', tests: ['pv/x-3 (X17)'] },
    {
      id: 'X18',
      says: 'A pod whose mounts name undeclared volumes is refused.',
      tests: ['daemon/api/decode.test.ts > a mount of no volume'],
    },
    { id: 'X19', says: 'Commands of docker are not of this daemon.', tests: [] },
  ],
};

export const flow: Area = {
  title: 'From a pod to its mounted volume',
  rows: [
    {
      id: 'F01',
      says: 'A pod names a claim that wants a dynamic volume.',
      tests: ['integration/main-job.test.ts > show as Ready, Bound and Mounted'],
    },
    {
      id: 'F02',
      says: 'The pod is placed by its volumes.',
      tests: ['sch/unbound,pv-same-node', 'sch/unbound,pv-different-node'],
    },
    { id: 'F03', says: 'The volume is made for the pending claim.', tests: ['pv/11-1'] },
    {
      id: 'F04',
      says: 'Its device is attached.',
      tests: ['integration/main-job.test.ts > become an image, a loop device, one global mount and a bind'],
    },
    {
      id: 'F05',
      says: 'It is mounted once below plugins/.',
      tests: ['integration/main-job.test.ts > become an image, a loop device, one global mount and a bind'],
    },
    {
      id: 'F06',
      says: 'It is bound into the directory of the pod.',
      tests: ['integration/main-job.test.ts > become an image, a loop device, one global mount and a bind'],
    },
    {
      id: 'F07',
      says: 'Volumes that an administrator declared are bound.',
      tests: ['pv/1-1', 'integration/volume-kinds.test.ts > is used as it is, with the data that is on it'],
    },
    {
      id: 'F08',
      says: 'Volumes are made for claims by their class.',
      tests: ['pv/11-1', 'integration/main-job.test.ts > become an image, a loop device, one global mount and a bind'],
    },
  ],
};
