import { describe, expect, it } from 'vitest';
import { decodeDocument } from './decode.ts';
import type { DeclaredObject } from './object.ts';

type Fields = Record<string, unknown>;

function pod(spec: Fields, metadata: Fields = {}): Fields {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', ...metadata }, spec };
}

function podWithVolume(source: Fields): Fields {
  return pod({ volumes: [{ name: 'data', ...source }], containers: [] });
}

function claim(spec: Fields): Fields {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '64Mi' } }, ...spec },
  };
}

function volume(spec: Fields, metadata: Fields = {}): Fields {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'disk', ...metadata },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      csi: { driver: 'loop.moored.dev', volumeHandle: 'disk', volumeAttributes: { path: '/srv/disk.img' } },
      ...spec,
    },
  };
}

function storageClass(fields: Fields): Fields {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'fast' },
    provisioner: 'loop.moored.dev',
    ...fields,
  };
}

function objectOf(value: unknown): DeclaredObject {
  const decoded = decodeDocument(value);
  expect(decoded).toHaveLength(1);
  const [only] = decoded;
  if (only?.outcome !== 'object') throw new Error(`not an object: ${JSON.stringify(only)}`);
  return only.object;
}

function problemsOf(value: unknown): string[] {
  return decodeDocument(value).flatMap((decoded) =>
    decoded.outcome === 'invalid' ? decoded.problems.map(({ path, message }) => `${path}: ${message}`) : [],
  );
}

describe('what is taken', () => {
  it('a pod, whose rest passes through untouched', () => {
    const spec = {
      containers: [
        {
          name: 'main',
          image: 'nginx:alpine',
          securityContext: { runAsUser: 1000, capabilities: { add: ['NET_ADMIN'] } },
          volumeMounts: [{ name: 'data', mountPath: '/data', subPath: 'a/b', readOnly: true }],
        },
      ],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
      tolerations: [{ operator: 'Exists' }],
      whatever: { the: ['API', 'adds'] },
    };
    expect(objectOf(pod(spec, { labels: { app: 'web' } }))).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
      spec,
    });
  });

  it('a pod without containers: a mount for a service of the host', () => {
    expect(objectOf(pod({ volumes: [{ name: 'data', emptyDir: {} }] })).spec).toEqual({
      volumes: [{ name: 'data', emptyDir: {} }],
    });
  });

  it('a claim, with its defaults', () => {
    expect(objectOf(claim({ storageClassName: '' }))).toEqual({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'default' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '64Mi' } },
        volumeMode: 'Filesystem',
        storageClassName: '',
      },
    });
  });

  it('a volume, with its defaults and without a namespace', () => {
    const object = objectOf(volume({}, { namespace: 'default' }));
    expect(object.metadata).toEqual({ name: 'disk', namespace: '' });
    expect(object.spec).toMatchObject({ persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' });
  });

  it('a class: fields under spec, reclaimPolicy only where the user wrote one', () => {
    const parameters = { fsType: 'xfs', directory: '/srv/images' };
    expect(objectOf(storageClass({ parameters, mountOptions: ['noatime'] }))).toEqual({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'fast', namespace: '' },
      spec: { provisioner: 'loop.moored.dev', parameters, mountOptions: ['noatime'], volumeBindingMode: 'Immediate' },
    });
    expect(objectOf(storageClass({ reclaimPolicy: 'Delete' })).spec).toMatchObject({ reclaimPolicy: 'Delete' });
  });

  it('quantities that YAML took for numbers, as text', () => {
    expect(objectOf(claim({ resources: { requests: { storage: 67108864 } } })).spec).toMatchObject({
      resources: { requests: { storage: '67108864' } },
    });
  });

  it('every volume source of core/v1, with or without a plugin for it', () => {
    const sources: Fields[] = [
      { hostPath: { path: '/data/hostpath', type: 'Directory' } },
      { configMap: { name: 'special-config', items: [{ key: 'a', path: 'b' }] } },
      { secret: { secretName: 'secret-config', defaultMode: 420 } },
      { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
      { nfs: { server: '192.168.4.1', path: '/nfs_storage' } },
      { nfs: { server: 'filer.example.org', path: '/srv/a b:c', readOnly: true } },
      ...['fd00::5', '[fd00::5]', '::ffff:10.0.0.5', 'fe80::1%eth0', 'f', 'n_1.example.'].map((server) => ({
        nfs: { server, path: '/' },
      })),
      { image: { reference: 'quay.io/x:1', pullPolicy: 'Always' } },
      { ephemeral: { volumeClaimTemplate: { spec: claim({})['spec'] } } },
      { csi: { driver: 'secrets-store.csi.k8s.io', readOnly: true, volumeAttributes: { secretProviderClass: 'x' } } },
      { csi: { driver: 'loop.moored.dev', volumeAttributes: { size: '64Mi', fsType: 'btrfs' } } },
      { emptyDir: { medium: 'Memory', sizeLimit: '0' } },
    ];
    for (const source of sources) {
      expect(objectOf(podWithVolume(source)).spec).toMatchObject({ volumes: [{ name: 'data', ...source }] });
    }
  });
});

describe('what a real cluster adds', () => {
  const exported = {
    uid: '6b0c2b1c-0d6c-4c3f-9a7b-0c6f6e0a0001',
    resourceVersion: '123456',
    creationTimestamp: '2026-01-02T03:04:05Z',
    generation: 2,
    selfLink: '/api/v1/x',
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-5d', uid: 'x', controller: true }],
    finalizers: ['kubernetes.io/pvc-protection'],
    managedFields: [{ manager: 'kubectl', operation: 'Update', fieldsV1: { 'f:spec': { 'f:containers': {} } } }],
  };

  it('is dropped from a pod, but for the phase', () => {
    const value = { ...pod({}, exported), status: { phase: 'Succeeded', podIP: '10.0.0.1', conditions: [] } };
    expect(objectOf(value)).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'default' },
      spec: {},
      status: { phase: 'Succeeded' },
    });
  });

  it('is dropped from a volume, with the uid of claimRef but not its name', () => {
    const claimRef = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      namespace: 'shop',
      name: 'data',
      uid: 'u-1',
      resourceVersion: '7',
    };
    const annotations = { 'pv.kubernetes.io/provisioned-by': 'loop.moored.dev', 'example.com/kept': 'yes' };
    const object = objectOf({ ...volume({ claimRef }, { ...exported, annotations }), status: { phase: 'Bound' } });
    expect(object).not.toHaveProperty('status');
    expect(object.metadata).toEqual({ name: 'disk', namespace: '', annotations: { 'example.com/kept': 'yes' } });
    expect(object.spec).toMatchObject({ claimRef: { namespace: 'shop', name: 'data' } });
    expect((object.spec as Fields)['claimRef']).not.toHaveProperty('uid');
  });

  it('is told where only moored can know it, one warning an object', () => {
    const claimRef = { namespace: 'default', name: 'data', uid: 'u' };
    const annotations = { 'pv.kubernetes.io/bound-by-controller': 'yes', mine: 'kept' };
    const [decoded] = decodeDocument({
      ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'one', annotations } },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], nfs: { server: 'a', path: '/' }, claimRef },
      status: { phase: 'Bound' },
    });
    expect(decoded).toMatchObject({
      outcome: 'object',
      object: { metadata: { annotations: { mine: 'kept' } }, spec: { claimRef: { name: 'data' } } },
      warnings: [
        {
          path: 'status',
          message:
            'not believed in a file, moored finds it out: status, spec.claimRef.uid, metadata.annotations["pv.kubernetes.io/bound-by-controller"]',
        },
      ],
    });
  });

  it('is dropped from a claim: bind-completed of another store would make it Lost', () => {
    const value = {
      ...claim({ volumeName: 'pvc-1' }),
      metadata: { name: 'data', annotations: { 'pv.kubernetes.io/bind-completed': 'yes' }, ...exported },
      status: { phase: 'Bound', capacity: { storage: '64Mi' } },
    };
    expect(objectOf(value)).toMatchObject({ metadata: { annotations: {} }, spec: { volumeName: 'pvc-1' } });
  });

  it('may have fields without a value, which are absent for the API server', () => {
    const value = { ...pod({ volumes: null }, { creationTimestamp: null, labels: null }), status: null };
    expect(objectOf(value)).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'default' },
      spec: {},
    });
  });

  it('comes as a list', () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      metadata: { resourceVersion: '' },
      items: [pod({}), claim({}), { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' } }],
    };
    expect(decodeDocument(list).map((decoded) => decoded.outcome)).toEqual(['object', 'object', 'ignored']);
    const bare = { metadata: { name: 'web' }, spec: {} };
    expect(decodeDocument({ apiVersion: 'v1', kind: 'PodList', items: [bare] })).toMatchObject([
      { outcome: 'object', object: { kind: 'Pod', metadata: { name: 'web' } } },
    ]);
  });

  it('is placed in the list by its index', () => {
    const list = { apiVersion: 'v1', kind: 'List', items: [pod({}), podWithVolume({})] };
    expect(problemsOf(list)).toEqual([expect.stringMatching(/^items\[1\]\.spec\.volumes\[0\]: has no source/)]);
  });
});

describe('what is ignored', () => {
  it.each([
    [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { anything: true } }, 'web'],
    [{ apiVersion: 'v1', kind: 'Service' }, ''],
    [{ apiVersion: 'example.com/v1', kind: 'Pod', metadata: { name: 'pea' } }, 'pea'],
  ])('%j', (value, name) => {
    const { apiVersion, kind } = value;
    expect(decodeDocument(value)).toEqual([{ outcome: 'ignored', apiVersion, kind, name }]);
  });

  it('an empty document is nothing at all', () => {
    expect(decodeDocument(null)).toEqual([]);
    expect(decodeDocument(undefined)).toEqual([]);
  });
});

const sourceless =
  'has no source: want one such as persistentVolumeClaim, csi or emptyDir (an empty one is written "emptyDir: {}")';

describe('what is refused, with the path and what would be accepted', () => {
  const cases: readonly (readonly [title: string, value: unknown, problems: readonly (string | RegExp)[]])[] = [
    ['text', 'hello', [': want a Kubernetes object with apiVersion, kind, metadata and spec']],
    ['a list', [1], [': want a Kubernetes object with apiVersion, kind, metadata and spec']],
    ['no kind', { apiVersion: 'v1' }, ['kind: required']],
    ['no apiVersion', { kind: 'Pod' }, ['apiVersion: required']],
    [
      'a class of the wrong group',
      { ...storageClass({}), apiVersion: 'v1' },
      ['apiVersion: "v1" has no StorageClass: want "storage.k8s.io/v1"'],
    ],
    ['no metadata', { apiVersion: 'v1', kind: 'Pod', spec: {} }, ['metadata: required']],
    ['no name', pod({}, { name: undefined }), [/is not part of a manifest$/]],
    ['an empty name', pod({}, { name: '' }), [/^metadata.name: "" is not a legal name/]],
    ['a name that climbs', pod({}, { name: '../../etc' }), [/^metadata.name: "..\/..\/etc" is not a legal name/]],
    [
      'a name with NUL',
      pod({}, { name: 'a\0b' }),
      [
        'metadata.name: "a\\u0000b" is not a legal name: want lower case letters, digits, "-" and ".", a letter or digit at both ends',
      ],
    ],
    ['a namespace that climbs', pod({}, { namespace: '..' }), [/^metadata.namespace: ".." is not a legal name/]],
    [
      'a label that is a number',
      pod({}, { labels: { v: 1 } }),
      ['metadata.labels.v: want a string, found 1: put it in quotes, "1"'],
    ],
    ['a label key', pod({}, { labels: { 'a b': 'x' } }), [/^metadata.labels\["a b"\]: "a b" is not a legal key/]],
    [
      'a misspelt namespace',
      pod({}, { namspace: 'x' }),
      ['metadata.namspace: unknown field, did you mean "namespace"?'],
    ],
    ['a misspelt top level', { ...pod({}), specs: {} }, ['specs: unknown field, did you mean "spec"?']],
    ['no spec', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }, ['spec: required']],
    [
      'a wrong phase',
      { ...pod({}), status: { phase: 'Succeded' } },
      [
        'status.phase: "Succeded" is not one of Pending, Running, Succeeded, Failed, Unknown, did you mean "Succeeded"?',
      ],
    ],
    ['volumes that are a mapping', pod({ volumes: { name: 'a' } }), ['spec.volumes: want a list, found a mapping']],
    [
      'an unknown field of emptyDir',
      podWithVolume({ emptyDir: { sizelimit: '1Mi' } }),
      ['spec.volumes[0].emptyDir.sizelimit: unknown field, did you mean "sizeLimit"?'],
    ],
    [
      'two unknown fields',
      podWithVolume({ emptyDir: { sizelimit: '1Mi', mediun: '' } }),
      [
        'spec.volumes[0].emptyDir.sizelimit: unknown field, did you mean "sizeLimit"?',
        'spec.volumes[0].emptyDir.mediun: unknown field, did you mean "medium"?',
      ],
    ],
    [
      'an unknown source',
      podWithVolume({ emptydir: {} }),
      ['spec.volumes[0].emptydir: unknown field, did you mean "emptyDir"?'],
    ],
    [
      'an unknown field of a source without a plugin',
      podWithVolume({ hostPath: { paht: '/x' } }),
      ['spec.volumes[0].hostPath.paht: unknown field, did you mean "path"?'],
    ],
    ['no source', podWithVolume({}), [`spec.volumes[0]: ${sourceless}`]],
    ['a source without a value', podWithVolume({ emptyDir: null }), [`spec.volumes[0]: ${sourceless}`]],
    [
      'two sources',
      podWithVolume({ emptyDir: {}, hostPath: { path: '/x' } }),
      ['spec.volumes[0]: has 2 sources, emptyDir and hostPath: want exactly one'],
    ],
    [
      'huge pages',
      podWithVolume({ emptyDir: { medium: 'HugePages-2Mi' } }),
      [
        'spec.volumes[0].emptyDir.medium: "HugePages-2Mi" is not supported: want "" (a directory) or "Memory" (a tmpfs)',
      ],
    ],
    [
      'a wrong medium',
      podWithVolume({ emptyDir: { medium: 'memory' } }),
      ['spec.volumes[0].emptyDir.medium: "memory" is not one of "", Memory, did you mean "Memory"?'],
    ],
    [
      'a wrong size',
      podWithVolume({ emptyDir: { sizeLimit: '64MB' } }),
      [/^spec.volumes\[0\].emptyDir.sizeLimit: "64MB" is not a quantity: want a number with/],
    ],
    [
      'a volume name',
      pod({ volumes: [{ name: 'A/../b', emptyDir: {} }] }),
      [/^spec.volumes\[0\].name: "A\/..\/b" is not a legal name/],
    ],
    [
      'one volume twice',
      pod({
        volumes: [
          { name: 'a', emptyDir: {} },
          { name: 'a', emptyDir: {} },
        ],
      }),
      ['spec.volumes[1].name: a volume "a" is declared already'],
    ],
    [
      'no claim name',
      podWithVolume({ persistentVolumeClaim: {} }),
      ['spec.volumes[0].persistentVolumeClaim.claimName: required'],
    ],
    [
      'readOnly in quotes',
      podWithVolume({ persistentVolumeClaim: { claimName: 'a', readOnly: 'true' } }),
      ['spec.volumes[0].persistentVolumeClaim.readOnly: want true or false, found "true"'],
    ],
    [
      'loop without size',
      podWithVolume({ csi: { driver: 'loop.moored.dev' } }),
      ['spec.volumes[0].csi.volumeAttributes.size: required: a quantity such as "64Mi"'],
    ],
    [
      'loop with size zero',
      podWithVolume({ csi: { driver: 'loop.moored.dev', volumeAttributes: { size: '0' } } }),
      ['spec.volumes[0].csi.volumeAttributes.size: "0" is too small: want more than zero'],
    ],
    [
      'loop with a wrong fsType',
      podWithVolume({ csi: { driver: 'loop.moored.dev', volumeAttributes: { size: '1Mi', fsType: 'ext3' } } }),
      ['spec.volumes[0].csi.volumeAttributes.fsType: "ext3" is not one of ext4, xfs, btrfs, did you mean "ext4"?'],
    ],
    [
      'loop with two filesystems',
      podWithVolume({
        csi: { driver: 'loop.moored.dev', fsType: 'xfs', volumeAttributes: { size: '1Mi', fsType: 'ext4' } },
      }),
      ['spec.volumes[0].csi.fsType: "xfs" disagrees with "ext4" in volumeAttributes.fsType'],
    ],
    [
      'loop with a misspelt attribute',
      podWithVolume({ csi: { driver: 'loop.moored.dev', volumeAttributes: { size: '1Mi', fstype: 'xfs' } } }),
      ['spec.volumes[0].csi.volumeAttributes.fstype: unknown field, did you mean "fsType"?'],
    ],
    [
      'an attribute that is a number',
      podWithVolume({ csi: { driver: 'loop.moored.dev', volumeAttributes: { size: 64 } } }),
      ['spec.volumes[0].csi.volumeAttributes.size: want a string, found 64: put it in quotes, "64"'],
    ],
    [
      'a mount of no volume',
      pod({
        volumes: [{ name: 'test-volume-x', emptyDir: {} }],
        containers: [{ name: 'c', volumeMounts: [{ name: 'test-volume', mountPath: '/a' }] }],
      }),
      [
        'spec.containers[0].volumeMounts[0].name: volume "test-volume" is not declared in spec.volumes, did you mean "test-volume-x"?',
      ],
    ],
    [
      'a mount in a pod without volumes',
      pod({ initContainers: [{ name: 'c', volumeMounts: [{ name: 'x', mountPath: '/a' }] }] }),
      ['spec.initContainers[0].volumeMounts[0].name: volume "x" is not declared in spec.volumes, which is empty'],
    ],
    [
      'a device of no volume',
      pod({
        volumes: [{ name: 'other', emptyDir: {} }],
        containers: [{ name: 'c', volumeDevices: [{ name: 'x', devicePath: '/dev/xvda' }] }],
      }),
      ['spec.containers[0].volumeDevices[0].name: volume "x" is not declared in spec.volumes, which has other'],
    ],
    [
      'a device that is no claim',
      pod({
        volumes: [{ name: 'x', emptyDir: {} }],
        containers: [{ name: 'c', volumeDevices: [{ name: 'x', devicePath: '/dev/xvda' }] }],
      }),
      [
        'spec.containers[0].volumeDevices[0].name: volume "x" is no claim: only a claim of volumeMode Block can be a device',
      ],
    ],
    [
      'two mounts on one path',
      pod({
        volumes: [{ name: 'x', emptyDir: {} }],
        containers: [
          {
            name: 'c',
            volumeMounts: [
              { name: 'x', mountPath: '/a' },
              { name: 'x', mountPath: '/a' },
            ],
          },
        ],
      }),
      ['spec.containers[0].volumeMounts[1].mountPath: "/a" is mounted on already'],
    ],
    [
      'an unknown field of a mount',
      pod({
        volumes: [{ name: 'x', emptyDir: {} }],
        containers: [{ name: 'c', volumeMounts: [{ name: 'x', mountpath: '/a' }] }],
      }),
      [
        'spec.containers[0].volumeMounts[0].mountPath: required',
        'spec.containers[0].volumeMounts[0].mountpath: unknown field, did you mean "mountPath"?',
      ],
    ],
    [
      'an unknown field of a device',
      pod({ containers: [{ name: 'c', volumeDevices: [{ name: 'x', devicePath: '/d', readOnly: true }] }] }),
      ['spec.containers[0].volumeDevices[0].readOnly: unknown field, want one of name, devicePath'],
    ],
    [
      'a subPath that climbs',
      pod({
        volumes: [{ name: 'x', emptyDir: {} }],
        containers: [{ name: 'c', volumeMounts: [{ name: 'x', mountPath: '/a', subPath: 'a/../../b' }] }],
      }),
      ['spec.containers[0].volumeMounts[0].subPath: "a/../../b" contains ".."'],
    ],

    ['a claim without modes', claim({ accessModes: [] }), ['spec.accessModes: required: at least one access mode']],
    ['a claim without spec.accessModes', claim({ accessModes: null }), ['spec.accessModes: required']],
    [
      'an abbreviated mode',
      claim({ accessModes: ['RWO'] }),
      [
        'spec.accessModes[0]: "RWO" is not one of ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod, did you mean "ReadWriteOnce"?',
      ],
    ],
    [
      'RWOP with another',
      claim({ accessModes: ['ReadWriteOncePod', 'ReadWriteOnce'] }),
      ['spec.accessModes: ReadWriteOncePod allows no other access mode beside it'],
    ],
    ['a claim without a size', claim({ resources: {} }), ['spec.resources.requests: required']],
    [
      'a claim of nothing',
      claim({ resources: { requests: { storage: '0' } } }),
      ['spec.resources.requests.storage: "0" is too small: want more than zero'],
    ],
    [
      'a claim of less',
      claim({ resources: { requests: { storage: '-1Gi' } } }),
      ['spec.resources.requests.storage: "-1Gi" is too small: want more than zero'],
    ],
    [
      'a size that is a list',
      claim({ resources: { requests: { storage: [1] } } }),
      ['spec.resources.requests.storage: want a quantity, found a list'],
    ],
    [
      'a misspelt field of a claim',
      claim({ storageClass: 'fast' }),
      ['spec.storageClass: unknown field, did you mean "storageClassName"?'],
    ],
    [
      'a volumeMode',
      claim({ volumeMode: 'block' }),
      ['spec.volumeMode: "block" is not one of Filesystem, Block, did you mean "Block"?'],
    ],
    [
      'a selector without values',
      claim({ selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } }),
      ['spec.selector.matchExpressions[0].values: required with operator In'],
    ],
    [
      'a selector with values',
      claim({ selector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] } }),
      ['spec.selector.matchExpressions[0].values: not allowed with operator Exists'],
    ],
    ['a volumeName that climbs', claim({ volumeName: '../x' }), [/^spec.volumeName: "..\/x" is not a legal name/]],

    ['an export without a path', volume({ csi: null, nfs: { server: 'filer' } }), ['spec.nfs.path: required']],
    [
      'an export with a path that is not absolute',
      volume({ csi: null, nfs: { server: 'filer', path: 'srv' } }),
      ['spec.nfs.path: "srv" is not an absolute path'],
    ],
    ...['', '-o', 'a b', 'a,b', 'a/b', 'filer:', '[::1', 'fe80::1%', '::g', 'a:b'].map(
      (server): [string, unknown, (string | RegExp)[]] => [
        `an export of server "${server}"`,
        volume({ csi: null, nfs: { server, path: '/srv' } }),
        [server === '' ? 'spec.nfs.server: required' : /^spec.nfs.server: ".+" is not a host name, an IPv4 address/],
      ],
    ),
    ['a volume without capacity', volume({ capacity: {} }), ['spec.capacity.storage: required']],
    ['a volume without a source', volume({ csi: null }), ['spec: has no volume source, such as csi: want exactly one']],
    [
      'a volume with two sources',
      volume({ nfs: { server: 'a', path: '/b' } }),
      ['spec: has the sources csi and nfs: want exactly one'],
    ],
    [
      'a misspelt policy',
      volume({ persistentVolumeReclaimPolicy: 'Retian' }),
      ['spec.persistentVolumeReclaimPolicy: "Retian" is not one of Retain, Delete, Recycle, did you mean "Retain"?'],
    ],
    [
      'a misspelt field of a volume',
      volume({ reclaimPolicy: 'Retain' }),
      ['spec.reclaimPolicy: unknown field, did you mean "persistentVolumeReclaimPolicy"?'],
    ],
    [
      'a reservation without a namespace',
      volume({ claimRef: { name: 'data' } }),
      ['spec.claimRef.namespace: required'],
    ],
    [
      'two options in one',
      volume({ mountOptions: ['noatime,suid'] }),
      ['spec.mountOptions[0]: "noatime,suid" contains ",": want one option an entry'],
    ],
    [
      'an option with a newline',
      volume({ mountOptions: ['ro\n'] }),
      ['spec.mountOptions[0]: "ro\\n" contains control characters'],
    ],
    [
      'loop without a path',
      volume({ csi: { driver: 'loop.moored.dev', volumeHandle: 'x' } }),
      ['spec.csi.volumeAttributes.path: required: the image file or block device'],
    ],
    [
      'a relative path',
      volume({ csi: { driver: 'loop.moored.dev', volumeHandle: 'x', volumeAttributes: { path: 'disk.img' } } }),
      ['spec.csi.volumeAttributes.path: "disk.img" is not an absolute path'],
    ],
    [
      'a path that climbs',
      volume({
        csi: { driver: 'loop.moored.dev', volumeHandle: 'x', volumeAttributes: { path: '/srv/../etc/shadow' } },
      }),
      ['spec.csi.volumeAttributes.path: "/srv/../etc/shadow" contains ".."'],
    ],
    [
      'a path with NUL',
      volume({ csi: { driver: 'loop.moored.dev', volumeHandle: 'x', volumeAttributes: { path: '/srv\0' } } }),
      ['spec.csi.volumeAttributes.path: "/srv\\u0000" contains control characters'],
    ],
    [
      'no handle',
      volume({ csi: { driver: 'loop.moored.dev', volumeAttributes: { path: '/a' } } }),
      ['spec.csi.volumeHandle: required'],
    ],
    [
      'a handle that climbs',
      volume({ csi: { driver: 'loop.moored.dev', volumeHandle: 'a/../b', volumeAttributes: { path: '/a' } } }),
      [/^spec.csi.volumeHandle: "a\/..\/b" is not a legal handle/],
    ],
    [
      'a long handle',
      volume({ csi: { driver: 'loop.moored.dev', volumeHandle: 'x'.repeat(129), volumeAttributes: { path: '/a' } } }),
      [/^spec.csi.volumeHandle: .* is longer than 128 bytes$/],
    ],
    [
      'a fsType that is none of ours',
      volume({
        csi: { driver: 'loop.moored.dev', volumeHandle: 'x', fsType: 'vfat', volumeAttributes: { path: '/a' } },
      }),
      ['spec.csi.fsType: "vfat" is not one of ext4, xfs, btrfs'],
    ],

    ['a class without a provisioner', storageClass({ provisioner: null }), ['provisioner: required']],
    [
      'a class that recycles',
      storageClass({ reclaimPolicy: 'Recycle' }),
      ['reclaimPolicy: "Recycle" is not one of Retain, Delete'],
    ],
    [
      'a binding mode',
      storageClass({ volumeBindingMode: 'WaitForFirstCustomer' }),
      [
        'volumeBindingMode: "WaitForFirstCustomer" is not one of Immediate, WaitForFirstConsumer, did you mean "WaitForFirstConsumer"?',
      ],
    ],
    ['a class with a spec', storageClass({ spec: {} }), [/^spec: unknown field/]],
    [
      'a misspelt parameter',
      storageClass({ parameters: { fstype: 'xfs' } }),
      ['parameters.fstype: unknown field, did you mean "fsType"?'],
    ],
    [
      'a directory that climbs',
      storageClass({ parameters: { directory: '/srv/../etc' } }),
      ['parameters.directory: "/srv/../etc" contains ".."'],
    ],
    [
      'a filesystem of a class',
      storageClass({ parameters: { 'csi.storage.k8s.io/fstype': 'zfs' } }),
      ['parameters["csi.storage.k8s.io/fstype"]: "zfs" is not one of ext4, xfs, btrfs, did you mean "xfs"?'],
    ],
    [
      'two filesystems of a class',
      storageClass({ parameters: { fsType: 'xfs', 'csi.storage.k8s.io/fstype': 'ext4' } }),
      ['parameters.fsType: "xfs" disagrees with "ext4" in csi.storage.k8s.io/fstype'],
    ],
  ];

  it.each(cases)('%s', (_title, value, expected) => {
    const problems = problemsOf(value);
    expect(problems).toEqual(expected.map((line) => (typeof line === 'string' ? line : expect.stringMatching(line))));
  });

  it('a document nested without end', () => {
    let deep: unknown = {};
    for (let level = 0; level < 5000; level += 1) deep = { a: deep };
    expect(problemsOf(pod({ affinity: deep }))).toEqual(['spec.affinity.a.a.a: nested deeper than 100 levels']);
  });

  it('a key that reaches for the prototype', () => {
    const value = JSON.parse(
      '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"__proto__":{"x":1}}}',
    ) as unknown;
    expect(problemsOf(value)).toEqual(['spec.__proto__: the key "__proto__" is refused']);
  });
});

it('leaves what it was given alone', () => {
  const value = { ...volume({ claimRef: { namespace: 'a', name: 'b', uid: 'c' } }), status: { phase: 'Bound' } };
  const before = structuredClone(value);
  decodeDocument(value);
  expect(value).toEqual(before);
});

describe('a StatefulSet', () => {
  const template = { metadata: { name: 'data' }, spec: claim({})['spec'] };

  function set(spec: Fields): Fields {
    return {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db' },
      spec: {
        selector: { matchLabels: { app: 'db' } },
        template: { metadata: { labels: { app: 'db' } }, spec: { containers: [] } },
        ...spec,
      },
    };
  }

  function problemsOf(spec: Fields): readonly string[] {
    const [decoded] = decodeDocument(set(spec));
    return decoded?.outcome === 'invalid' ? decoded.problems.map(({ path, message }) => `${path}: ${message}`) : [];
  }

  it('is taken with its defaults', () => {
    const [decoded] = decodeDocument(set({ volumeClaimTemplates: [template], minReadySeconds: 3 }));
    expect(decoded).toMatchObject({
      outcome: 'object',
      object: {
        metadata: { name: 'db', namespace: 'default' },
        spec: {
          replicas: 1,
          podManagementPolicy: 'OrderedReady',
          minReadySeconds: 3,
          volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { volumeMode: 'Filesystem' } }],
        },
      },
    });
  });

  const uses = (name: string) => ({ containers: [{ name: 'c', volumeMounts: [{ name, mountPath: '/data' }] }] });
  const labels = { app: 'db' };

  it.each<[Fields, RegExp]>([
    [{ volumeClaimTemplate: [] }, /volumeClaimTemplate: unknown field, did you mean "volumeClaimTemplates"/],
    [{ replicas: -1 }, /spec.replicas: want a whole number from 0 on, found -1/],
    [{ ordinals: { start: 1.5 } }, /spec.ordinals.start: want a whole number/],
    [{ podManagementPolicy: 'parallel' }, /did you mean "Parallel"/],
    [{ persistentVolumeClaimRetentionPolicy: { whenDeleted: 'delete' } }, /did you mean "Delete"/],
    [{ selector: {} }, /spec.selector: required/],
    [{ selector: { matchLabels: { app: 'other' } } }, /spec.template.metadata.labels: do not match spec.selector/],
    [{ volumeClaimTemplates: [template, template] }, /volumeClaimTemplates\[1\].metadata.name: a template "data" is/],
    [{ volumeClaimTemplates: [{ metadata: {}, spec: template.spec }] }, /volumeClaimTemplates\[0\].metadata.name: req/],
    [{ template: { metadata: { labels }, spec: uses('data') } }, /spec.template.spec.*"data" is not declared/],
  ])('is refused with %j', (spec, problem) => {
    expect(problemsOf(spec).join('\n')).toMatch(problem);
  });

  it('may mount the claims of its templates', () => {
    const spec = { template: { metadata: { labels }, spec: uses('data') }, volumeClaimTemplates: [template] };
    expect(problemsOf(spec)).toEqual([]);
  });
});
