/** Upstream's tables of the snapshot controller, on the real steps and effects over a machine in memory. */
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
import { diskLayout } from '../world/disk-layout.ts';
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

const content = (change: Partial<StoredVolumeSnapshotContent['spec']> = {}): StoredVolumeSnapshotContent => ({
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshotContent',
  metadata: { ...meta('by-hand'), finalizers: [finalizers.contentBound] },
  spec: {
    volumeSnapshotRef: { namespace: 'default', name: 'monday' },
    ...{ deletionPolicy: 'Retain', driver: 'loop.moored.dev', source: { snapshotHandle: 'default/monday-uid-monday' } },
    ...change,
  },
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

  /** As a manifest that is gone. */
  delete(object: StoredObject | undefined): void {
    if (object === undefined) throw new Error('there is nothing to delete');
    this.objects.update({ ...object, metadata: { ...object.metadata, deletionTimestamp: '2026-01-02T00:00:00Z' } });
  }

  remove(object: StoredObject | undefined): void {
    if (object === undefined) throw new Error('there is nothing to remove');
    const { namespace, name, resourceVersion } = object.metadata;
    this.objects.remove(objectKey(object.kind, namespace, name), resourceVersion);
  }
}

const taken = (...more: readonly StoredObject[]): Promise<Scene> =>
  new Scene(...boundClaim(), snapshotClass(), snapshot(), ...more).settle();

describe('snap(create)', () => {
  test('6-1: a class that is right: content, handle, ready, bound both ways', async () => {
    const scene = await taken();
    expect(scene.snapshot?.status).toMatchObject({
      boundVolumeSnapshotContentName: 'snapcontent-uid-monday',
      readyToUse: true,
      restoreSize: '64Mi',
    });
    expect(scene.content()).toMatchObject({
      metadata: { annotations: { [annotations.snapshotConsistency]: 'atRest' } },
      spec: { volumeSnapshotRef: { name: 'monday', uid: 'uid-monday' }, source: { volumeHandle: 'pv' } },
      status: { snapshotHandle: 'default/monday-uid-monday', readyToUse: true },
    });
    expect(scene.host.imageFiles.get(snapshotPath)?.sidecar?.snapshot).toMatchObject({
      uid: 'uid-monday',
      volumeHandle: 'pv',
    });
    expect(scene.reasons).toEqual(['CreatingSnapshot', 'SnapshotCreated', 'SnapshotReady']);
    expect(scene.claimFinalizers).not.toContain(finalizers.pvcAsSource);
    expect(scene.host.violations).toEqual([]);
  });

  test.each([
    ['7-1: no such class', [...boundClaim(), snapshot()], /volumesnapshotclass "nightly" not found/],
    ['7-4: no such claim', [snapshotClass(), snapshot()], /failed to retrieve PVC data/],
    ['7-6: a claim that is not bound', [snapshotClass(), claim('data'), snapshot()], /not yet bound to a PV/],
    [
      'a class of another driver',
      [...boundClaim(), snapshotClass('nightly', { driver: 'x.y' }), snapshot()],
      /different drivers/,
    ],
    [
      'no default class (B090)',
      [...boundClaim(), snapshotClass(), snapshot({})],
      /cannot find default snapshot class for driver loop/,
    ],
    [
      'two default classes (B090)',
      [...boundClaim(), snapshotClass('a', {}, true), snapshotClass('b', {}, true), snapshot({})],
      /2 default snapshot classes were found: a, b/,
    ],
  ] as const)('%s: told in the status, and nothing is made', async (_name, objects, message) => {
    const scene = await new Scene(...objects).settle();
    expect(scene.snapshot?.status).toMatchObject({
      readyToUse: false,
      error: { message: expect.stringMatching(message) },
    });
    expect(scene.content()).toBeUndefined();
    expect(scene.host.effects.entries).toEqual([]);
  });

  test('what was missing comes: the snapshot is taken, and the error is gone', async () => {
    const scene = await new Scene(...boundClaim(), snapshot()).settle();
    scene.objects.create(snapshotClass());
    await scene.settle();
    expect(scene.snapshot?.status?.readyToUse).toBe(true);
    expect(scene.snapshot?.status?.error).toBeUndefined();
  });

  test('the one default class of the driver is taken (B090)', async () => {
    const others = [snapshotClass('other', { driver: 'x.y' }, true), snapshotClass('plain')];
    const scene = await new Scene(...boundClaim(), ...others, snapshotClass('a', {}, true), snapshot({})).settle();
    expect(scene.snapshot?.spec.volumeSnapshotClassName).toBe('a');
    expect(scene.snapshot?.status?.readyToUse).toBe(true);
  });

  test('a copy that fails: told on both, the claim stays protected, tried again', async () => {
    const scene = new Scene(...boundClaim(), snapshotClass(), snapshot());
    scene.host.effects.next('copyImage', { kind: 'fail', error: finalError('no room') });
    await scene.settle();
    expect(scene.content()?.status).toMatchObject({ readyToUse: false, error: { message: 'no room' } });
    expect(scene.snapshot?.status?.error?.message).toBe('no room');
    expect(scene.claimFinalizers).toContain(finalizers.pvcAsSource);
    scene.clock.advance(60_000);
    await scene.settle();
    expect(scene.snapshot?.status).toMatchObject({ readyToUse: true });
    expect(scene.snapshot?.status?.error).toBeUndefined();
    expect(scene.claimFinalizers).not.toContain(finalizers.pvcAsSource);
  });

  test('while an operation on the volume runs nothing is copied', async () => {
    const scene = new Scene(...boundClaim(), snapshotClass(), snapshot());
    scene.isHeld = true;
    await scene.settle();
    expect(scene.host.effects.entries).toEqual([]);
    expect(scene.content()?.status?.error?.message).toMatch(/an operation on it is under way/);
  });
});

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

  test('that failed is thawed', async () => {
    const scene = new Scene(...boundClaim(), snapshotClass(), snapshot());
    scene.way = way;
    scene.host.effects.always('copyImage', { kind: 'fail', error: finalError('child died') });
    await scene.settle();
    expect(scene.host.effects.entries).toEqual(['thaw /m']);
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
});

describe('snap(update)', () => {
  test('2-1: a content that is named and not there', async () => {
    const scene = await new Scene(snapshot({ source: { volumeSnapshotContentName: 'by-hand' } })).settle();
    expect(scene.snapshot?.status).toMatchObject({
      readyToUse: false,
      error: { message: 'VolumeSnapshotContent is missing' },
    });
    expect(scene.reasons).toEqual(['SnapshotContentMissing']);
  });

  test('3-1: a ready snapshot that lost its content is no longer ready, and no other one is taken', async () => {
    const scene = await taken();
    scene.remove(scene.content());
    await scene.settle();
    expect(scene.snapshot?.status).toMatchObject({
      readyToUse: false,
      error: { message: 'VolumeSnapshotContent is missing' },
    });
    expect(scene.reasons).toContain('SnapshotContentMissing');
    expect(scene.content()).toBeUndefined();
  });

  test('3-6: a content that names another uid', async () => {
    const scene = await taken();
    const current = scene.content()!;
    scene.objects.update({
      ...current,
      spec: { ...current.spec, volumeSnapshotRef: { namespace: 'default', name: 'monday', uid: 'other' } },
    });
    await scene.settle();
    expect(scene.snapshot?.status?.readyToUse).toBe(false);
    expect(scene.reasons).toContain('SnapshotMisbound');
  });

  test('a content made by hand is bound by uid and used as it is', async () => {
    const scene = await taken();
    const made = scene.host.imageFiles.get(snapshotPath);
    const again = new Scene(content(), snapshot({ source: { volumeSnapshotContentName: 'by-hand' } }));
    again.host.imageFiles.set(snapshotPath, made!);
    await again.settle();
    expect(again.content('by-hand')?.spec.volumeSnapshotRef.uid).toBe('uid-monday');
    expect(again.snapshot?.status).toMatchObject({ readyToUse: true, boundVolumeSnapshotContentName: 'by-hand' });
  });

  test('a content whose file is not there is an error, not a snapshot', async () => {
    const scene = await new Scene(content(), snapshot({ source: { volumeSnapshotContentName: 'by-hand' } })).settle();
    expect(scene.snapshot?.status).toMatchObject({
      readyToUse: false,
      error: { message: expect.stringMatching(/there is no/) },
    });
  });
});

describe('snap(delete)', () => {
  test('3-1: policy Delete: the data goes to the trash, then content and snapshot', async () => {
    const scene = await taken();
    scene.delete(scene.snapshot);
    await scene.settle();
    expect([scene.snapshot, scene.content()]).toEqual([undefined, undefined]);
    expect([...scene.host.trash.keys()]).toEqual([`${snapshotPath}.trash`]);
    expect(scene.reasons).toContain('SnapshotDeleted');
  });

  test('3-1a: a claim that is to be made of it keeps it; one that came later does not', async () => {
    const scene = await taken(restoring());
    scene.delete(scene.snapshot);
    await scene.settle();
    expect(scene.reasons).toContain('SnapshotDeletePending');
    expect(scene.content()?.metadata.deletionTimestamp).toBeUndefined();
    const waiting = scene.objects.get(objectKey('PersistentVolumeClaim', 'default', 'restored'));
    scene.remove(waiting);
    scene.objects.create(restoring('2026-01-03T00:00:00Z'));
    await scene.settle();
    expect(scene.snapshot).toBeUndefined();
  });

  test('3-3: policy Retain: the snapshot goes, content and data stay', async () => {
    const scene = await new Scene(
      ...boundClaim(),
      snapshotClass('nightly', { deletionPolicy: 'Retain' }),
      snapshot(),
    ).settle();
    scene.delete(scene.snapshot);
    await scene.settle();
    expect(scene.snapshot).toBeUndefined();
    expect(scene.content()?.status?.readyToUse).toBe(true);
    expect(scene.host.imageFiles.has(snapshotPath)).toBe(true);
  });

  test('a content whose snapshot was never seen takes no data with it (B096)', async () => {
    const made = (await taken()).host.imageFiles.get(snapshotPath);
    const scene = new Scene(content({ deletionPolicy: 'Delete' }));
    scene.host.imageFiles.set(snapshotPath, made!);
    await scene.settle();
    scene.delete(scene.content('by-hand'));
    await scene.settle();
    expect(scene.content('by-hand')).toBeUndefined();
    expect(scene.host.imageFiles.has(snapshotPath)).toBe(true);
  });

  test('a content stays while its snapshot does', async () => {
    const scene = await taken();
    scene.delete(scene.content());
    await scene.settle();
    expect(scene.content()).toBeDefined();
    expect(scene.reasons).toContain('SnapshotContentInUse');
  });

  test('of one that was never taken leaves nothing', async () => {
    const scene = new Scene(...boundClaim(), snapshotClass(), snapshot());
    scene.host.effects.always('copyImage', { kind: 'fail', error: finalError('no room') });
    await scene.settle();
    scene.delete(scene.snapshot);
    await scene.settle();
    expect([scene.snapshot, scene.content()]).toEqual([undefined, undefined]);
    expect(scene.host.trash.size).toBe(0);
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
