import type {
  ClaimView,
  NodeView,
  PersistentVolumeView,
  PodView,
  StorageClassView,
} from '../../daemon/control/protocol.ts';
import type {
  VolumeSnapshotClassView,
  VolumeSnapshotContentView,
  VolumeSnapshotView,
} from '../../daemon/control/snapshot-views.ts';
import type { StubState } from './stub-handlers.ts';

/** Four days, two and a half hours ago: an AGE of 4d2h for the whole run. */
export const created = before(((4 * 24 + 2) * 60 + 30) * 60);

function before(seconds: number): string {
  return new Date(Date.now() - seconds * 1_000).toISOString();
}

function metadata(name: string, namespace: string, uid: string): PodView['metadata'] {
  return { name, namespace, uid, resourceVersion: '7', generation: 1, creationTimestamp: created };
}

export const volumeName = 'kubernetes.io/csi/loop.moored.dev^pvc-1';
export const dataPath = '/var/lib/moored/pods/uid-web/volumes/kubernetes.io~csi/pvc-1/mount';

export const web: PodView = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata('web', 'default', 'uid-web'), labels: { app: 'web' } },
  spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] },
  status: {
    phase: 'Ready',
    conditions: [{ type: 'VolumesReady', status: 'True', reason: 'Mounted', message: '', lastTransitionTime: created }],
    volumes: [{ name: 'data', path: dataPath, state: 'Mounted', volume: volumeName }],
  },
};

export const sick: PodView = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata('sick', 'other', 'uid-sick'), labels: { app: 'db' } },
  spec: {},
  status: {
    phase: 'Pending',
    conditions: [
      {
        type: 'VolumesReady',
        status: 'False',
        reason: 'FailedMount',
        message: '1 of 2 volumes is not mounted',
        lastTransitionTime: created,
      },
    ],
    volumes: [
      { name: 'a', path: '/p/a', state: 'Mounted', volume: 'a' },
      {
        ...{ name: 'b', path: '/p/b', state: 'Failed', volume: 'b' },
        ...{ reason: 'FailedMount', message: 'Cannot mount "/dev/loop3": wrong fs type' },
        help: 'blkid /dev/loop3\ndmesg | tail',
      },
    ],
  },
};

const claim: ClaimView = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: metadata('data', 'default', 'uid-data'),
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '64Mi' } },
    storageClassName: 'fast',
    volumeName: 'pvc-1',
  },
  status: { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '64Mi' } },
};

const pendingClaim: ClaimView = {
  ...claim,
  metadata: metadata('extra', 'default', 'uid-extra'),
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  status: { phase: 'Pending' },
};

const volume: PersistentVolumeView = {
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: metadata('pvc-1', '', 'uid-pv'),
  spec: {
    capacity: { storage: '64Mi' },
    accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
    persistentVolumeReclaimPolicy: 'Delete',
    claimRef: { namespace: 'default', name: 'data', uid: 'uid-data' },
    storageClassName: 'fast',
    csi: {
      driver: 'loop.moored.dev',
      volumeHandle: 'pvc-1',
      volumeAttributes: { path: '/var/lib/moored/images/x.img' },
    },
  },
  status: { phase: 'Bound' },
};

const node: NodeView = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { ...metadata('edge-1', '', 'uid-node'), labels: { 'kubernetes.io/hostname': 'edge-1' } },
  spec: { taints: [{ key: 'dedicated', value: 'data', effect: 'NoSchedule' }] },
  status: {
    conditions: [
      { type: 'Ready', status: 'True', reason: 'ThisMachine', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ],
  },
};

const storageClass: StorageClassView = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: {
    ...metadata('fast', '', 'uid-sc'),
    annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
  },
  provisioner: 'loop.moored.dev',
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'Immediate',
};

const snapshotClass: VolumeSnapshotClassView = {
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshotClass',
  metadata: metadata('nightly', '', 'uid-vsclass'),
  driver: 'loop.moored.dev',
  deletionPolicy: 'Delete',
};

const snapshot: VolumeSnapshotView = {
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshot',
  metadata: metadata('data-1', 'default', 'uid-vs'),
  spec: { source: { persistentVolumeClaimName: 'data' }, volumeSnapshotClassName: 'nightly' },
  status: { boundVolumeSnapshotContentName: 'snapcontent-uid-vs', readyToUse: true, restoreSize: '64Mi' },
};

const snapshotContent: VolumeSnapshotContentView = {
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshotContent',
  metadata: metadata('snapcontent-uid-vs', '', 'uid-vsc'),
  spec: {
    volumeSnapshotRef: { namespace: 'default', name: 'data-1', uid: 'uid-vs' },
    deletionPolicy: 'Delete',
    driver: 'loop.moored.dev',
    volumeSnapshotClassName: 'nightly',
    source: { volumeHandle: 'pvc-1' },
  },
  status: { snapshotHandle: 'default/data-1-uid-vs', readyToUse: true, restoreSize: 67_108_864 },
};

const globalMountPath = '/var/lib/moored/plugins/kubernetes.io/csi/loop.moored.dev/x/globalmount';

/** A daemon with one pod that is well, one that is not, and one manifest that is refused. */
export const stubState: StubState = {
  ready: true,
  replies: {
    pods: { apiVersion: 'v1', kind: 'List', items: [web, sick] },
    trash: { trash: [] },
    statefulsets: { apiVersion: 'v1', kind: 'List', items: [] },
    persistentvolumeclaims: { apiVersion: 'v1', kind: 'List', items: [pendingClaim, claim] },
    persistentvolumes: { apiVersion: 'v1', kind: 'List', items: [volume] },
    storageclasses: { apiVersion: 'v1', kind: 'List', items: [storageClass] },
    volumesnapshots: { apiVersion: 'v1', kind: 'List', items: [snapshot] },
    volumesnapshotclasses: { apiVersion: 'v1', kind: 'List', items: [snapshotClass] },
    volumesnapshotcontents: { apiVersion: 'v1', kind: 'List', items: [snapshotContent] },
    nodes: { apiVersion: 'v1', kind: 'List', items: [node] },
    volumes: {
      volumes: [
        {
          name: volumeName,
          plugin: 'loop.moored.dev',
          state: 'Mounted',
          device: '/dev/loop7',
          path: globalMountPath,
          pods: ['default/web'],
          claim: 'default/data',
          capacity: '64Mi',
          requested: '64Mi',
          message: '',
        },
      ],
    },
    dsw: {
      volumes: [
        {
          name: volumeName,
          plugin: 'loop.moored.dev',
          globalMountPath,
          pods: [{ namespace: 'default', name: 'web', uid: 'uid-web', targetPath: dataPath, readOnly: false }],
        },
      ],
    },
    asw: {
      volumes: [
        {
          name: volumeName,
          plugin: 'loop.moored.dev',
          devicePath: '/dev/loop7',
          globalMountPath,
          deviceMountState: 'DeviceGloballyMounted',
          pods: [
            {
              namespace: 'default',
              name: 'web',
              uid: 'uid-web',
              targetPath: dataPath,
              mountState: 'VolumeMounted',
              readOnly: false,
            },
          ],
        },
      ],
    },
    operations: {
      operations: [
        {
          kind: 'mountVolume',
          volume: 'b',
          pod: 'other/sick',
          state: 'waiting',
          reason: 'desired, not mounted',
          startedAt: created,
          attempts: 3,
          nextRetryMs: 14_000,
          lastError: 'Cannot mount "/dev/loop3": wrong fs type',
        },
        {
          ...{ kind: 'copyImage', volume: 'c', pod: '', state: 'running', reason: 'its data is being copied' },
          ...{ startedAt: created, attempts: 1, nextRetryMs: 0, lastError: '' },
          copy: { for: 'VolumeSnapshot/default/monday', doneBytes: 120 * 2 ** 20, totalBytes: 400 * 2 ** 20 },
        },
      ],
    },
    events: {
      events: [
        {
          type: 'Warning',
          reason: 'FailedMount',
          regarding: 'Pod/other/sick',
          message: 'Cannot mount "/dev/loop3": wrong fs type',
          count: 3,
          firstTimestamp: created,
          lastTimestamp: before(3 * 24 * 60 * 60 + 60 * 60 + 1_800),
        },
        {
          type: 'Normal',
          reason: 'SuccessfulMountVolume',
          regarding: 'Pod/default/web',
          message: 'Mounted "data"',
          count: 1,
          firstTimestamp: created,
          lastTimestamp: created,
        },
        {
          type: 'Warning',
          reason: 'BadManifest',
          regarding: 'Manifest/bad.yaml',
          message: 'refused',
          help: 'mend the file',
          count: 1,
          firstTimestamp: created,
          lastTimestamp: created,
        },
      ],
    },
    manifests: {
      manifests: [
        { name: 'web.yaml', state: 'good', objects: [], ignored: [], problems: [] },
        {
          name: 'bad.yaml',
          state: 'bad',
          objects: [],
          ignored: [{ document: 2, apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' }],
          problems: [
            { file: 'bad.yaml', document: 1, line: 14, path: 'spec.volumes[0]', message: 'unknown key "emptydir"' },
            { file: 'bad.yaml', message: 'and more' },
          ],
        },
      ],
    },
  },
  explain: {
    'persistentvolumeclaims/default/data': {
      ...{ subject: 'claim default/data', state: 'Bound', detail: '', since: created, causes: [] },
    },
    'persistentvolumeclaims/default/extra': {
      ...{ subject: 'claim default/extra', state: 'Pending', detail: 'no volume', since: created, causes: [] },
      ...{ reason: 'FailedBinding', help: 'moorctl get pv' },
    },
    'pods/other/sick': {
      subject: 'pod other/sick',
      state: 'NotReady',
      detail: '',
      since: created,
      causes: [
        {
          subject: 'volume b',
          state: 'Failed',
          detail: 'Cannot mount "/dev/loop3": wrong fs type',
          since: '',
          nextRetryMs: 14_000,
          reason: 'FailedMount',
          help: 'blkid /dev/loop3\ndmesg | tail',
          causes: [],
        },
        { subject: 'volume a', state: 'Mounted', detail: '', since: '', causes: [] },
      ],
    },
  },
  plan: {
    steps: [
      { kind: 'provision', subject: 'default/data', reason: 'claim is not bound', destructive: false },
      { kind: 'formatDevice', subject: '/dev/loop7', reason: 'proven blank', destructive: true },
    ],
    problems: [],
  },
  drain: { drained: true, remaining: [] },
  hold: { held: true, pod: 'default/web', message: '1 of 1 volumes are mounted' },
  orphans: {
    orphans: [
      {
        kind: 'PodDirectory',
        path: '/var/lib/moored/pods/uid-old',
        since: created,
        reason: 'no pod and no record has this uid',
        action: 'quarantine',
        obstacle: '',
      },
      {
        kind: 'Trashed',
        path: '/var/lib/moored/images/default/.trash/old.img.20260101T000000.000Z',
        since: '2026-01-01T00:00:00.000Z',
        reason: 'in the trash; made for claim default/old',
        action: 'purge',
        obstacle: 'kept until 2026-01-08T00:00:00.000Z',
      },
    ],
    held: '',
    incomplete: [],
  },
  gc: {
    held: '',
    results: [
      {
        path: '/var/lib/moored/pods/uid-old',
        action: 'quarantine',
        state: 'planned',
        message: 'no pod and no record has this uid',
      },
    ],
    unknown: [],
  },
  doctor: {
    checks: [
      { name: 'loop', ok: true, required: true, detail: '/dev/loop-control', fix: '' },
      { name: 'mkfs.btrfs', ok: false, required: false, detail: 'not found', fix: 'apt-get install btrfs-progs' },
    ],
  },
};
