import { describe, expect, it } from 'vitest';
import { localPlugin } from '../../plugins/local/plugin.ts';
import { localProvisioner } from '../../plugins/local/provisioner.ts';
import { loopPlugin } from '../../plugins/loop/plugin.ts';
import { MemoryEventRecorder } from '../adapters/memory-event-recorder.ts';
import { MemoryStateStore } from '../adapters/memory-state-store.ts';
import { StateObjectStore } from '../adapters/state-object-store.ts';
import { keyOf } from '../api/meta.ts';
import type { StoredObject } from '../api/object.ts';
import { claim, podUsing, storageClass, volume } from '../api/testing/storage-objects.ts';
import { nodesOf } from '../plan/this-node.ts';
import type { Logger } from '../ports/logger.ts';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import { FakeHost, finalError } from '../ports/testing/fake-host.ts';
import { diskLayout } from '../world/disk-layout.ts';
import { ClaimController } from './claim-controller.ts';
import { Provisioning } from './provisioning.ts';

const nothing = (): void => {};
const logger: Logger = { info: nothing, warn: nothing, debug: nothing, error: nothing };
const gold = { spec: { storageClassName: 'gold' } };
const deleting = storageClass('gold', { reclaimPolicy: 'Delete' });
const image = '/r/images/default/data-uid-data.img';

/** The real controller and the real provisioning on a fake machine. */
class Daemon {
  readonly host: FakeHost;
  readonly clock = new FakeClock();
  readonly events = new MemoryEventRecorder(this.clock);
  readonly objects: StateObjectStore;
  readonly controller: ClaimController;

  constructor(objects: readonly StoredObject[], host = new FakeHost(), state = new MemoryStateStore()) {
    this.host = host;
    this.objects = new StateObjectStore(state);
    for (const object of objects) this.objects.create(object);
    const common = { objects: this.objects, clock: this.clock, events: this.events, logger };
    const { images, recycler, mountTable } = host;
    const provisioning = new Provisioning({
      ...common,
      ...{
        images,
        recycler,
        mountTable,
        plugins: [loopPlugin, localPlugin, localProvisioner],
        layout: diskLayout('/r'),
      },
      ...{ newUid: () => 'uid-made', hostname: 'node1' },
      isLocal: (path) => !path.startsWith('/nfs/'),
      restoring: { restore: () => Promise.reject(new Error('nothing here is made of a snapshot')) },
      isImageInUse: () => false,
      isVolumeInUse: () => false,
      onTrashed: () => {},
      nodeExpansion: () => ({ expandedBytes: 0n, isRunning: false }),
    });
    const nodes = () => nodesOf({ name: 'node1', labels: {} }, []);
    this.controller = new ClaimController({ ...common, provisioning, nodes, isHere: () => true, random: () => 0 });
  }

  async settle(): Promise<this> {
    this.controller.sync();
    await this.controller.idle();
    return this;
  }

  async later(): Promise<this> {
    this.clock.advance(200_000);
    return this.settle();
  }

  get phases(): readonly string[] {
    const all = [...this.objects.list('PersistentVolume'), ...this.objects.list('PersistentVolumeClaim')];
    return all.map(({ metadata, status }) => `${metadata.name} ${status?.phase ?? '-'}`);
  }

  get told(): readonly string[] {
    return this.events.list().map(({ reason, message }) => `${reason}: ${message}`);
  }

  remove(object: StoredObject): void {
    const current = this.objects.get(keyOf(object));
    if (current !== undefined) this.objects.remove(keyOf(current), current.metadata.resourceVersion);
  }
}

describe('Provisioning', () => {
  it('makes the image with the identity of its claim, then the volume', async () => {
    const daemon = await new Daemon([deleting, claim('data', '1Gi', gold)]).settle();
    expect(daemon.phases).toEqual(['pvc-uid-data Bound', 'data Bound']);
    expect(daemon.host.imageFiles.get(image)?.sidecar).toMatchObject({
      volumeHandle: 'pvc-uid-data',
      claim: { namespace: 'default', name: 'data', uid: 'uid-data' },
    });
  });

  it('waits when the pool is full, says so, and goes on when there is room', async () => {
    const daemon = new Daemon([deleting, claim('data', '1Gi', gold)]);
    const full = finalError('Cannot create image: 1Gi wanted, 3Mi free', 'ResourceExhausted');
    daemon.host.effects.next('createImage', { kind: 'fail', error: full });
    await daemon.settle();
    expect(daemon.phases).toEqual(['data Pending']);
    expect(daemon.told).toEqual(['ProvisioningFailed: Cannot create image: 1Gi wanted, 3Mi free']);
    expect(daemon.controller.waits.get('PersistentVolumeClaim/default/data')?.error?.code).toBe('ResourceExhausted');
    await daemon.later();
    expect(daemon.phases).toEqual(['pvc-uid-data Bound', 'data Bound']);
  });

  it('looks at a clone again as soon as its source is bound, whatever else changes', async () => {
    const dataSource = { kind: 'PersistentVolumeClaim', name: 'data' };
    const daemon = new Daemon([deleting, claim('copy', '1Gi', { spec: { ...gold.spec, dataSource } })]);
    await daemon.settle();
    expect(daemon.told).toEqual([expect.stringContaining('error getting PVC data')]);
    daemon.objects.create(claim('data', '1Gi', gold));
    await daemon.settle();
    expect(daemon.phases).toContain('data Bound');
    expect(daemon.told).toContain(
      'ProvisioningFailed: Cannot serve "PersistentVolumeClaim/default/copy": nothing here is made of a snapshot',
    );
  });

  it('selects the node anew when there was no room on it, without going round in a circle', async () => {
    const late = storageClass('gold', { volumeBindingMode: 'WaitForFirstConsumer' });
    const daemon = new Daemon([late, claim('data', '1Gi', gold), podUsing('web', 'data')]);
    const full = finalError('Cannot create image: 1Gi wanted, 3Mi free', 'ResourceExhausted');
    daemon.host.effects.next('createImage', { kind: 'fail', error: full });
    await daemon.settle();
    expect(daemon.phases).toEqual(['data Pending']);
    expect(Number(daemon.objects.list('PersistentVolumeClaim')[0]?.metadata.resourceVersion)).toBeLessThan(12);
    await daemon.later();
    expect(daemon.phases).toEqual(['pvc-uid-data Bound', 'data Bound']);
    const [data] = daemon.objects.list('PersistentVolumeClaim');
    expect(data?.metadata.annotations).toMatchObject({ 'volume.kubernetes.io/selected-node': 'node1' });
  });

  it('makes a directory of a class of local.moored.dev, and says that nothing limits it', async () => {
    const provisioner = 'local.moored.dev';
    const local = storageClass('gold', { provisioner, reclaimPolicy: 'Delete', parameters: { directory: '/srv/v' } });
    const daemon = await new Daemon([local, claim('data', '1Gi', gold)]).settle();
    expect(daemon.phases).toEqual(['pvc-uid-data Bound', 'data Bound']);
    const [volume] = daemon.objects.list('PersistentVolume');
    expect(volume?.metadata.annotations).toMatchObject({
      'moored.dev/capacity': 'not-enforced',
      'pv.kubernetes.io/provisioned-by': provisioner,
    });
    expect(volume?.spec).toMatchObject({
      local: { path: '/srv/v/default/data-uid-data' },
      capacity: { storage: '1Gi' },
    });
    expect(daemon.told.at(-1)).toBe(
      'ProvisioningSucceeded: Successfully provisioned volume pvc-uid-data; nothing limits it to its capacity',
    );
  });

  it('refuses a directory of the root dir for a pod that waits, and goes on with others', async () => {
    const parameters = { directory: '/r/images' };
    const delayed = { provisioner: 'local.moored.dev', volumeBindingMode: 'WaitForFirstConsumer', parameters } as const;
    const late = storageClass('gold', delayed);
    const daemon = new Daemon([late, claim('data', '1Gi', gold), podUsing('web', 'data')]);
    daemon.host.images.space = () => ({ sizeBytes: 1n << 40n, freeBytes: 1n << 40n });
    await daemon.settle();
    expect(daemon.phases).toEqual(['data Pending']);
    expect(daemon.told.at(-1)).toMatch(/^ProvisioningFailed: Cannot provision below "\/r\/images": .* moored's own/);
  });

  it('touches nothing that is served from elsewhere', async () => {
    const remote = storageClass('gold', { parameters: { directory: '/nfs/images' } });
    const daemon = await new Daemon([remote, claim('data', '1Gi', gold)]).settle();
    expect(daemon.phases).toEqual(['data Pending']);
    expect(daemon.told).toEqual([
      expect.stringMatching(/^ProvisioningFailed: Cannot provision "\/nfs.*served from else/),
    ]);
    expect(daemon.host.imageFiles.size).toBe(0);
  });

  it('goes on when it cannot be seen how much room there is', async () => {
    const late = storageClass('gold', { volumeBindingMode: 'WaitForFirstConsumer' });
    const daemon = new Daemon([late, claim('data', '1Gi', gold), podUsing('web', 'data')]);
    daemon.host.images.space = () => {
      throw finalError('Cannot look for room: input/output error');
    };
    await daemon.settle();
    expect(daemon.phases).toEqual(['pvc-uid-data Bound', 'data Bound']);
  });

  it('pv/11-20: refuses a mount option of the class that the plugin does not take, and makes nothing', async () => {
    const suid = storageClass('gold', { mountOptions: ['suid'] });
    const daemon = await new Daemon([suid, claim('data', '1Gi', gold)]).settle();
    expect(daemon.phases).toEqual(['data Pending']);
    expect(daemon.told).toEqual([expect.stringMatching(/^ProvisioningFailed: Cannot use mount option "suid"/)]);
    expect(daemon.host.imageFiles.size).toBe(0);
  });

  it('finds the image again that was made before a crash', async () => {
    const state = new MemoryStateStore();
    const host = new FakeHost();
    const first = new Daemon([deleting, claim('data', '1Gi', gold)], host, state);
    // Died after the image, before the volume was in the store.
    host.images.create(image, {
      ...{ apiVersion: 'moored.dev/v1', driver: 'loop.moored.dev', volumeHandle: 'pvc-uid-data' },
      ...{ sizeBytes: String(2 ** 30), fsType: 'ext4', createdAt: first.clock.timestamp() },
    });
    const inode = host.imageFiles.get(image)?.inode;
    const daemon = await new Daemon([], host, state).settle();
    expect(daemon.phases).toEqual(['pvc-uid-data Bound', 'data Bound']);
    expect(host.imageFiles.get(image)?.inode).toBe(inode);
  });
});

describe('policy Delete', () => {
  it('ends well when somebody had deleted the image by hand', async () => {
    const daemon = await new Daemon([deleting, claim('data', '1Gi', gold)]).settle();
    daemon.host.imageFiles.delete(image);
    daemon.remove(claim('data'));
    await daemon.settle();
    expect(daemon.phases).toEqual([]);
    expect(daemon.told.at(-1)).toBe('VolumeDeleted: its data was gone already');
  });

  it('fails, and leaves it alone, when another file is in its place', async () => {
    const daemon = await new Daemon([deleting, claim('data', '1Gi', gold)]).settle();
    const made = daemon.host.imageFiles.get(image);
    if (made === undefined) return expect.unreachable();
    const { sidecar: _sidecar, ...foreign } = made;
    daemon.host.imageFiles.set(image, { ...foreign, inode: 7_777n });
    daemon.remove(claim('data'));
    await daemon.settle();
    expect(daemon.phases).toEqual(['pvc-uid-data Failed']);
    expect(daemon.host.imageFiles.get(image)?.inode).toBe(7_777n);
    daemon.host.imageFiles.set(image, made);
    await daemon.later();
    expect(daemon.phases).toEqual([]);
    expect(daemon.host.trash.size).toBe(1);
  });

  it('touches nothing while the end of the claim is not on disk', async () => {
    const daemon = await new Daemon([deleting, claim('data', '1Gi', gold)]).settle();
    daemon.objects.durable = () => Promise.reject(finalError('disk is on fire'));
    daemon.remove(claim('data'));
    await daemon.settle();
    expect(daemon.phases).toEqual(['pvc-uid-data Failed']);
    expect(daemon.host.imageFiles.has(image)).toBe(true);
  });
});

describe('policy Recycle', () => {
  const local = (name: string, path: string) => {
    const one = volume(name, '1Gi', {
      ...{ phase: 'Bound', claim: 'gone/uid-gone', marks: ['bbc'] },
      spec: { persistentVolumeReclaimPolicy: 'Recycle', local: { path } },
    });
    const { csi: _csi, ...spec } = one.spec;
    return { ...one, spec };
  };

  it('empties the directory and nothing beside it', async () => {
    const host = new FakeHost();
    for (const path of ['/srv/a/x/y', '/srv/ab']) host.directories.ensureDirectory(path);
    const daemon = await new Daemon([local('one', '/srv/a/')], host).settle();
    expect(daemon.phases).toEqual(['one Available']);
    expect([host.directories.list('/srv/a'), host.directories.list('/srv')]).toEqual([[], ['a', 'ab']]);
  });

  it.each(['/srv/a', '/srv/a/x', '/srv'])('refuses while another volume is at %s', async (path) => {
    const host = new FakeHost();
    host.directories.ensureDirectory('/srv/a/x');
    const other = { ...local('two', path), status: { phase: 'Available' as const } };
    const { claimRef: _claimRef, ...spec } = other.spec;
    const daemon = await new Daemon([local('one', '/srv/a'), { ...other, spec }], host).settle();
    expect(daemon.phases).toEqual(['one Failed', 'two Available']);
    expect(daemon.told).toEqual([
      'VolumeFailedRecycle: Cannot recycle volume "one": volume "two" is in the same directory',
    ]);
    expect(host.directories.list('/srv/a')).toEqual(['x']);
  });

  it('never takes "/" or a device for a directory to empty', async () => {
    const daemon = await new Daemon([local('root', '//'), local('disk', '/dev/sdx')]).settle();
    expect(daemon.phases).toEqual(['root Failed', 'disk Failed']);
    expect(daemon.host.effects.calls.get('empty')).toBeUndefined();
  });
});
