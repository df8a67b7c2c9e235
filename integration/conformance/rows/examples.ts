import type { Area } from '../row.ts';

const sample = (ids: string) => `integration/samples.test.ts > ${ids}`;

export const examples: Area = {
  title: 'Examples that run',
  rows: [
    {
      id: 'X01',
      says: 'A static NFS volume of 10Gi that retains.',
      tests: [sample('X01, X02, X03, X04'), 'integration/vm/nfs.test.ts > mounts a PersistentVolume with its options'],
    },
    {
      id: 'X02',
      says: 'A claim without a class binds it.',
      tests: ['pv/x-1 (X01, X02, X03)', sample('X01, X02, X03, X04')],
    },
    {
      id: 'X03',
      says: 'The table of claims, with access modes in short.',
      tests: [sample('X01, X02, X03, X04'), 'integration/control/moorctl.test.ts > get pvc'],
    },
    {
      id: 'X04',
      says: 'A pod that mounts it, and that says what it waits for while the server is not there.',
      tests: [sample('X01, X02, X03, X04'), 'integration/vm/nfs.test.ts > mounts a PersistentVolume with its options'],
    },
    {
      id: 'X05',
      says: 'A class of an external provisioner, with mount options.',
      tests: ['pv/x-2 (X05, X06)', sample('X05, X06, X07')],
    },
    {
      id: 'X06',
      says: 'A claim with both spellings of its class: the annotation wins.',
      tests: ['pv/x-2 (X05, X06)', 'pv/11-own-3 (Z10)', sample('X05, X06, X07')],
    },
    {
      id: 'X07',
      says: 'The table of volumes.',
      tests: [sample('X05, X06, X07'), 'integration/control/moorctl.test.ts > get pv'],
    },
    { id: 'X08', says: 'A snapshot class.', tests: [sample('X08, X09, X10, X13')] },
    { id: 'X09', says: 'A snapshot of a claim.', tests: [sample('X08, X09, X10, X13')] },
    { id: 'X10', says: 'A claim made of a snapshot.', tests: [sample('X08, X09, X10, X13')] },
    { id: 'X11', says: 'A local volume with a class that provisions none and waits.', tests: [sample('X11')] },
    { id: 'X12', says: 'A class with topologies.', tests: [sample('X12, X14')] },
    {
      id: 'X13',
      says: 'The whole life of a snapshot.',
      tests: [sample('X08, X09, X10, X13'), 'integration/snapshots.test.ts > x08, x09, x10 and x13'],
    },
    {
      id: 'X14',
      says: 'A pod that waits for a topology, and runs when the class is changed.',
      tests: [sample('X12, X14')],
    },
    { id: 'X15', says: 'A StatefulSet with a claim template.', tests: [sample('X15')] },
    { id: 'X16', says: 'A pod with an init container that shares a volume.', tests: [sample('X16')] },
    { id: 'X17', says: 'Two classes over one storage, chosen by annotation.', tests: ['pv/x-3 (X17)', sample('X17')] },
    {
      id: 'X18',
      says: 'A pod whose mounts name undeclared volumes is refused; put right, it says which of its volumes have no plugin.',
      tests: [sample('X18'), 'daemon/api/decode.test.ts > a mount of no volume'],
    },
    {
      id: 'X19',
      says: 'moored runs no docker commands: what -v, --volumes-from and --rm do is said with pods and claims.',
      tests: ['integration/docker-words.test.ts > X19: -v /c'],
    },
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
