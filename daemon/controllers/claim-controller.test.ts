import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryEventRecorder } from '../adapters/memory-event-recorder.ts';
import { MemoryStateStore } from '../adapters/memory-state-store.ts';
import { StateObjectStore } from '../adapters/state-object-store.ts';
import { keyOf, objectKey } from '../api/meta.ts';
import type { StoredObject } from '../api/object.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import { claim, podUsing, storageClass, volume } from '../api/testing/storage-objects.ts';
import { annotations } from '../api/well-known.ts';
import { nodesOf } from '../plan/this-node.ts';
import type { Logger } from '../ports/logger.ts';
import type { StateCollection } from '../ports/state-store.ts';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import { finalError } from '../ports/testing/fake-host.ts';
import { ClaimController, type ProvisionEffects } from './claim-controller.ts';
import type { NodeExpansion } from './claim-world.ts';
import { newPersistentVolume } from './new-persistent-volume.ts';
import { writeGrownCapacity } from './volume-expansion.ts';

const logged: string[] = [];
const logger: Logger = {
  ...{ info: () => {}, warn: () => {}, debug: () => {} },
  error: (message) => logged.push(message),
};

/** A state that remembers what it was after each write. */
class RememberingState extends MemoryStateStore {
  readonly history: MemoryStateStore[] = [];

  override put(collection: StateCollection, key: string, value: unknown): void {
    super.put(collection, key, value);
    this.history.push(new MemoryStateStore(this));
  }

  override remove(collection: StateCollection, key: string): void {
    super.remove(collection, key);
    this.history.push(new MemoryStateStore(this));
  }
}

/** Makes and deletes volumes as the loop provisioner does, in memory. */
class FakeProvisioner implements ProvisionEffects {
  readonly data = new Set<string>();
  readonly calls: string[] = [];
  readonly errors: Error[] = [];
  inUse = new Set<string>();
  readonly grown = new Map<string, NodeExpansion>();
  readonly #objects: StateObjectStore;

  constructor(objects: StateObjectStore) {
    this.#objects = objects;
  }

  canProvision(provisioner: string): boolean {
    return provisioner === 'loop.moored.dev';
  }

  isInUse({ metadata }: StoredPersistentVolume): boolean {
    return this.inUse.has(metadata.name);
  }

  async provision(wanted: StoredPersistentVolumeClaim, { metadata, spec }: StoredStorageClass): Promise<void> {
    const volumeName = `pvc-${wanted.metadata.uid}`;
    this.calls.push(`provision ${volumeName}`);
    await Promise.resolve();
    const error = this.errors.shift();
    if (error !== undefined) throw error;
    if (this.#objects.get(objectKey('PersistentVolume', '', volumeName)) !== undefined) return;
    this.data.add(volumeName);
    const made = {
      volumeName,
      image: { path: '', sidecar: {} as never },
      spec: {
        capacity: { storage: wanted.spec.resources.requests.storage },
        accessModes: wanted.spec.accessModes,
        storageClassName: metadata.name,
        persistentVolumeReclaimPolicy: spec.reclaimPolicy ?? 'Retain',
      },
    } as const;
    const birth = { uid: `uid-${volumeName}`, now: '2026-01-01T00:00:00Z', provisioner: spec.provisioner };
    this.#objects.create(newPersistentVolume(wanted, made, birth));
  }

  canExpand({ metadata }: StoredPersistentVolume): boolean {
    return metadata.annotations?.[annotations.provisionedBy] === 'loop.moored.dev';
  }

  nodeExpansion({ metadata }: StoredPersistentVolume): NodeExpansion {
    return this.grown.get(metadata.name) ?? { expandedBytes: 0n, isRunning: false };
  }

  async expand(wanted: StoredPersistentVolumeClaim, grown: StoredPersistentVolume, storage: string): Promise<void> {
    this.calls.push(`expand ${grown.metadata.name} ${storage}`);
    await Promise.resolve();
    const error = this.errors.shift();
    if (error !== undefined) throw error;
    writeGrownCapacity(this.#objects, { claim: wanted, volume: grown, storage });
  }

  freeBytes(): undefined {
    return undefined;
  }

  canRecycle(): boolean {
    return false;
  }

  recycle(): Promise<void> {
    return Promise.reject(new Error('not here'));
  }

  async delete({ metadata }: StoredPersistentVolume): Promise<void> {
    this.calls.push(`delete ${metadata.name}`);
    await Promise.resolve();
    const error = this.errors.shift();
    if (error !== undefined) throw error;
    const current = this.#objects.get(objectKey('PersistentVolume', '', metadata.name));
    if (current === undefined) return;
    this.data.delete(metadata.name);
    this.#objects.remove(keyOf(current), current.metadata.resourceVersion);
  }
}

class Controller {
  readonly state: RememberingState;
  readonly objects: StateObjectStore;
  readonly provisioner: FakeProvisioner;
  readonly clock = new FakeClock();
  readonly events = new MemoryEventRecorder(this.clock);
  readonly #controller: ClaimController;

  constructor(state: MemoryStateStore) {
    this.state = new RememberingState(state);
    this.objects = new StateObjectStore(this.state);
    this.provisioner = new FakeProvisioner(this.objects);
    const { objects, provisioner: provisioning, clock, events } = this;
    const scheduling = { nodes: () => nodesOf({ name: 'node1', labels: {} }, []), isHere: () => false };
    const common = { objects, provisioning, clock, events, logger };
    this.#controller = new ClaimController({ ...common, ...scheduling, random: () => 0 });
  }

  static of(objects: readonly StoredObject[]): Controller {
    const state = new MemoryStateStore();
    const store = new StateObjectStore(state);
    for (const object of objects) store.create(object);
    return new Controller(state);
  }

  volumesChanged(): void {
    this.#controller.volumesChanged();
  }

  get waits() {
    return this.#controller.waits;
  }

  async settle(): Promise<this> {
    logged.length = 0;
    this.#controller.sync();
    await this.#controller.idle();
    expect(logged).toEqual([]);
    return this;
  }

  /** "one Bound data/uid-data bbc" for a volume, "data Bound one bbc bc" for a claim. */
  get shown(): string[] {
    const words = (given: readonly (string | undefined | false)[]) => given.filter((word) => word).join(' ');
    const volumes = this.objects.list('PersistentVolume').map(({ metadata, spec, status }) => {
      const reference = spec.claimRef && [spec.claimRef.name, spec.claimRef.uid].filter(Boolean).join('/');
      const isMarked = metadata.annotations?.[annotations.boundByController] === 'yes' && 'bbc';
      return words([metadata.name, status?.phase ?? '-', reference, isMarked]);
    });
    const claims = this.objects.list('PersistentVolumeClaim').map(({ metadata, spec, status }) => {
      const isMarked = metadata.annotations?.[annotations.boundByController] === 'yes' && 'bbc';
      const isCompleted = metadata.annotations?.[annotations.bindCompleted] === 'yes' && 'bc';
      return words([metadata.name, status?.phase ?? '-', spec.volumeName, isMarked, isCompleted]);
    });
    return [...volumes, ...claims];
  }

  get reasons(): string[] {
    return this.events.list().map(({ type, reason, regarding }) => `${type} ${reason} ${regarding.split('/').at(-1)}`);
  }

  get<T extends StoredObject>(object: T): T {
    return this.objects.get(keyOf(object)) as T;
  }
}

const delayed = storageClass('late', { volumeBindingMode: 'WaitForFirstConsumer' });
const late = { spec: { storageClassName: 'late' } };
const gold = { spec: { storageClassName: 'gold' } };
const deletePolicy = { persistentVolumeReclaimPolicy: 'Delete' } as const;

/** Upstream's tables are data: integration/cases/. */
describe('ClaimController: writes, waits and retries', () => {
  it('pv/11-1: marks the claim before anything is made, and the volume with who made it', async () => {
    const controller = await Controller.of([
      storageClass('gold', { reclaimPolicy: 'Delete' }),
      claim('data', '1Gi', gold),
    ]).settle();
    expect(controller.get(claim('data')).metadata.annotations).toMatchObject({
      [annotations.storageProvisioner]: 'loop.moored.dev',
      [annotations.betaStorageProvisioner]: 'loop.moored.dev',
    });
    expect(controller.get(volume('pvc-uid-data'))).toMatchObject({
      metadata: {
        annotations: { [annotations.provisionedBy]: 'loop.moored.dev' },
        finalizers: ['kubernetes.io/pv-protection', 'external-provisioner.volume.kubernetes.io/finalizer'],
      },
      spec: { storageClassName: 'gold', persistentVolumeReclaimPolicy: 'Delete', capacity: { storage: '1Gi' } },
    });
    const first = controller.state.history[0]?.entries('objects').get('PersistentVolumeClaim/default/data');
    expect(first).toMatchObject({ metadata: { annotations: { [annotations.storageProvisioner]: 'loop.moored.dev' } } });
  });

  it('pv/8-5: a failed delete is told, kept and tried again later', async () => {
    const lost = volume('one', '1Gi', {
      phase: 'Bound',
      claim: 'gone/uid-gone',
      marks: ['bbc', 'dynamic'],
      spec: deletePolicy,
    });
    const controller = Controller.of([lost]);
    controller.provisioner.errors.push(finalError('disk is on fire'), finalError('disk is on fire'));
    await controller.settle();
    expect(controller.reasons).toEqual(['Warning VolumeFailedDelete one']);
    expect(controller.waits.get('PersistentVolume/one')).toMatchObject({
      reason: 'VolumeFailedDelete',
      message: 'disk is on fire',
      retryAt: 500,
    });
    await controller.settle();
    expect(controller.provisioner.calls).toHaveLength(1);
    controller.clock.advance(501);
    await controller.settle();
    expect(controller.provisioner.calls).toHaveLength(2);
    controller.clock.advance(1_001);
    await controller.settle();
    expect(controller.shown).toEqual([]);
  });

  it('deletes nothing that is in use', async () => {
    const lost = volume('one', '1Gi', {
      phase: 'Bound',
      claim: 'gone/uid-gone',
      marks: ['bbc', 'dynamic'],
      spec: deletePolicy,
    });
    const controller = Controller.of([lost]);
    controller.provisioner.inUse.add('one');
    await controller.settle();
    expect(controller.provisioner.calls).toEqual([]);
    expect(controller.waits.get('PersistentVolume/one')?.reason).toBe('VolumeInUse');
    controller.provisioner.inUse.clear();
    controller.volumesChanged();
    await controller.settle();
    expect(controller.shown).toEqual([]);
  });
});

describe('ClaimController: provisioning', () => {
  it('is tried again later with the same name, and once at a time', async () => {
    const controller = Controller.of([storageClass('gold'), claim('data', '1Gi', gold)]);
    controller.provisioner.errors.push(finalError('no space left'));
    await controller.settle();
    expect(controller.reasons).toEqual(['Warning ProvisioningFailed data']);
    controller.clock.advance(501);
    await controller.settle();
    expect(controller.provisioner.calls).toEqual(['provision pvc-uid-data', 'provision pvc-uid-data']);
    expect(controller.shown).toEqual(['pvc-uid-data Bound data/uid-data bbc', 'data Bound pvc-uid-data bbc bc']);
    expect(controller.waits.size).toBe(0);
  });

  it('begins when the first pod that may run names the claim', async () => {
    const controller = await Controller.of([
      delayed,
      claim('data', '1Gi', late),
      podUsing('old', 'data', { status: { phase: 'Succeeded' } }),
    ]).settle();
    expect(controller.shown).toEqual(['data Pending']);
    controller.objects.create(podUsing('web', 'data'));
    await controller.settle();
    expect(controller.shown).toEqual(['pvc-uid-data Bound data/uid-data bbc', 'data Bound pvc-uid-data bbc bc']);
  });

  it('asks the newest default class when the claim names none', async () => {
    const older = storageClass('a', {}, true);
    const newer = storageClass('b', {}, true);
    const young = { ...newer, metadata: { ...newer.metadata, creationTimestamp: '2026-06-01T00:00:00Z' } };
    const controller = await Controller.of([older, young, storageClass('c'), claim('data')]).settle();
    expect(controller.get(claim('data')).spec.storageClassName).toBe('b');
    expect(controller.get(claim('data')).status?.phase).toBe('Bound');
  });

  it('asks no class that provisions none', async () => {
    const none = storageClass('gold', { provisioner: 'kubernetes.io/no-provisioner' });
    const controller = await Controller.of([none, claim('data', '1Gi', gold)]).settle();
    expect(controller.reasons).toEqual(['Normal FailedBinding data']);
    expect(controller.provisioner.calls).toEqual([]);
  });
});

describe('ClaimController: the end of a claim', () => {
  const deleting = { deletionTimestamp: '2026-02-01T00:00:00Z' };

  it('waits for every pod that names it, also a finished one', async () => {
    const pods = [podUsing('web', 'data'), podUsing('job', 'data', { status: { phase: 'Succeeded' } })];
    const controller = await Controller.of([claim('data', '1Gi', { meta: deleting }), ...pods]).settle();
    expect(controller.waits.get('PersistentVolumeClaim/default/data')).toMatchObject({
      reason: 'ClaimInUse',
      message: 'claim is being deleted and waits for pod default/web, default/job',
    });
    for (const pod of pods) controller.objects.remove(keyOf(pod), controller.get(pod).metadata.resourceVersion);
    await controller.settle();
    expect(controller.shown).toEqual([]);
  });

  it('keeps retained data, and a claim of the same name finds it again', async () => {
    const controller = await Controller.of([storageClass('gold'), claim('data', '1Gi', gold)]).settle();
    const first = controller.get(claim('data'));
    controller.objects.update({ ...first, metadata: { ...first.metadata, ...deleting } });
    await controller.settle();
    expect(controller.shown).toEqual(['pvc-uid-data Released data/uid-data bbc']);
    controller.objects.create(claim('data', '1Gi', { ...gold, meta: { uid: 'uid-second' } }));
    await controller.settle();
    expect(controller.shown).toEqual(['pvc-uid-data Bound data/uid-second bbc', 'data Bound pvc-uid-data bbc bc']);
    expect(controller.provisioner.data).toEqual(new Set(['pvc-uid-data']));
    expect(controller.provisioner.calls).toHaveLength(1);
  });

  it('deletes data of policy Delete and provisions anew for the next claim', async () => {
    const controller = await Controller.of([
      storageClass('gold', { reclaimPolicy: 'Delete' }),
      claim('data', '1Gi', gold),
    ]).settle();
    const first = controller.get(claim('data'));
    controller.objects.update({ ...first, metadata: { ...first.metadata, ...deleting } });
    await controller.settle();
    expect(controller.shown).toEqual([]);
    expect(controller.provisioner.calls).toEqual(['provision pvc-uid-data', 'delete pvc-uid-data']);
  });
});

describe('ClaimController: growth', () => {
  const growable = storageClass('gold', { allowVolumeExpansion: true });

  async function boundTo(size: string): Promise<Controller> {
    const controller = await Controller.of([growable, claim('data', size, gold)]).settle();
    return controller;
  }

  function ask(controller: Controller, storage: string): void {
    const current = controller.get(claim('data'));
    controller.objects.update({ ...current, spec: { ...current.spec, resources: { requests: { storage } } } });
  }

  const capacities = (controller: Controller) => [
    controller.objects.list('PersistentVolume')[0]?.spec.capacity.storage,
    controller.get(claim('data')).status?.capacity?.storage,
  ];

  it('grows the volume, waits for the node, then has the capacity', async () => {
    const controller = await boundTo('1Gi');
    ask(controller, '2Gi');
    await controller.settle();
    expect(capacities(controller)).toEqual(['2Gi', '1Gi']);
    expect(controller.waits.get('PersistentVolumeClaim/default/data')?.reason).toBe('FileSystemResizeRequired');
    controller.provisioner.grown.set('pvc-uid-data', { expandedBytes: 2n << 30n, isRunning: false });
    controller.volumesChanged();
    expect(capacities(controller)).toEqual(['2Gi', '2Gi']);
    expect(controller.reasons.slice(-3)).toEqual([
      'Normal Resizing data',
      'Normal FileSystemResizeRequired data',
      'Normal FileSystemResizeSuccessful data',
    ]);
    expect(controller.waits.size).toBe(0);
    expect(controller.objects.list('PersistentVolume')[0]?.metadata.annotations).not.toHaveProperty(
      annotations.preResizeCapacity,
    );
  });

  it('dates what it says by the time when it begins', async () => {
    const controller = await boundTo('1Gi');
    controller.clock.advance(3_600_000);
    ask(controller, '2Gi');
    await controller.settle();
    expect(
      controller.get(claim('data')).status?.conditions?.map(({ lastTransitionTime }) => lastTransitionTime),
    ).toEqual(['2026-01-01T01:00:00.000Z']);
  });

  it('tries a growth that failed again, later each time, until it is taken back', async () => {
    const controller = await boundTo('1Gi');
    controller.provisioner.calls.length = 0;
    controller.provisioner.errors.push(finalError('no space'), finalError('no space'), finalError('no space'));
    ask(controller, '2Gi');
    await controller.settle();
    expect(controller.waits.get('PersistentVolumeClaim/default/data')).toMatchObject({
      ...{ reason: 'VolumeResizeFailed', message: 'no space', retryAt: 500 },
    });
    controller.clock.advance(501);
    await controller.settle();
    expect(controller.provisioner.calls).toEqual(['expand pvc-uid-data 2Gi', 'expand pvc-uid-data 2Gi']);
    ask(controller, '1Gi');
    await controller.settle();
    expect(capacities(controller)).toEqual(['1Gi', '1Gi']);
    expect(controller.get(claim('data')).status).not.toHaveProperty('conditions');
    expect(controller.waits.size).toBe(0);
    controller.provisioner.errors.length = 0;
    ask(controller, '3Gi');
    await controller.settle();
    expect(capacities(controller)).toEqual(['3Gi', '1Gi']);
  });

  it('keeps the capacity of before for a claim that finds its volume again', async () => {
    const controller = await boundTo('1Gi');
    ask(controller, '2Gi');
    await controller.settle();
    const first = controller.get(claim('data'));
    const metadata = { ...first.metadata, deletionTimestamp: '2026-02-01T00:00:00Z' };
    controller.objects.update({ ...first, metadata });
    await controller.settle();
    controller.objects.create(claim('data', '1Gi', { ...gold, meta: { uid: 'uid-second' } }));
    await controller.settle();
    expect(capacities(controller)).toEqual(['2Gi', '1Gi']);
  });

  it('converges after a crash at each write', async () => {
    const controller = await boundTo('1Gi');
    const begun = controller.state.history.length;
    ask(controller, '2Gi');
    await controller.settle();
    controller.provisioner.grown.set('pvc-uid-data', { expandedBytes: 2n << 30n, isRunning: false });
    controller.volumesChanged();
    const history = controller.state.history.slice(begun);
    expect(history.length).toBeGreaterThanOrEqual(6);
    for (const [writes, state] of history.entries()) {
      const again = new Controller(state);
      again.provisioner.grown.set('pvc-uid-data', { expandedBytes: 2n << 30n, isRunning: false });
      await again.settle();
      expect(capacities(again), `after ${writes} writes`).toEqual(['2Gi', '2Gi']);
      expect(again.get(claim('data')).status).not.toHaveProperty('allocatedResourceStatuses');
    }
  });
});

describe('ClaimController: a crash after each write', () => {
  const cases = {
    'of a static bind': [volume('a', '2Gi'), volume('one'), volume('b', '1Gi'), claim('data')],
    'of a bind by reservation': [volume('a'), volume('one', '10Gi', { claim: 'data' }), claim('data')],
    'of a bind by name': [volume('a'), volume('one'), claim('data', '1Gi', { volume: 'one' })],
    'of provisioning and binding': [storageClass('gold'), claim('data', '1Gi', gold)],
    'of two claims that compete': [volume('one'), volume('two', '2Gi'), claim('data'), claim('late', '1Gi')],
    'of a claim that got a default class': [storageClass('gold', {}, true), claim('data')],
  };

  it.each(Object.entries(cases))('%s converges to the same', async (_name, given) => {
    const whole = await Controller.of(given).settle();
    expect(whole.state.history.length).toBeGreaterThanOrEqual(4);
    for (const [writes, state] of whole.state.history.entries()) {
      const again = await new Controller(state).settle();
      expect(again.shown.toSorted(), `after ${writes + 1} writes`).toEqual(whole.shown.toSorted());
    }
  });

  it("binds in upstream's order: volume spec, volume status, claim spec, claim status", async () => {
    const controller = await Controller.of([volume('one'), claim('data')]).settle();
    expect(controller.state.history.map((state) => new Controller(state).shown.join(', '))).toEqual([
      'one Available data/uid-data bbc, data -',
      'one Bound data/uid-data bbc, data -',
      'one Bound data/uid-data bbc, data - one bbc bc',
      'one Bound data/uid-data bbc, data Bound one bbc bc',
    ]);
  });
});

describe('ClaimController: whatever is given', () => {
  const names = ['a', 'b', 'c'] as const;
  const size = fc.constantFrom('1Gi', '2Gi');
  const aVolume = (name: string) =>
    fc
      .record({
        size,
        phase: fc.constantFrom(undefined, 'Available', 'Pending', 'Bound', 'Released', 'Failed'),
        claim: fc.option(fc.constantFrom('a', 'b', 'a/uid-a', 'b/uid-b', 'c/uid-c', 'a/uid-older'), { nil: undefined }),
        marks: fc.subarray(['bbc', 'dynamic'] as const),
        policy: fc.constantFrom('Retain', 'Delete'),
      })
      .map(({ size: capacity, phase, claim: reserved, marks, policy }) =>
        volume(`v${name}`, capacity, {
          ...{ phase, marks, spec: { persistentVolumeReclaimPolicy: policy } },
          ...(reserved === undefined ? {} : { claim: reserved }),
        }),
      );
  const aClaim = (name: string) =>
    fc
      .record({
        size,
        volume: fc.option(fc.constantFrom('va', 'vb', 'vc', 'gone'), { nil: undefined }),
        marks: fc.subarray(['bbc', 'bc'] as const),
        phase: fc.constantFrom('Pending', 'Bound', 'Lost'),
        storageClassName: fc.constantFrom('', 'gold'),
      })
      .map(({ size: request, volume: wanted, marks, phase, storageClassName }) =>
        claim(name, request, {
          marks,
          phase,
          spec: { storageClassName },
          ...(wanted === undefined ? {} : { volume: wanted }),
        }),
      );
  const world = fc
    .tuple(...names.map(aVolume), ...names.map(aClaim))
    .map((objects) => [storageClass('gold'), ...objects] as StoredObject[]);

  it('comes to rest with no claim on two volumes and no volume on two claims', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const controller = await Controller.of(given).settle();
        await controller.settle();
        const volumes = controller.objects.list('PersistentVolume');
        const claims = controller.objects.list('PersistentVolumeClaim');
        const boundClaims = claims.filter(({ status }) => status?.phase === 'Bound');
        const usedVolumes = boundClaims.map(({ spec }) => spec.volumeName);
        expect(new Set(usedVolumes).size, 'a volume on two claims').toBe(usedVolumes.length);
        for (const one of boundClaims) {
          const mine = volumes.filter(
            ({ spec, status }) => spec.claimRef?.uid === one.metadata.uid && status?.phase === 'Bound',
          );
          expect(
            mine.map(({ metadata }) => metadata.name),
            'a claim on two volumes',
          ).toEqual([one.spec.volumeName]);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('never deletes the volume of a bound claim', async () => {
    await fc.assert(
      fc.asyncProperty(world, async (given) => {
        const controller = Controller.of(given);
        await controller.settle();
        for (const name of controller.provisioner.calls.filter((call) => call.startsWith('delete'))) {
          const claims = controller.objects.list('PersistentVolumeClaim');
          const users = claims.filter(
            ({ spec, status }) => status?.phase === 'Bound' && `delete ${spec.volumeName}` === name,
          );
          expect(users).toEqual([]);
        }
      }),
      { numRuns: 200 },
    );
  });
});
