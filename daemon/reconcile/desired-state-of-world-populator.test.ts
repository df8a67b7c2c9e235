import { describe, expect, it } from 'vitest';
import { emptyDirPlugin } from '../../plugins/empty-dir/plugin.ts';
import { loopPlugin } from '../../plugins/loop/plugin.ts';
import { nfsPlugin } from '../../plugins/nfs/plugin.ts';
import { MemoryStateStore } from '../adapters/memory-state-store.ts';
import { StateObjectStore } from '../adapters/state-object-store.ts';
import type { StoredObject } from '../api/object.ts';
import type { PersistentVolumeSpec, StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { PersistentVolumeClaimSpec, PersistentVolumeClaimStatus } from '../api/persistent-volume-claim.ts';
import type { PodSpec, StoredPod, Volume } from '../api/pod.ts';
import { storedNode } from '../api/testing/nodes.ts';
import { nodesOf } from '../plan/this-node.ts';
import type { DesiredStateOfWorld } from '../world/desired-state-of-world.ts';
import { diskLayout } from '../world/disk-layout.ts';
import { type PopulatorOptions, populate } from './desired-state-of-world-populator.ts';

const layout = diskLayout('/r');

function meta(name: string, namespace = 'default') {
  return {
    name,
    namespace,
    uid: `uid-${name}`,
    resourceVersion: '0',
    generation: 1,
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
}

function pod(name: string, spec: PodSpec, change: Partial<StoredPod> = {}): StoredPod {
  return { apiVersion: 'v1', kind: 'Pod', metadata: meta(name), spec, ...change };
}

function claim(
  name: string,
  spec: Partial<PersistentVolumeClaimSpec> = {},
  status: PersistentVolumeClaimStatus = { phase: 'Bound' },
): StoredObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: meta(name),
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '64Mi' } },
      volumeName: `pv-${name}`,
      ...spec,
    },
    status,
  };
}

function volume(name: string, spec: Partial<PersistentVolumeSpec> = {}): StoredObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: meta(`pv-${name}`, ''),
    spec: {
      capacity: { storage: '64Mi' },
      accessModes: ['ReadWriteOnce'],
      claimRef: { namespace: 'default', name, uid: `uid-${name}` },
      csi: { driver: 'loop.moored.dev', volumeHandle: name, volumeAttributes: { path: `/images/${name}.img` } },
      ...spec,
    },
    status: { phase: 'Bound' },
  };
}

const dataVolume: Volume = { name: 'v', persistentVolumeClaim: { claimName: 'data' } };
const usesData: PodSpec = { volumes: [dataVolume] };

function world(
  objects: readonly StoredObject[],
  complete = true,
  isHere: PopulatorOptions['isHere'] = () => false,
): DesiredStateOfWorld {
  const store = new StateObjectStore(new MemoryStateStore());
  for (const object of objects) store.create(object);
  const nodes = nodesOf({ name: 'node1', labels: { zone: 'a' } }, store.list('Node'));
  return populate({
    objects: store,
    plugins: [emptyDirPlugin, loopPlugin, nfsPlugin],
    layout,
    complete,
    nodes,
    isHere,
  });
}

/** "volume name <- pod uids", and the messages of what could not be resolved. */
function shown(objects: readonly StoredObject[]) {
  const { volumes, errors } = world(objects);
  return {
    volumes: [...volumes.values()].map(({ name, pods }) => `${name} <- ${[...pods.keys()].join(' ')}`),
    errors: [...errors.values()].flat().map(({ pod: { name }, error }) => `${name}: ${error.message}`),
  };
}

const csiData = 'kubernetes.io/csi/loop.moored.dev^data';

describe('populate: what a pod wants', () => {
  it("resolves a bound claim to its volume, at the kubelet's paths", () => {
    const dsw = world([claim('data'), volume('data'), pod('web', usesData)]);
    const [wanted] = dsw.volumes.values();
    expect(wanted).toMatchObject({
      name: csiData,
      plugin: 'loop.moored.dev',
      subject: 'claim default/data',
      recipe: {
        attachment: { kind: 'image', path: '/images/data.img', readOnly: false, isOwned: false, volumeHandle: 'data' },
        deviceMount: { fsType: 'ext4', readOnly: false, options: [] },
      },
    });
    expect(wanted?.recipe.globalMountPath).toMatch(
      /^\/r\/plugins\/kubernetes\.io\/csi\/loop\.moored\.dev\/[0-9a-f]{64}\/globalmount$/,
    );
    expect(wanted?.pods.get('uid-web')).toEqual({
      pod: { namespace: 'default', name: 'web', uid: 'uid-web' },
      specName: 'pv-data',
      outerNames: ['v'],
      targetPath: '/r/pods/uid-web/volumes/kubernetes.io~csi/pv-data/mount',
      mount: { kind: 'bind', readOnly: false },
    });
    expect(dsw).toMatchObject({ errors: new Map(), complete: true });
  });

  it('passes on whether the sources were all read', () => {
    expect(world([], false).complete).toBe(false);
  });

  it('gives two pods of one claim one volume', () => {
    expect(shown([claim('data'), volume('data'), pod('web', usesData), pod('api', usesData)])).toEqual({
      volumes: [`${csiData} <- uid-web uid-api`],
      errors: [],
    });
  });

  it('gives each pod its own emptyDir and inline volume', () => {
    const spec: PodSpec = {
      volumes: [
        { name: 'tmp', emptyDir: {} },
        { name: 'mem', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        { name: 'own', csi: { driver: 'loop.moored.dev', volumeAttributes: { size: '64Mi', fsType: 'xfs' } } },
      ],
    };
    const dsw = world([pod('web', spec), pod('api', spec)]);
    expect(dsw.volumes.size).toBe(6);
    expect([...dsw.volumes.values()].map(({ pods }) => pods.size)).toEqual([1, 1, 1, 1, 1, 1]);
    expect([...dsw.volumes.values()].slice(0, 2).map(({ pods }) => pods.get('uid-web')?.mount)).toEqual([
      { kind: 'directory' },
      { kind: 'tmpfs', sizeBytes: '1048576' },
    ]);
    expect([...dsw.volumes.values()][2]?.recipe).toMatchObject({
      attachment: { create: { sizeBytes: '67108864' }, isOwned: true, path: '/r/images/default/web.own-uid-web.img' },
      deviceMount: { fsType: 'xfs' },
    });
  });

  it('Test_AddPodToVolume_Positive_MultiOuterNames: two names of one claim share a mount, writable if one is', () => {
    const readOnly: Volume = { name: 'r', persistentVolumeClaim: { claimName: 'data', readOnly: true } };
    for (const volumes of [
      [readOnly, dataVolume],
      [dataVolume, readOnly],
    ]) {
      const [wanted] = world([claim('data'), volume('data'), pod('web', { volumes })]).volumes.values();
      expect(wanted?.pods.get('uid-web')).toMatchObject({
        outerNames: volumes.map(({ name }) => name),
        mount: { kind: 'bind', readOnly: false },
      });
    }
    const [both] = world([
      claim('data'),
      volume('data'),
      pod('web', { volumes: [readOnly, { ...readOnly, name: 's' }] }),
    ]).volumes.values();
    expect(both?.pods.get('uid-web')?.mount).toEqual({ kind: 'bind', readOnly: true });
  });

  it('mounts read-only for the pod that asks, without changing the volume for others', () => {
    const readOnly = { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data', readOnly: true } }] };
    const dsw = world([claim('data'), volume('data'), pod('web', usesData), pod('api', readOnly)]);
    const [wanted] = dsw.volumes.values();
    expect(wanted?.recipe.deviceMount?.readOnly).toBe(false);
    expect([...(wanted?.pods.values() ?? [])].map(({ mount }) => mount)).toEqual([
      { kind: 'bind', readOnly: false },
      { kind: 'bind', readOnly: true },
    ]);
    expect(dsw.errors.size).toBe(0);
  });

  it('leaves volumes alone that no container uses, and takes init and ephemeral containers into account', () => {
    const spec: PodSpec = {
      volumes: [
        dataVolume,
        { name: 'tmp', emptyDir: {} },
        { name: 'debug', emptyDir: {} },
        { name: 'unused', emptyDir: {} },
      ],
      containers: [{ name: 'c', volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }] }],
      initContainers: [{ name: 'i', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
      ephemeralContainers: [{ name: 'e', volumeMounts: [{ name: 'debug', mountPath: '/d' }] }],
    };
    const dsw = world([claim('data'), volume('data'), pod('web', spec)]);
    expect([...dsw.volumes.values()].flatMap(({ pods }) => pods.get('uid-web')?.outerNames)).toEqual([
      'v',
      'tmp',
      'debug',
    ]);
  });

  it.each([
    ['its file is gone', { metadata: { ...meta('web'), deletionTimestamp: '2026-01-01T00:00:00Z' } }],
    ['it has succeeded', { status: { phase: 'Succeeded' } }],
    ['it has failed', { status: { phase: 'Failed' } }],
  ])('wants nothing for a pod when %s', (_name, change) => {
    expect(shown([claim('data'), volume('data'), pod('web', usesData, change)])).toEqual({ volumes: [], errors: [] });
  });

  it('wants it for a pod that runs or whose phase is not said', () => {
    for (const change of [{}, { status: {} }, { status: { phase: 'Running' } }]) {
      expect(world([claim('data'), volume('data'), pod('web', usesData, change)]).volumes.size).toBe(1);
    }
  });
});

describe('populate: what cannot be resolved', () => {
  const bound = [claim('data'), volume('data')];
  const block: PodSpec = {
    volumes: [dataVolume],
    containers: [{ name: 'c', volumeDevices: [{ name: 'v', devicePath: '/dev/x' }] }],
  };

  it.each([
    ['a claim that is not there', [], 'claim "data" not found'],
    ['an unbound claim', [claim('data', {}, { phase: 'Pending' })], 'claim "data" is Pending'],
    ['a claim without status', [claim('data', {}, {})], 'claim "data" is Pending'],
    ['a lost claim', [claim('data', {}, { phase: 'Lost' }), volume('data')], 'claim "data" is Lost'],
    ['a claim whose volume is gone', [claim('data')], 'claim "data" is bound to "pv-data", which does not exist'],
    [
      "a volume that is another claim's",
      [claim('data'), volume('data', { claimRef: { namespace: 'default', name: 'data', uid: 'uid-older' } })],
      'volume "pv-data" is not bound to claim "data"',
    ],
    [
      "a volume that is nobody's",
      [claim('data'), volume('data', { claimRef: { namespace: 'default', name: 'data' } })],
      'volume "pv-data" is not bound to claim "data"',
    ],
    [
      'a driver that nobody has',
      [claim('data'), volume('data', { csi: { driver: 'ebs.csi.aws.com', volumeHandle: 'x' } })],
      'no plugin supports CSI driver "ebs.csi.aws.com"',
    ],
  ] as const)('says why for %s, and wants nothing', (_name, objects, cause) => {
    expect(shown([...objects, pod('web', usesData)])).toEqual({
      volumes: [],
      errors: [`web: Cannot resolve volume "v": ${cause}`],
    });
  });

  it('Test_CreateVolumeSpec_Invalid_Block_VolumeMounts: a volume mode that is used the other way', () => {
    expect(shown([...bound, pod('web', block)]).errors).toEqual([
      'web: Cannot resolve volume "v": it has volumeMode Filesystem, but is specified in volumeDevices',
    ]);
    expect(shown([claim('data'), volume('data', { volumeMode: 'Block' }), pod('web', usesData)]).errors).toEqual([
      'web: Cannot resolve volume "v": it has volumeMode Block, but is specified in volumeMounts',
    ]);
    expect(shown([claim('data'), volume('data', { volumeMode: 'Block' }), pod('web', block)]).errors).toEqual([]);
  });

  it('refuses an emptyDir as a device', () => {
    const spec = { ...block, volumes: [{ name: 'v', emptyDir: {} }] };
    expect(shown([pod('web', spec)]).errors).toEqual([
      'web: Cannot resolve volume "v": it is not a block volume, but is in volumeDevices',
    ]);
  });

  it('names an inline source that has no plugin', () => {
    expect(shown([pod('web', { volumes: [{ name: 'v', hostPath: { path: '/srv' } }] })]).errors).toEqual([
      'web: Cannot resolve volume "v": no plugin supports source "hostPath"',
    ]);
  });

  it("keeps the pod's other volumes, and the other pods", () => {
    const half: PodSpec = { volumes: [{ name: 'x', persistentVolumeClaim: { claimName: 'later' } }, dataVolume] };
    const result = world([...bound, claim('later', {}, {}), pod('web', half), pod('api', usesData)]);
    expect([...result.volumes.get(csiData as never)!.pods.keys()]).toEqual(['uid-web', 'uid-api']);
    expect([...result.errors.entries()]).toMatchObject([
      ['uid-web', [{ pod: { name: 'web' }, volume: 'x', reason: 'ClaimNotBound' }]],
    ]);
  });

  it('tells every volume of a pod that cannot be resolved', () => {
    const spec: PodSpec = {
      volumes: ['a', 'b'].map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
    };
    expect(shown([pod('web', spec)]).errors).toHaveLength(2);
  });

  it('refuses a second pod on a ReadWriteOncePod volume', () => {
    const once = volume('data', { accessModes: ['ReadWriteOncePod'] });
    expect(shown([claim('data'), once, pod('web', usesData), pod('api', usesData)])).toEqual({
      volumes: [`${csiData} <- uid-web`],
      errors: ['api: Cannot resolve volume "v": it is ReadWriteOncePod and pod "default/web" uses it'],
    });
  });

  it('refuses a second pod on a ReadWriteOncePod volume of which each pod has its own mount', () => {
    const { csi: _csi, ...spec } = (volume('data') as StoredPersistentVolume).spec;
    const nfs = { server: 'filer', path: '/srv' };
    const once: StoredObject = {
      ...(volume('data') as StoredPersistentVolume),
      spec: { ...spec, nfs, accessModes: ['ReadWriteOncePod'] },
    };
    expect(shown([claim('data'), once, pod('web', usesData), pod('api', usesData)])).toEqual({
      volumes: ['kubernetes.io/nfs/uid-web-pv-data <- uid-web'],
      errors: ['api: Cannot resolve volume "v": it is ReadWriteOncePod and pod "default/web" uses it'],
    });
  });

  it('refuses an inline volume with the name, and so the place, of a PersistentVolume of the same pod', () => {
    const { csi: _csi, ...spec } = (volume('data') as StoredPersistentVolume).spec;
    const share: StoredObject = {
      ...(volume('data') as StoredPersistentVolume),
      spec: { ...spec, nfs: { server: 'filer', path: '/srv' } },
    };
    const twin: Volume = { name: 'pv-data', nfs: { server: 'filer', path: '/other' } };
    const result = shown([claim('data'), share, pod('web', { volumes: [dataVolume, twin] })]);
    expect(result.volumes).toEqual(['kubernetes.io/nfs/uid-web-pv-data <- uid-web']);
    expect(result.errors).toEqual([
      'web: Cannot resolve volume "pv-data": "v" of this pod has its place, "/r/pods/uid-web/volumes/kubernetes.io~nfs/pv-data"',
    ]);
  });

  it('refuses one handle that two volumes describe in two ways', () => {
    const twin = volume('twin', {
      csi: { driver: 'loop.moored.dev', volumeHandle: 'data', volumeAttributes: { path: '/elsewhere.img' } },
    });
    const usesTwin = { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'twin' } }] };
    const result = shown([...bound, claim('twin'), twin, pod('web', usesData), pod('api', usesTwin)]);
    expect(result.volumes).toEqual([`${csiData} <- uid-web`]);
    expect(result.errors).toEqual([
      `api: Cannot resolve volume "v": volume "${csiData}" is already wanted in another way`,
    ]);
  });

  it('refuses mount options that are not allowed', () => {
    expect(shown([claim('data'), volume('data', { mountOptions: ['suid'] }), pod('web', usesData)])).toEqual({
      volumes: [],
      errors: ['web: Cannot use mount option "suid": it is not one of the allowed options'],
    });
  });
});

describe('the size of a volume', () => {
  const sizeOf = (status: PersistentVolumeClaimStatus, spec: Partial<PersistentVolumeSpec> = {}) => {
    const grown = volume('data', { capacity: { storage: '128Mi' }, ...spec });
    const { volumes } = world([grown, claim('data', {}, status), pod('web', uses)]);
    return [...volumes.values()][0]?.size;
  };
  const uses: PodSpec = {
    ...usesData,
    containers: [{ name: 'main', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
  };
  const mi = 2n ** 20n;

  it('is what the volume has, beside what its claim is known to have', () => {
    expect(sizeOf({ phase: 'Bound', capacity: { storage: '64Mi' } })).toEqual({
      ...{ persistentVolume: 'pv-data', desiredBytes: 128n * mi, claimBytes: 64n * mi },
    });
  });

  it('is in no recipe: a larger volume is not another one', () => {
    const recipes = ['64Mi', '128Mi'].map((storage) => {
      const { volumes } = world([volume('data', { capacity: { storage } }), claim('data'), pod('web', uses)]);
      return [...volumes.values()][0]?.recipe;
    });
    expect(recipes[0]).toEqual(recipes[1]);
    expect(JSON.stringify(recipes[0])).not.toContain('134217728');
  });

  it('is that of the volume for a claim that was bound before it had a capacity', () => {
    expect(sizeOf({ phase: 'Bound' })).toMatchObject({ desiredBytes: 128n * mi, claimBytes: 128n * mi });
  });

  it.each([
    [
      'that is read-only',
      {
        csi: { driver: 'loop.moored.dev', volumeHandle: 'data', readOnly: true, volumeAttributes: { path: '/x.img' } },
      },
    ],
    ['that is for readers only', { accessModes: ['ReadOnlyMany'] as const }],
  ])('is not looked at for a volume %s', (_name, spec) => {
    expect(sizeOf({ phase: 'Bound', capacity: { storage: '64Mi' } }, spec)).toBeUndefined();
  });
});

describe('populate: which node', () => {
  const required = (zone: string) => ({
    required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] } as const] }] },
  });
  const bound = (zone: string) => [claim('data'), volume('data', { nodeAffinity: required(zone) })];
  const errorsOf = ({ errors }: DesiredStateOfWorld) =>
    [...errors.values()].flat().map(({ reason, error }) => `${reason}: ${error.message}`);

  it('mounts what a pod for this node wants, and nothing of one for another', () => {
    const objects = [...bound('a'), pod('web', { ...usesData, nodeName: 'node1' })];
    expect(shown(objects)).toEqual({ volumes: [`${csiData} <- uid-web`], errors: [] });
    const other = world([...bound('a'), pod('web', { ...usesData, nodeName: 'node2' })]);
    expect([...other.volumes]).toEqual([]);
    expect(errorsOf(other)).toEqual([
      'OtherNode: Cannot resolve volume "v": the pod is for node "node2", and this machine is "node1"',
    ]);
  });

  it('refuses a pod by its selector, and counts the nodes of the manifests', () => {
    const spec = { ...usesData, nodeSelector: { zone: 'b' } };
    const objects = [...bound('a'), pod('web', spec), storedNode('node2', { labels: { zone: 'b' } })];
    expect(errorsOf(world(objects))).toEqual([
      'FailedScheduling: Cannot resolve volume "v": 0/2 nodes are available: ' +
        "1 node(s) are another machine, 1 node(s) didn't match Pod's node affinity/selector.",
    ]);
    expect(world(objects, true, (uid) => uid === 'uid-web').errors.size, 'it is here already').toBe(0);
  });

  it('looks at the affinity of a volume once more before it is mounted, and not after', () => {
    const objects = [...bound('b'), pod('web', usesData)];
    expect(errorsOf(world(objects))).toEqual([
      'VolumeNotResolved: Cannot resolve volume "v": volume "pv-data" cannot be reached from node "node1": ' +
        'no matching NodeSelectorTerms',
    ]);
    const isHere = (uid: string, name?: string) => uid === 'uid-web' && name === csiData;
    expect(world(objects, true, isHere).errors.size).toBe(0);
  });
});
