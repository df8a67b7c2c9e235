/** What upstream's tables (integration/cases/snap) do not look at: freezes, restores, a daemon that dies. */
import { describe, expect, test } from 'vitest';
import { loopPlugin } from '../../plugins/loop/plugin.ts';
import { MemoryEventRecorder } from '../adapters/memory-event-recorder.ts';
import { MemoryStateStore } from '../adapters/memory-state-store.ts';
import { StateObjectStore } from '../adapters/state-object-store.ts';
import { objectKey } from '../api/meta.ts';
import type { StoredObject } from '../api/object.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { claim, storageClass, volume } from '../api/testing/storage-objects.ts';
import type { StoredVolumeSnapshot } from '../api/volume-snapshot.ts';
import type { StoredVolumeSnapshotClass } from '../api/volume-snapshot-class.ts';
import type { StoredVolumeSnapshotContent } from '../api/volume-snapshot-content.ts';
import { annotations, finalizers } from '../api/well-known.ts';
import type { CopyWay } from '../ports/image-copies.ts';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import { FakeHost, finalError } from '../ports/testing/fake-host.ts';
import type { VolumesInUse } from '../ports/volumes-in-use.ts';
import { diskLayout } from '../world/disk-layout.ts';
import { StorageError } from '../world/storage-error.ts';
import { Snapshots } from './snapshots.ts';

const nothing = (): void => {};
const logger = { info: nothing, warn: nothing, debug: nothing, error: nothing };
const created = '2026-01-01T00:00:00Z';
const snapshotPath = '/root/images/.snapshots/default/monday-uid-monday.img';

function meta(name: string, namespace = '') {
  return { name, namespace, uid: `uid-${name}`, resourceVersion: '0', generation: 1, creationTimestamp: created };
}

const snapshotClass = (
  name = 'nightly',
  change: Partial<StoredVolumeSnapshotClass['spec']> = {},
  isDefault = false,
): StoredVolumeSnapshotClass => ({
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshotClass',
  metadata: { ...meta(name), annotations: isDefault ? { [annotations.isDefaultSnapshotClass]: 'true' } : {} },
  spec: { driver: 'loop.moored.dev', deletionPolicy: 'Delete', ...change },
});

const snapshot = (
  change: Partial<StoredVolumeSnapshot['spec']> = { volumeSnapshotClassName: 'nightly' },
): StoredVolumeSnapshot => ({
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshot',
  metadata: { ...meta('monday', 'default'), finalizers: [finalizers.snapshotAsSource, finalizers.snapshotBound] },
  spec: { source: { persistentVolumeClaimName: 'data' }, ...change },
});

const restoring = (createdAt = created): StoredPersistentVolumeClaim => {
  const base = claim('restored');
  const dataSource = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'monday' };
  return { ...base, metadata: { ...base.metadata, creationTimestamp: createdAt }, spec: { ...base.spec, dataSource } };
};

/** A claim that is bound to an image of ours. */
function boundClaim(): readonly StoredObject[] {
  const bound = claim('data');
  return [
    { ...bound, spec: { ...bound.spec, volumeName: 'pv' }, status: { phase: 'Bound', capacity: { storage: '1Gi' } } },
    volume('pv', '1Gi', { phase: 'Bound', claim: 'data/uid-data' }),
  ];
}

class Scene {
  readonly host = new FakeHost();
  readonly state = new MemoryStateStore();
  readonly clock = new FakeClock();
  readonly events = new MemoryEventRecorder(this.clock);
  way: CopyWay = { kind: 'atRest' };
  isHeld = false;
  mounted: Awaited<ReturnType<VolumesInUse['mountPointOf']>> = { isAttached: false };
  objects = new StateObjectStore(this.state);
  snapshots = this.#start();

  constructor(...objects: readonly StoredObject[]) {
    this.host.addImage('/images/pv.img', 'ext4');
    for (const object of objects) this.objects.create(object);
  }

  #start(): Snapshots {
    return new Snapshots({
      ...{ objects: this.objects, state: this.state, plugins: [loopPlugin], layout: diskLayout('/root') },
      ...{
        imageCopies: this.host.imageCopies,
        clock: this.clock,
        events: this.events,
        logger,
        random: () => 0,
        copyLimit: 1,
      },
      volumesInUse: {
        hold: () => (this.isHeld ? undefined : { [Symbol.dispose]: nothing }),
        copyWay: () => Promise.resolve(this.way),
        mountPointOf: () => Promise.resolve(this.mounted),
      },
    });
  }

  /** Another daemon on the same state. */
  restart(): void {
    this.objects = new StateObjectStore(this.state);
    this.snapshots = this.#start();
  }

  async settle(): Promise<this> {
    for (let round = 0; round < 8; round++) {
      this.snapshots.sync();
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
    return this;
  }

  get snapshot(): StoredVolumeSnapshot | undefined {
    return this.objects.get(objectKey('VolumeSnapshot', 'default', 'monday')) as StoredVolumeSnapshot | undefined;
  }

  content(name = 'snapcontent-uid-monday'): StoredVolumeSnapshotContent | undefined {
    return this.objects.get(objectKey('VolumeSnapshotContent', '', name)) as StoredVolumeSnapshotContent | undefined;
  }

  get claimFinalizers(): readonly string[] {
    return this.objects.get(objectKey('PersistentVolumeClaim', 'default', 'data'))?.metadata.finalizers ?? [];
  }

  get reasons(): readonly string[] {
    return this.events.list().map(({ reason }) => reason);
  }

  remove(object: StoredObject | undefined): void {
    if (object === undefined) throw new Error('there is nothing to remove');
    const { namespace, name, resourceVersion } = object.metadata;
    this.objects.remove(objectKey(object.kind, namespace, name), resourceVersion);
  }
}

const taken = (...more: readonly StoredObject[]): Promise<Scene> =>
  new Scene(...boundClaim(), snapshotClass(), snapshot(), ...more).settle();

describe('a freeze', () => {
  const way: CopyWay = { kind: 'frozen', mountPoint: '/m', deviceNumber: '7:0', fsType: 'ext4', limitMs: 1 };

  test('is recorded before the copy, and forgotten after it', async () => {
    const scene = new Scene(...boundClaim(), snapshotClass(), snapshot());
    // The root is mounted on this machine from the start.
    scene.way = { ...way, mountPoint: '/' };
    const copying = Promise.withResolvers<void>();
    scene.host.effects.next('copyImage', { kind: 'hang', until: copying.promise });
    await scene.settle();
    expect([...scene.state.entries('daemon').keys()]).toEqual(['frozen:/']);
    copying.resolve();
    await scene.settle();
    expect(scene.snapshot?.status?.readyToUse).toBe(true);
    expect(scene.content()?.metadata.annotations).toMatchObject({ [annotations.snapshotFrozenMs]: '3' });
    expect([...scene.state.entries('daemon').keys()]).toEqual([]);
  });

  test('that ended nobody knows how is thawed', async () => {
    const scene = new Scene(...boundClaim(), snapshotClass(), snapshot());
    scene.way = way;
    const error = new StorageError('child died', { code: 'Internal', progress: 'uncertain' });
    scene.host.effects.always('copyImage', { kind: 'fail', error });
    await scene.settle();
    expect(scene.host.effects.entries).toEqual(['thaw /m']);
    expect([...scene.state.entries('daemon').keys()]).toEqual([]);
  });

  test('of somebody else is left alone', async () => {
    const scene = new Scene(...boundClaim(), snapshotClass(), snapshot());
    scene.way = way;
    scene.host.effects.always('copyImage', { kind: 'fail', error: finalError('somebody has frozen it already') });
    await scene.settle();
    expect(scene.host.effects.entries).toEqual([]);
    expect([...scene.state.entries('daemon').keys()]).toEqual([]);
  });

  test('that a start finds on record is thawed, again and again until it is', async () => {
    const scene = new Scene();
    scene.state.put('daemon', 'frozen:/m', { mountPoint: '/m', at: created });
    scene.host.frozen.add('/m');
    scene.host.effects.next('thaw', { kind: 'fail', error: finalError('not now') });
    await scene.snapshots.thawAll();
    expect(scene.reasons).toEqual(['FilesystemNotThawed']);
    scene.clock.advance(5_001);
    await scene.settle();
    expect(scene.host.frozen.size).toBe(0);
    expect([...scene.state.entries('daemon').keys()]).toEqual([]);
  });

  test('is thawed where its filesystem is mounted by now, and stays on record while that is nowhere', async () => {
    const scene = new Scene();
    scene.state.put('daemon', 'frozen:/m', { mountPoint: '/m', imagePath: '/images/pv.img', at: created });
    scene.host.frozen.add('/moved');
    scene.mounted = { isAttached: true };
    await scene.snapshots.thawAll();
    expect(scene.reasons).toEqual(['FilesystemNotThawed']);
    expect(scene.host.effects.entries).toEqual([]);
    scene.mounted = { isAttached: true, mountPoint: '/moved' };
    scene.clock.advance(5_001);
    await scene.settle();
    expect(scene.host.frozen.size).toBe(0);
    expect([...scene.state.entries('daemon').keys()]).toEqual([]);
  });
});

describe('protection of the claim', () => {
  test('holds while it is cloned, and is given back', async () => {
    const clone = claim('copy');
    const dataSource = { kind: 'PersistentVolumeClaim', name: 'data' };
    const scene = await new Scene(...boundClaim(), { ...clone, spec: { ...clone.spec, dataSource } }).settle();
    expect(scene.claimFinalizers).toContain(finalizers.cloneProtection);
    const current = scene.objects.get(
      objectKey('PersistentVolumeClaim', 'default', 'copy'),
    ) as StoredPersistentVolumeClaim;
    scene.objects.update({ ...current, spec: { ...current.spec, volumeName: 'pvc-copy' } });
    await scene.settle();
    expect(scene.claimFinalizers).not.toContain(finalizers.cloneProtection);
  });
});

describe('a volume made of a snapshot', () => {
  const layout = diskLayout('/root');
  const wanted = () => {
    const asked = restoring();
    const provisioned = loopPlugin.provision?.(
      { claim: asked, storageClass: storageClass('fast'), now: created, hostname: 'node1' },
      layout,
    );
    if (provisioned === undefined) throw new Error('the plugin makes none');
    return { asked, provisioned };
  };

  test('is copied, says how far it is, and has a UUID of its own before it has its name', async () => {
    const { asked, provisioned } = wanted();
    const scene = await taken(asked);
    const copying = Promise.withResolvers<void>();
    scene.host.effects.next('copyImage', { kind: 'hang', until: copying.promise });
    const made = scene.snapshots.restoring.restore(asked, provisioned, loopPlugin);
    expect(scene.snapshots.waits.get('PersistentVolumeClaim/default/restored')).toMatchObject({
      reason: 'Provisioning',
    });
    copying.resolve();
    // The claim asks for 1Gi, the snapshot has 64Mi: its filesystem is still to be grown.
    expect((await made).annotations).toEqual({ [annotations.preResizeCapacity]: '64Mi' });
    const { path } = provisioned.image;
    expect(scene.host.effects.entries.slice(-3)).toEqual([
      `copyImage ${path}`,
      `renewIdentity ${path}`,
      `publishImage ${path}`,
    ]);
    expect(scene.host.imageFiles.get(path)?.sidecar?.madeOf).toBe('default/monday-uid-monday');
    expect(scene.snapshots.waits.size).toBe(0);
  });

  test('is given up with its claim', async () => {
    const { asked, provisioned } = wanted();
    const scene = await taken(asked);
    const copying = Promise.withResolvers<void>();
    scene.host.effects.next('copyImage', { kind: 'hang', until: copying.promise });
    const made = scene.snapshots.restoring.restore(asked, provisioned, loopPlugin);
    scene.remove(scene.objects.get(objectKey('PersistentVolumeClaim', 'default', 'restored')));
    scene.snapshots.sync();
    copying.resolve();
    await expect(made).rejects.toThrow(/stopped/);
    expect(scene.host.copies.size).toBe(0);
  });
});

describe('a copy', () => {
  test('that was cut off is taken away with its snapshot, also when its volume is gone', async () => {
    const scene = new Scene(...boundClaim(), snapshotClass(), snapshot());
    scene.host.effects.next('publishImage', { kind: 'fail', error: finalError('Cannot publish') });
    await scene.settle();
    expect([...scene.host.copies.keys()]).toEqual([snapshotPath]);
    scene.restart();
    scene.remove(scene.objects.get(objectKey('PersistentVolume', '', 'pv')));
    const { snapshot: current } = scene;
    if (current === undefined) throw new Error('there is no snapshot');
    const metadata = { ...current.metadata, deletionTimestamp: '2026-01-02T00:00:00Z' };
    scene.objects.update({ ...current, metadata });
    await scene.settle();
    expect(scene.snapshot).toBeUndefined();
    expect([...scene.host.copies.keys()]).toEqual([]);
  });

  test('says whose it is in its sidecar', async () => {
    const scene = await taken();
    expect(scene.host.imageFiles.get(snapshotPath)?.sidecar?.snapshot).toMatchObject({
      uid: 'uid-monday',
      volumeHandle: 'pv',
    });
    expect(scene.host.violations).toEqual([]);
  });
});

describe('a daemon that dies', () => {
  test.each([0, 1, 2])('after %i effects: the next one has one snapshot, whole', async (effects) => {
    const scene = new Scene(...boundClaim(), snapshotClass(), snapshot());
    scene.host.effects.dieAfter(effects);
    await scene.settle();
    scene.host.effects.dieAfter(Number.POSITIVE_INFINITY);
    scene.restart();
    await scene.settle();
    expect(scene.snapshot?.status?.readyToUse).toBe(true);
    expect(scene.host.effects.entries.filter((entry) => entry.startsWith('publishImage'))).toHaveLength(1);
    expect(scene.host.copies.size).toBe(0);
  });
});
