import type { Area } from '../row.ts';

const mainJob = 'integration/main-job.test.ts';

export const terms: Area = {
  title: 'Terms, objects, components',
  rows: [
    {
      id: 'T01',
      says: 'Plugins are a folder each, and the daemon knows them by an interface only.',
      tests: ['plugins/loop/plugin.test.ts > '],
    },
    {
      id: 'T02',
      says: 'A PersistentVolume is declared, or provisioned, belongs to no namespace and outlives pods.',
      tests: [`${mainJob} > are undone in order when the file goes`],
    },
    {
      id: 'T03',
      says: 'A PersistentVolumeClaim asks for a size and access modes in a namespace.',
      tests: ['pv/1-1', `${mainJob} > show as Ready, Bound and Mounted`],
    },
    {
      id: 'T04',
      says: 'A StorageClass says how volumes are made, with which options, when bound and how reclaimed.',
      tests: ['pv/11-1', 'daemon/api/decode.test.ts > '],
    },
    {
      id: 'T05',
      says: 'CSI drivers over a socket.',
      tests: [],
      why: 'moored has its own plugins only. A volume of another driver is bound, and says that no plugin serves it.',
    },
    {
      id: 'T06',
      says: 'The claim controller binds, provisions and reclaims.',
      tests: ['pv/10-1', 'pv/11-1', 'pv/8-1'],
    },
    {
      id: 'T07',
      says: 'Attach and detach are operations of their own.',
      tests: [`${mainJob} > become an image, a loop device, one global mount and a bind`],
    },
    {
      id: 'T08',
      says: 'The daemon is the storage half of a kubelet.',
      tests: [`${mainJob} > show as Ready, Bound and Mounted`],
    },
    {
      id: 'T09',
      says: 'The reconciler mounts, unmounts and formats by comparing two worlds.',
      tests: ['daemon/plan/plan.test.ts > '],
    },
    {
      id: 'T10',
      says: 'A plugin says what to attach, format, mount and provision.',
      tests: ['plugins/nfs/plugin.test.ts > ', 'plugins/iscsi/plugin.test.ts > ', 'plugins/loop/plugin.test.ts > '],
    },
    {
      id: 'T11',
      says: 'The provisioner runs in the daemon; external ones are announced and waited for.',
      tests: ['pv/11-17', 'pv/10-own-4 (R01, Z09)'],
    },
    { id: 'T12', says: 'ControllerPublishVolume of a CSI driver.', tests: [], why: 'Needs T05.' },
    {
      id: 'T13',
      says: 'A snapshot controller, in the daemon.',
      tests: ['snap/6-1', 'integration/snapshots.test.ts > is whole, is restored'],
    },
    {
      id: 'T14',
      says: 'The pods of a node are held against the affinity of their volumes.',
      tests: ['sch/unbound,pv-same-node', 'sch/bound,node-conflict'],
    },
    {
      id: 'T15',
      says: 'An administrator declares volumes and classes, a developer claims; the best fit is chosen.',
      tests: ['idx/MatchVolume smallest'],
    },
    {
      id: 'T16',
      says: 'Provision and delete, attach and detach, mount and unmount, each its own step.',
      tests: [`${mainJob} > are undone in order when the file goes`],
    },
  ],
};
