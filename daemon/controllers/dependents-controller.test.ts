import { describe, expect, it } from 'vitest';
import { MemoryEventRecorder } from '../adapters/memory-event-recorder.ts';
import { MemoryStateStore } from '../adapters/memory-state-store.ts';
import { StateObjectStore } from '../adapters/state-object-store.ts';
import { decodeDocument } from '../api/decode.ts';
import { keyOf, objectKey } from '../api/meta.ts';
import { isOwnedBy } from '../api/owner-reference.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredPod } from '../api/pod.ts';
import type { StatefulSet, StatefulSetSpec, StoredStatefulSet } from '../api/stateful-set.ts';
import { claim, podUsing } from '../api/testing/storage-objects.ts';
import type { Logger } from '../ports/logger.ts';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import { forbiddenChange } from './declared-update.ts';
import { DependentsController } from './dependents-controller.ts';
import { born } from './object-birth.ts';

const errors: string[] = [];
const logger: Logger = {
  ...{ info: () => {}, warn: () => {}, debug: () => {} },
  error: (message) => errors.push(message),
};

const claimTemplate = (name: string, storage = '1Gi') => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage } } },
});

/** As a manifest gives it, decoded. */
function declare(name: string, spec: object = {}): StatefulSet {
  const labels = { app: name };
  const [decoded] = decodeDocument({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: {
      serviceName: name,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', volumeMounts: mounts('data') }] } },
      volumeClaimTemplates: [claimTemplate('data')],
      ...spec,
    },
  });
  if (decoded?.outcome !== 'object') throw new Error(JSON.stringify(decoded));
  return decoded.object as StatefulSet;
}

function mounts(...names: readonly string[]) {
  return names.map((name) => ({ name, mountPath: `/${name}` }));
}

/** The controller over a store in memory; pods are mounted when the test says so, and go when they are released. */
class Cluster {
  readonly clock = new FakeClock();
  readonly events = new MemoryEventRecorder(this.clock);
  readonly objects = new StateObjectStore(new MemoryStateStore());
  readonly mounted = new Set<string>();
  #uids = 0;
  readonly #controller = new DependentsController({
    objects: this.objects,
    clock: this.clock,
    events: this.events,
    logger,
    newUid: () => `uid-${++this.#uids}`,
    readiness: () => (pod) => this.mounted.has(pod.metadata.name) && pod.metadata.deletionTimestamp === undefined,
  });

  add(declared: StatefulSet): StoredStatefulSet {
    return this.objects.create(born(declared, { uid: `uid-${++this.#uids}`, now: this.clock.timestamp() }));
  }

  change(name: string, spec: Partial<StatefulSetSpec>): void {
    const set = this.set(name);
    this.objects.update({ ...set, spec: { ...set.spec, ...spec } });
    this.sync();
  }

  /** Its manifest is gone. */
  delete(name: string): void {
    const set = this.set(name);
    const metadata = { ...set.metadata, deletionTimestamp: this.clock.timestamp() };
    this.objects.update({ ...set, metadata });
    this.sync();
  }

  sync(): this {
    errors.length = 0;
    this.#controller.sync();
    expect(errors).toEqual([]);
    return this;
  }

  mount(...names: readonly string[]): this {
    for (const name of names) this.mounted.add(name);
    return this.sync();
  }

  /** Mounts pod after pod until nothing new is made. */
  settle(): this {
    this.sync();
    for (let before = -1; before !== this.pods.length; ) {
      before = this.pods.length;
      this.mount(...this.pods);
    }
    return this;
  }

  /** What the reconciler does with pods that are being deleted; then the claims that were waiting go too. */
  release(...names: readonly string[]): this {
    for (const name of names) {
      const pod = this.pod(name);
      if (pod?.metadata.deletionTimestamp === undefined) throw new Error(`pod ${name} is not being deleted`);
      this.objects.remove(keyOf(pod), pod.metadata.resourceVersion);
      this.mounted.delete(name);
    }
    return this.sync();
  }

  removeDeletedClaims(): this {
    for (const one of this.objects.list('PersistentVolumeClaim')) {
      if (one.metadata.deletionTimestamp !== undefined) this.objects.remove(keyOf(one), one.metadata.resourceVersion);
    }
    return this.sync();
  }

  set(name: string): StoredStatefulSet {
    return this.objects.get(objectKey('StatefulSet', 'default', name)) as StoredStatefulSet;
  }

  pod(name: string): StoredPod | undefined {
    return this.objects.get(objectKey('Pod', 'default', name)) as StoredPod | undefined;
  }

  claim(name: string): StoredPersistentVolumeClaim | undefined {
    return this.objects.get(objectKey('PersistentVolumeClaim', 'default', name)) as
      | StoredPersistentVolumeClaim
      | undefined;
  }

  get pods(): readonly string[] {
    return this.objects.list('Pod').map(({ metadata }) => metadata.name);
  }

  get deleting(): readonly string[] {
    const all = [...this.objects.list('Pod'), ...this.objects.list('PersistentVolumeClaim')];
    return all.filter(({ metadata }) => metadata.deletionTimestamp !== undefined).map(({ metadata }) => metadata.name);
  }

  get claims(): readonly string[] {
    return this.objects.list('PersistentVolumeClaim').map(({ metadata }) => metadata.name);
  }

  reasons(regarding: string): readonly string[] {
    return this.events.list().flatMap((event) => (event.regarding === regarding ? [event.reason] : []));
  }

  waitOf(name: string): string | undefined {
    return this.#controller.waits.get(`StatefulSet/default/${name}`)?.message;
  }
}

function cluster(spec: object = {}): Cluster {
  const made = new Cluster();
  made.add(declare('db', spec));
  return made.sync();
}

describe('a StatefulSet', () => {
  it('makes claim, then pod, one ordinal after the other, each when the one before is ready', () => {
    const db = cluster({ replicas: 3 });
    expect(db.pods).toEqual(['db-0']);
    expect(db.claims).toEqual(['data-db-0']);
    expect(db.waitOf('db')).toMatch(/db-0 to be ready/);
    db.mount('db-0');
    expect(db.pods).toEqual(['db-0', 'db-1']);
    db.mount('db-1').mount('db-2');
    expect(db.pods).toEqual(['db-0', 'db-1', 'db-2']);
    expect(db.waitOf('db')).toBeUndefined();
    expect(db.reasons('StatefulSet/default/db')).toEqual(Array(6).fill('SuccessfulCreate'));
  });

  it('makes all at once with podManagementPolicy Parallel', () => {
    expect(cluster({ replicas: 3, podManagementPolicy: 'Parallel' }).pods).toEqual(['db-0', 'db-1', 'db-2']);
  });

  it('gives pods their identity, and their claim in the place of a volume of its name', () => {
    const volumes = [
      { name: 'data', emptyDir: {} },
      { name: 'tmp', emptyDir: {} },
    ];
    const template = {
      metadata: { labels: { app: 'db', tier: 'x' }, annotations: { note: 'kept' } },
      spec: { volumes, containers: [{ name: 'main', volumeMounts: mounts('data', 'tmp') }] },
    };
    const pod = cluster({ template, ordinals: { start: 5 } }).pod('db-5');
    expect(pod?.metadata).toMatchObject({
      labels: {
        app: 'db',
        tier: 'x',
        'statefulset.kubernetes.io/pod-name': 'db-5',
        'apps.kubernetes.io/pod-index': '5',
      },
      annotations: { note: 'kept' },
      ownerReferences: [{ kind: 'StatefulSet', name: 'db', controller: true, blockOwnerDeletion: true }],
      finalizers: ['moored.dev/volumes'],
    });
    expect(pod?.spec).toMatchObject({ hostname: 'db-5', subdomain: 'db' });
    expect(pod?.spec.volumes).toEqual([
      { name: 'data', persistentVolumeClaim: { claimName: 'data-db-5', readOnly: false } },
      { name: 'tmp', emptyDir: {} },
    ]);
  });

  it('gives claims the labels of the selector over those of the template, and no owner', () => {
    const template = { ...claimTemplate('data'), metadata: { name: 'data', labels: { app: 'other', disk: 'fast' } } };
    const made = cluster({ volumeClaimTemplates: [template] }).claim('data-db-0');
    expect(made?.metadata.labels).toEqual({ app: 'db', disk: 'fast' });
    expect(made?.metadata.ownerReferences).toBeUndefined();
    expect(made?.spec).toMatchObject({ storageClassName: 'fast', volumeMode: 'Filesystem' });
  });

  it('uses a claim that is there as it is', () => {
    const db = new Cluster();
    const old = db.objects.create(claim('data-db-0', '9Gi'));
    db.add(declare('db'));
    db.settle();
    expect(db.claim('data-db-0')).toEqual(old);
    expect(db.pods).toEqual(['db-0']);
  });

  it('makes no pod while its claim is being deleted', () => {
    const db = new Cluster();
    db.objects.create(claim('data-db-0', '1Gi', { meta: { deletionTimestamp: '2026-01-01T00:00:00Z' } }));
    db.add(declare('db'));
    db.sync();
    expect(db.pods).toEqual([]);
    expect(db.waitOf('db')).toMatch(/claim data-db-0 is being deleted/);
    db.removeDeletedClaims();
    expect(db.pods).toEqual(['db-0']);
  });

  it('leaves a pod alone that has its name and is not its own', () => {
    const db = new Cluster();
    const other = db.objects.create(podUsing('db-0', 'other'));
    db.add(declare('db'));
    db.sync();
    expect(db.pod('db-0')).toEqual(other);
    expect(db.claims).toEqual([]);
    expect(db.reasons('StatefulSet/default/db')).toEqual(['FailedCreate']);
  });

  it('scales down in reverse, each after the one before has gone, and keeps the claims', () => {
    const db = cluster({ replicas: 3 }).settle();
    db.change('db', { replicas: 1 });
    expect(db.deleting).toEqual(['db-2']);
    db.release('db-2');
    expect(db.deleting).toEqual(['db-1']);
    db.release('db-1');
    expect(db.deleting).toEqual([]);
    expect(db.pods).toEqual(['db-0']);
    expect(db.claims).toEqual(['data-db-0', 'data-db-1', 'data-db-2']);
    db.change('db', { replicas: 2 });
    expect(db.pods).toEqual(['db-0', 'db-1']);
  });

  it('scales down all at once with Parallel', () => {
    const db = cluster({ replicas: 3, podManagementPolicy: 'Parallel' }).settle();
    db.change('db', { replicas: 1 });
    expect(db.deleting).toEqual(['db-1', 'db-2']);
  });

  it('does not scale down while a pod that stays is not ready', () => {
    const db = cluster({ replicas: 2 }).settle();
    db.mounted.delete('db-0');
    db.change('db', { replicas: 1 });
    expect(db.deleting).toEqual([]);
    db.mount('db-0');
    expect(db.deleting).toEqual(['db-1']);
  });

  it('goes when its file does: pods in reverse, then the set, and the claims stay', () => {
    const db = cluster({ replicas: 2 }).settle();
    db.delete('db');
    expect(db.deleting).toEqual(['db-1']);
    db.release('db-1');
    expect(db.deleting).toEqual(['db-0']);
    expect(db.set('db')).toBeDefined();
    db.release('db-0');
    expect(db.set('db')).toBeUndefined();
    expect(db.claims).toEqual(['data-db-0', 'data-db-1']);
    expect(db.deleting).toEqual([]);
  });

  it('goes with pods that never became ready', () => {
    const db = cluster({ replicas: 3 });
    db.delete('db');
    expect(db.release('db-0').set('db')).toBeUndefined();
  });

  it('takes an edited template to its pods in place, the last first, down to the partition', () => {
    const db = cluster({ replicas: 3, updateStrategy: { rollingUpdate: { partition: 1 } } }).settle();
    const before = ['db-0', 'db-1', 'db-2'].map((name) => db.pod(name)?.metadata.uid);
    const { template } = db.set('db').spec;
    const volumes = [{ name: 'tmp', emptyDir: {} }];
    db.change('db', { template: { ...template, spec: { ...template.spec, volumes } } });
    const tmp = ['db-0', 'db-1', 'db-2'].map((name) => db.pod(name)?.spec.volumes?.some((one) => one.name === 'tmp'));
    expect(tmp).toEqual([false, true, true]);
    expect(['db-0', 'db-1', 'db-2'].map((name) => db.pod(name)?.metadata.uid)).toEqual(before);
    expect(db.pod('db-2')?.metadata.generation).toBe(2);
  });

  it('leaves its pods as they are with updateStrategy OnDelete', () => {
    const db = cluster({ updateStrategy: { type: 'OnDelete' } }).settle();
    const before = db.pod('db-0');
    const { template } = db.set('db').spec;
    db.change('db', { template: { ...template, metadata: { labels: { app: 'db', new: 'x' } } } });
    expect(db.pod('db-0')).toEqual(before);
  });

  it('mends a pod that is not ready, and so waits for it no more', () => {
    const db = cluster({ replicas: 2 });
    const { template } = db.set('db').spec;
    db.change('db', { template: { ...template, metadata: { labels: { app: 'db', fixed: 'yes' } } } });
    expect(db.pod('db-0')?.metadata.labels).toMatchObject({ fixed: 'yes' });
  });
});

describe('an edited claim template', () => {
  const grown = { volumeClaimTemplates: [claimTemplate('data', '2Gi')] };

  it('may ask for more and change labels, and nothing else', () => {
    const current = new Cluster().add(declare('db'));
    const why = (spec: object) => forbiddenChange(current, declare('db', spec));
    expect(why(grown)).toBeUndefined();
    expect(why({ replicas: 7, persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete' } })).toBeUndefined();
    expect(why({ volumeClaimTemplates: [claimTemplate('data', '1Mi')] })).toMatch(/can not be less/);
    expect(why({ volumeClaimTemplates: [claimTemplate('data'), claimTemplate('more')] })).toMatch(/forbidden/);
    expect(why({ serviceName: 'other' })).toMatch(/"serviceName"/);
    expect(why({ podManagementPolicy: 'Parallel' })).toMatch(/"podManagementPolicy"/);
  });

  it('is for claims that are still to be made', () => {
    const db = cluster().settle();
    const before = db.claim('data-db-0');
    db.change('db', { ...declare('db', grown).spec, replicas: 2 });
    expect(db.claim('data-db-0')).toEqual(before);
    expect(db.claim('data-db-1')?.spec.resources.requests.storage).toBe('2Gi');
  });

  it('reaches bound claims with volumeClaimUpdatePolicy InPlace, and never shrinks one', () => {
    const db = cluster({ replicas: 2, volumeClaimUpdatePolicy: 'InPlace' }).settle();
    const [first, second] = ['data-db-0', 'data-db-1'].map((name) => db.claim(name) as StoredPersistentVolumeClaim);
    if (first === undefined || second === undefined) throw new Error('no claims');
    db.objects.update({ ...first, status: { phase: 'Bound', capacity: { storage: '1Gi' } } });
    const resources = { requests: { storage: '9Gi' } };
    db.objects.update({ ...second, spec: { ...second.spec, resources }, status: { phase: 'Bound' } });
    db.change('db', { ...declare('db', grown).spec, replicas: 2, volumeClaimUpdatePolicy: 'InPlace' });
    expect(db.claim('data-db-0')?.spec.resources.requests.storage).toBe('2Gi');
    expect(db.claim('data-db-1')?.spec.resources.requests.storage).toBe('9Gi');
  });
});

describe('a generic ephemeral volume', () => {
  const ephemeral = { volumeClaimTemplate: { metadata: { labels: { a: 'b' } }, spec: claim('x').spec } };
  const pod = (change: Partial<StoredPod> = {}): StoredPod => ({
    ...podUsing('web', 'none'),
    spec: { volumes: [{ name: 'scratch', ephemeral }] },
    ...change,
  });

  it('has a claim that its pod owns, and that goes after the pod', () => {
    const made = new Cluster();
    const web = made.objects.create(pod());
    made.sync().sync();
    expect(made.claims).toEqual(['web-scratch']);
    const own = made.claim('web-scratch') as StoredPersistentVolumeClaim;
    expect(own.metadata).toMatchObject({ labels: { a: 'b' }, namespace: 'default' });
    expect(isOwnedBy(own.metadata, web.metadata.uid)).toBe(true);
    made.objects.update({ ...web, metadata: { ...web.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
    made.sync();
    expect(made.deleting).toEqual(['web']);
    made.release('web');
    expect(made.deleting).toEqual(['web-scratch']);
  });

  it('does not take a claim of its name that is not the pod’s', () => {
    const made = new Cluster();
    const other = made.objects.create(claim('web-scratch'));
    made.objects.create(pod());
    made.sync().sync();
    expect(made.claim('web-scratch')).toEqual(other);
    expect(made.events.list()).toMatchObject([
      { reason: 'EphemeralClaimConflict', regarding: 'Pod/default/web', count: 1 },
    ]);
  });

  it('is not made for a pod that has ended', () => {
    const made = new Cluster();
    made.objects.create(pod({ status: { phase: 'Succeeded' } }));
    expect(made.sync().claims).toEqual([]);
  });

  it('of a pod of the same name before is not the new pod’s', () => {
    const made = new Cluster();
    const old = made.objects.create(pod());
    made.sync();
    made.objects.remove(keyOf(old), old.metadata.resourceVersion);
    made.objects.create({ ...pod(), metadata: { ...old.metadata, uid: 'uid-new' } });
    made.sync();
    expect(made.deleting).toEqual(['web-scratch']);
    made.removeDeletedClaims();
    expect(made.claim('web-scratch')?.metadata.ownerReferences).toMatchObject([{ uid: 'uid-new' }]);
  });
});
