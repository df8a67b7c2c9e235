import { describe, expect, it } from 'vitest';
import { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { DesiredStateOfWorld, VolumeToMount } from '../world/desired-state-of-world.ts';
import type { PodLease } from '../world/pod-lease.ts';
import { nameOf, nfsMount, podToMount, targetPath, volumeToMount, worldOf } from '../world/testing/volumes.ts';
import { lostLeases } from './lost-leases.ts';
import { operationKey, podUidOf } from './operation.ts';
import type { PlanContext } from './pass.ts';
import { plan } from './plan.ts';
import { simulate } from './simulate.ts';

const idle: PlanContext = {
  running: new Set(),
  busyVolumes: new Set(),
  backoff: new Map(),
  now: 0,
  heavySlots: 4,
  retrySlots: 3,
  inProcessSlots: 256,
  runningByServer: new Map(),
  stalledServers: new Set<string>(),
  draining: false,
};

const nothing = worldOf([]);

function planned(dsw: DesiredStateOfWorld, asw: ActualStateOfWorld, context: Partial<PlanContext> = {}): string[] {
  return plan(dsw, asw, { ...idle, ...context }).operations.map((operation) =>
    [operation.kind, operation.volumeName.slice('test/'.length), podUidOf(operation)]
      .filter((word) => word !== '')
      .join(' '),
  );
}

/** Passes until nothing is left, each pass's operations as one line. */
function passes(dsw: DesiredStateOfWorld, asw: ActualStateOfWorld, context: Partial<PlanContext> = {}): string[] {
  const lines: string[] = [];
  for (;;) {
    const line = planned(dsw, asw, context).join(', ');
    if (line === '') return lines;
    lines.push(line);
    for (const operation of plan(dsw, asw, { ...idle, ...context }).operations) simulate(asw, operation);
  }
}

/** The actual state of world in which everything of these volumes is mounted. */
function mounted(...volumes: VolumeToMount[]): ActualStateOfWorld {
  const asw = new ActualStateOfWorld();
  passes(worldOf(volumes), asw);
  return asw;
}

/** A volume whose global mount is there and whose pods have gone. */
function withoutPods(volume: VolumeToMount): ActualStateOfWorld {
  const asw = mounted(volume);
  for (const uid of volume.pods.keys()) asw.removePodFromVolume(volume.name, uid);
  return asw;
}

describe('plan: one volume', () => {
  it('takes a device volume up one step a pass: attach, global mount, pod mount', () => {
    expect(passes(worldOf([volumeToMount('device', 'data', ['web'])]), new ActualStateOfWorld())).toEqual([
      'attachVolume data',
      'mountDevice data',
      'mountVolume data uid-web',
    ]);
  });

  it('takes it down in the opposite order and then forgets it', () => {
    expect(passes(nothing, mounted(volumeToMount('device', 'data', ['web'])))).toEqual([
      'unmountVolume data uid-web',
      'unmountDevice data',
      'detachVolume data',
      'forgetVolume data',
    ]);
  });

  it('gives a block volume no global mount', () => {
    expect(passes(worldOf([volumeToMount('block', 'raw', ['web'])]), new ActualStateOfWorld())).toEqual([
      'attachVolume raw',
      'mountVolume raw uid-web',
    ]);
  });

  it.each(['tmpfs', 'directory'] as const)('gives a %s volume neither an attach nor a global mount', (type) => {
    const volume = volumeToMount(type, 'scratch', ['web']);
    expect(passes(worldOf([volume]), new ActualStateOfWorld())).toEqual(['mountVolume scratch uid-web']);
    expect(passes(nothing, mounted(volume))).toEqual(['unmountVolume scratch uid-web', 'forgetVolume scratch']);
  });

  it('plans nothing when the worlds agree', () => {
    const volume = volumeToMount('device', 'data', ['web', 'api']);
    const result = plan(worldOf([volume]), mounted(volume), idle);
    expect(result).toEqual({ operations: [], holds: [], releases: [] });
  });

  it('adds a second pod without touching the global mount or the first pod', () => {
    const asw = mounted(volumeToMount('device', 'data', ['web']));
    expect(passes(worldOf([volumeToMount('device', 'data', ['web', 'api'])]), asw)).toEqual([
      'mountVolume data uid-api',
    ]);
  });

  it('removes one of two pods and leaves the global mount and the other pod', () => {
    const asw = mounted(volumeToMount('device', 'data', ['web', 'api']));
    expect(passes(worldOf([volumeToMount('device', 'data', ['api'])]), asw)).toEqual(['unmountVolume data uid-web']);
  });

  it('hands a volume from an ended pod to a new one without unmounting the device', () => {
    const asw = mounted(volumeToMount('device', 'data', ['old']));
    expect(passes(worldOf([volumeToMount('device', 'data', ['new'])]), asw)).toEqual([
      'unmountVolume data uid-old, mountVolume data uid-new',
    ]);
  });

  it('mounts a pod anew when it wants another mount of the same volume', () => {
    const volume = volumeToMount('device', 'data', ['web']);
    const readOnly = {
      ...volume,
      pods: new Map([['uid-web', podToMount('web', 'data', { kind: 'bind', readOnly: true })]]),
    };
    expect(passes(worldOf([readOnly]), mounted(volume))).toEqual([
      'unmountVolume data uid-web',
      'mountVolume data uid-web',
    ]);
  });
});

describe('plan: phases', () => {
  it('orders unmounts before mounts before device unmounts', () => {
    const asw = mounted(volumeToMount('device', 'gone', ['old']), volumeToMount('device', 'idle', ['old']));
    asw.removePodFromVolume(nameOf('idle'), 'uid-old');
    expect(planned(worldOf([volumeToMount('device', 'new', ['web'])]), asw)).toEqual([
      'unmountVolume gone uid-old',
      'attachVolume new',
      'unmountDevice idle',
    ]);
  });

  it('plans no device unmount in the pass that unmounts its last pod', () => {
    expect(planned(nothing, mounted(volumeToMount('device', 'data', ['web'])))).toEqual(['unmountVolume data uid-web']);
  });

  it('unmounts nothing while the desired state of world is not complete, but mounts', () => {
    const asw = mounted(volumeToMount('device', 'old', ['web']));
    const dsw = worldOf([volumeToMount('tmpfs', 'new', ['web'])], { complete: false });
    expect(planned(dsw, asw)).toEqual(['mountVolume new uid-web']);
    expect(planned(worldOf([], { complete: false }), withoutPods(volumeToMount('device', 'old', ['web'])))).toEqual([]);
  });
});

describe('plan: exclusion of keys', () => {
  const two = volumeToMount('device', 'data', ['a', 'b']);

  it('plans the mounts of two pods of one volume in one pass', () => {
    const asw = withoutPods(two);
    expect(planned(worldOf([two]), asw)).toEqual(['mountVolume data uid-a', 'mountVolume data uid-b']);
  });

  it('leaves the other pods of a volume free while one is worked on', () => {
    const running = new Set([operationKey(nameOf('data'), 'uid-a')]);
    const busyVolumes = new Set([nameOf('data')]);
    expect(planned(worldOf([two]), withoutPods(two), { running, busyVolumes })).toEqual(['mountVolume data uid-b']);
  });

  it('keeps all pods waiting while the volume itself is worked on', () => {
    const running = new Set([operationKey(nameOf('data'), '')]);
    const busyVolumes = new Set([nameOf('data')]);
    expect(planned(worldOf([two]), withoutPods(two), { running, busyVolumes })).toEqual([]);
    expect(planned(nothing, mounted(two), { running, busyVolumes })).toEqual([]);
  });

  it('keeps the volume waiting while one of its pods is worked on', () => {
    const running = new Set([operationKey(nameOf('data'), 'uid-a')]);
    const busyVolumes = new Set([nameOf('data')]);
    expect(planned(nothing, withoutPods(two), { running, busyVolumes })).toEqual([]);
    expect(planned(nothing, withoutPods(two))).toEqual(['unmountDevice data']);
  });

  it('excludes within one pass: a pod that is unmounted keeps its volume from being attached anew', () => {
    const asw = mounted(two);
    asw.markAttachAsUncertain(nameOf('data'));
    expect(planned(worldOf([volumeToMount('device', 'data', ['a'])]), asw)).toEqual(['unmountVolume data uid-b']);
  });

  it('does not let a sick volume hold another', () => {
    const running = new Set([operationKey(nameOf('sick'), '')]);
    const busyVolumes = new Set([nameOf('sick')]);
    const dsw = worldOf([volumeToMount('device', 'sick', ['a']), volumeToMount('device', 'well', ['a'])]);
    expect(planned(dsw, new ActualStateOfWorld(), { running, busyVolumes })).toEqual(['attachVolume well']);
  });
});

describe('plan: heavy operations', () => {
  const three = ['one', 'two', 'three'].map((name) => volumeToMount('device', name, ['web']));

  function attached(): ActualStateOfWorld {
    const asw = new ActualStateOfWorld();
    for (const operation of plan(worldOf(three), asw, idle).operations) simulate(asw, operation);
    return asw;
  }

  it('fills the free places and no more', () => {
    expect(planned(worldOf(three), attached(), { heavySlots: 2 })).toEqual(['mountDevice one', 'mountDevice two']);
    expect(planned(worldOf(three), attached(), { heavySlots: 0 })).toEqual([]);
  });

  it('gives them to what is new first, then to what has waited longest since it failed, and one to nothing that failed', () => {
    const failed = (...names: string[]) =>
      new Map(names.map((name, index) => [nameOf(name), { kind: 'mountDevice', notBefore: -index }]));
    const backoff = failed('one', 'two');
    expect(planned(worldOf(three), attached(), { heavySlots: 1, backoff })).toEqual(['mountDevice three']);
    expect(planned(worldOf(three), attached(), { heavySlots: 2, backoff })).toEqual([
      'mountDevice three',
      'mountDevice two',
    ]);
    const all = { backoff: failed('one', 'two', 'three') };
    expect(planned(worldOf(three), attached(), { ...all, heavySlots: 2, retrySlots: 1 })).toEqual([
      'mountDevice three',
    ]);
    expect(planned(worldOf(three), attached(), { ...all, heavySlots: 2, retrySlots: 0 })).toEqual([]);
  });

  it('starts so many of the others as there are places, and those that wait for a server in any case', () => {
    const pods = ['a', 'b', 'c'];
    const dsw = worldOf([volumeToMount('tmpfs', 'scratch', pods), volumeToMount('nfs', 'export', ['a'])]);
    const asw = new ActualStateOfWorld();
    expect(planned(dsw, asw, { inProcessSlots: 2 })).toEqual([
      'mountVolume scratch uid-a',
      'mountVolume scratch uid-b',
      'mountVolume export uid-a',
    ]);
    const mountedWorld = mounted(volumeToMount('tmpfs', 'scratch', pods));
    expect(planned(nothing, mountedWorld, { inProcessSlots: 1 })).toEqual(['unmountVolume scratch uid-a']);
  });

  it('starts light operations although no place is free', () => {
    expect(planned(worldOf(three), new ActualStateOfWorld(), { heavySlots: 0 })).toEqual([
      'attachVolume one',
      'attachVolume two',
      'attachVolume three',
    ]);
  });

  it('starts four operations with one server, and one with a server that does not answer', () => {
    const wish = (name: string, server: string) => ({
      ...volumeToMount('nfs', name, []),
      pods: new Map([['uid-web', podToMount('web', name, nfsMount(name, server))]]),
    });
    const dsw = worldOf(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => wish(name, 'filer')).concat(wish('z', 'other')));
    const mounts = (...names: string[]) => names.map((name) => `mountVolume ${name} uid-web`);
    const asw = new ActualStateOfWorld();
    const stalledServers = new Set(['filer']);
    const running = (count: number) => ({ runningByServer: new Map([['filer', count]]) });
    expect(planned(dsw, asw)).toEqual(mounts('a', 'b', 'c', 'd', 'z'));
    expect(planned(dsw, asw, running(3))).toEqual(mounts('a', 'z'));
    expect(planned(dsw, asw, { stalledServers })).toEqual(mounts('a', 'z'));
    expect(planned(dsw, asw, { stalledServers, ...running(1) })).toEqual(mounts('z'));
    expect(planned(dsw, asw, { heavySlots: 0 })).toEqual(mounts('a', 'b', 'c', 'd', 'z'));
  });

  it('counts what takes mounts away from a server as well', () => {
    const asw = mounted(volumeToMount('nfs', 'data', ['web', 'api']));
    const stalledServers = new Set(['filer-data']);
    expect(planned(nothing, asw, { stalledServers })).toEqual(['unmountVolume data uid-web']);
    expect(planned(nothing, asw)).toEqual(['unmountVolume data uid-web', 'unmountVolume data uid-api']);
  });

  it('holds a changed export until the pod is another: what it has open would end', () => {
    const asw = mounted(volumeToMount('nfs', 'data', ['web']));
    const moved = podToMount('web', 'data', { ...nfsMount('data'), options: ['soft'] });
    const dsw = worldOf([{ ...volumeToMount('nfs', 'data', []), pods: new Map([['uid-web', moved]]) }]);
    expect(planned(dsw, asw)).toEqual([]);
    expect(plan(dsw, asw, idle).holds).toMatchObject([
      { podUid: 'uid-web', reason: expect.stringContaining('takes effect for the next pod') },
    ]);
  });

  it('sets no timer for a place: the end of an operation gives it', () => {
    expect(plan(worldOf(three), attached(), { ...idle, heavySlots: 0 }).wakeAt).toBeUndefined();
  });
});

describe('plan: leases', () => {
  const volume = volumeToMount('device', 'data', ['web', 'api']);
  const pod = { namespace: 'default', name: 'web', uid: 'uid-web' };
  const lease: PodLease = { unit: 'moored-pod@default-web.service', pod, targetPaths: [targetPath('data', 'web')] };

  it('asks for the end of the unit instead of unmounting what it was promised, and says so', () => {
    const { operations, holds, releases } = plan(nothing, mounted(volume), { ...idle, leases: [lease] });
    expect(operations).toMatchObject([{ kind: 'unmountVolume', podUid: 'uid-api' }]);
    expect(releases).toEqual([{ unit: lease.unit, pod, reason: 'pod no longer uses the volume' }]);
    expect(holds.map(({ podUid, reason }) => `${podUid}: ${reason}`)).toEqual([
      `uid-web: to be unmounted (pod no longer uses the volume) when unit "${lease.unit}" has stopped`,
    ]);
  });

  it('asks every unit that was promised the volume', () => {
    const other = { ...lease, unit: 'backup.service' };
    const { releases } = plan(nothing, mounted(volume), { ...idle, leases: [lease, other] });
    expect(releases.map(({ unit }) => unit)).toEqual([lease.unit, other.unit]);
  });

  it('holds for a drain and for another mount of the same volume', () => {
    const world = worldOf([volume]);
    const readOnly = podToMount('web', 'data', { kind: 'bind', readOnly: true });
    const changed = worldOf([{ ...volume, pods: new Map(volume.pods).set('uid-web', readOnly) }]);
    const context = { leases: [lease] };
    expect(planned(world, mounted(volume), { ...context, draining: true })).toEqual(['unmountVolume data uid-api']);
    expect(planned(changed, mounted(volume), context)).toEqual([]);
    expect(planned(changed, mounted(volume))).toEqual(['unmountVolume data uid-web']);
  });

  it('stands in the way of nothing that was not promised, and of no pod that came after it', () => {
    const ofBefore = { ...lease, pod: { ...pod, uid: 'uid-before' } };
    const ofOther = { ...lease, targetPaths: [targetPath('other', 'web')] };
    const down = ['unmountVolume data uid-web', 'unmountVolume data uid-api'];
    expect(planned(nothing, mounted(volume), { leases: [ofBefore, ofOther] })).toEqual(down);
  });

  it('asks for nothing while the volume is wanted, or its pod is not understood', () => {
    const context = { ...idle, leases: [lease] };
    expect(plan(worldOf([volume]), mounted(volume), context).releases).toEqual([]);
    expect(plan(worldOf([], { unresolved: ['web', 'api'] }), mounted(volume), context).releases).toEqual([]);
  });
});

describe('leases that are lost', () => {
  const volume = volumeToMount('device', 'data', ['web']);
  const pod = { namespace: 'default', name: 'web', uid: 'uid-web' };
  const lease: PodLease = { unit: 'web.service', pod, targetPaths: [targetPath('data', 'web')] };
  const failing = (count: number) => (key: string) => (key === nameOf('data') ? count : 0);
  const unmounted = new ActualStateOfWorld();

  it('are those whose volume failed three times to come back', () => {
    const world = worldOf([volume]);
    expect(lostLeases(world, unmounted, [lease], failing(2))).toEqual([]);
    expect(lostLeases(world, unmounted, [lease], failing(3))).toMatchObject([{ unit: 'web.service', pod }]);
    expect(lostLeases(world, mounted(volume), [lease], failing(3))).toEqual([]);
  });

  it('are not those of a pod whose new volume cannot be mounted', () => {
    const promisedOther = { ...lease, targetPaths: [targetPath('other', 'web')] };
    expect(lostLeases(worldOf([volume]), unmounted, [promisedOther], failing(9))).toEqual([]);
  });
});

describe('plan: backoff', () => {
  const volume = volumeToMount('device', 'data', ['web']);
  const key = operationKey(nameOf('data'), '');

  it('holds the failed operation back until its time and says when that is', () => {
    const backoff = new Map([[key, { kind: 'attachVolume', notBefore: 500 }]]);
    const result = plan(worldOf([volume]), new ActualStateOfWorld(), { ...idle, backoff, now: 499 });
    expect(result).toEqual({ operations: [], holds: [], releases: [], wakeAt: 500 });
    expect(planned(worldOf([volume]), new ActualStateOfWorld(), { backoff, now: 500 })).toEqual(['attachVolume data']);
  });

  it('wakes at the earliest of several', () => {
    const other = volumeToMount('tmpfs', 'scratch', ['web']);
    const backoff = new Map([
      [key, { kind: 'attachVolume', notBefore: 900 }],
      [operationKey(nameOf('scratch'), 'uid-web'), { kind: 'mountVolume', notBefore: 700 }],
    ]);
    expect(plan(worldOf([volume, other]), new ActualStateOfWorld(), { ...idle, backoff }).wakeAt).toBe(700);
  });

  it('lets another kind than the failed one start at once', () => {
    const backoff = new Map([[operationKey(nameOf('data'), 'uid-web'), { kind: 'mountVolume', notBefore: 900 }]]);
    expect(planned(nothing, mounted(volume), { backoff })).toEqual(['unmountVolume data uid-web']);
  });

  it('does not hold the other pods of the volume', () => {
    const both = volumeToMount('device', 'data', ['web', 'api']);
    const backoff = new Map([[operationKey(nameOf('data'), 'uid-web'), { kind: 'mountVolume', notBefore: 900 }]]);
    expect(planned(worldOf([both]), withoutPods(both), { backoff })).toEqual(['mountVolume data uid-api']);
  });
});

describe('plan: uncertain states', () => {
  const volume = volumeToMount('device', 'data', ['web']);

  it('retries an uncertain attach, device mount and pod mount while desired', () => {
    const asw = mounted(volume);
    asw.markVolumeMountAs(volume.name, 'uid-web', 'VolumeMountUncertain');
    asw.markDeviceAsUncertain(volume.name);
    asw.markAttachAsUncertain(volume.name);
    const steps = plan(worldOf([volume]), asw, idle).operations;
    expect(steps.map(({ kind, reason }) => [kind, reason])).toEqual([['attachVolume', 'attach is uncertain']]);
    expect(passes(worldOf([volume]), asw)).toEqual([
      'attachVolume data',
      'mountDevice data',
      'mountVolume data uid-web',
    ]);
  });

  it('undoes an uncertain pod mount when the pod is gone', () => {
    const asw = mounted(volume);
    asw.markVolumeMountAs(volume.name, 'uid-web', 'VolumeMountUncertain');
    expect(planned(nothing, asw)).toEqual(['unmountVolume data uid-web']);
  });

  it('undoes a pod mount that failed for certain as long as the record has the pod', () => {
    const asw = mounted(volume);
    asw.markVolumeMountAs(volume.name, 'uid-web', 'VolumeNotMounted');
    expect(planned(nothing, asw)).toEqual(['unmountVolume data uid-web']);
  });

  it('undoes an uncertain device mount, never skipping to the detach', () => {
    const asw = withoutPods(volume);
    asw.markDeviceAsUncertain(volume.name);
    expect(passes(nothing, asw)).toEqual(['unmountDevice data', 'detachVolume data', 'forgetVolume data']);
  });

  it('undoes an uncertain attach', () => {
    const asw = new ActualStateOfWorld();
    asw.addVolume({ name: volume.name, plugin: 'test', recipe: volume.recipe, pods: {} });
    asw.markAttachAsUncertain(volume.name);
    expect(passes(nothing, asw)).toEqual(['detachVolume data', 'forgetVolume data']);
  });
});

describe('plan: holds', () => {
  it('keeps what a pod has while it is not wholly resolved, and says so', () => {
    const result = plan(worldOf([], { unresolved: ['web'] }), mounted(volumeToMount('device', 'data', ['web'])), idle);
    expect(result.operations).toEqual([]);
    expect(result.holds).toEqual([
      { volumeName: nameOf('data'), podUid: 'uid-web', reason: 'pod is not fully resolved: what it has is kept' },
    ]);
  });

  it('unmounts the other pods of that volume', () => {
    const asw = mounted(volumeToMount('device', 'data', ['web', 'api']));
    expect(passes(worldOf([], { unresolved: ['web'] }), asw)).toEqual(['unmountVolume data uid-api']);
  });

  it('holds a changed recipe while a pod uses the volume', () => {
    const volume = volumeToMount('device', 'data', ['web']);
    const changed = {
      ...volume,
      recipe: { ...volume.recipe, deviceMount: { fsType: 'xfs', readOnly: false, options: [] } },
    };
    const result = plan(worldOf([changed as VolumeToMount]), mounted(volume), idle);
    expect(result.operations).toEqual([]);
    expect(result.holds.map(({ volumeName, podUid }) => [volumeName, podUid])).toEqual([[nameOf('data'), '']]);
  });

  it('takes a changed recipe up after the old one was taken down, once no pod uses it', () => {
    const volume = volumeToMount('device', 'data', ['web']);
    const deviceMount = { fsType: 'ext4', readOnly: true, options: [] } as const;
    const changed = { ...volume, recipe: { ...volume.recipe, deviceMount } };
    expect(passes(worldOf([changed]), withoutPods(volume))).toEqual([
      'unmountDevice data',
      'detachVolume data',
      'attachVolume data',
      'mountDevice data',
      'mountVolume data uid-web',
    ]);
  });
});

describe('plan: draining', () => {
  const draining = { draining: true };

  it('mounts nothing and takes everything down although it is desired', () => {
    const volume = volumeToMount('device', 'data', ['web']);
    const dsw = worldOf([volume, volumeToMount('tmpfs', 'new', ['web'])]);
    expect(passes(dsw, mounted(volume), draining)).toEqual([
      'unmountVolume data uid-web',
      'unmountDevice data',
      'detachVolume data',
    ]);
  });

  it('does not touch the directory emptyDir of a living pod', () => {
    const volume = volumeToMount('directory', 'scratch', ['web']);
    expect(passes(worldOf([volume]), mounted(volume), draining)).toEqual([]);
  });

  it('does not touch a directory emptyDir before it is known who is desired', () => {
    const asw = mounted(volumeToMount('directory', 'scratch', ['web']));
    expect(passes(worldOf([], { complete: false }), asw, draining)).toEqual([]);
  });

  it('does not touch the directory emptyDir of a pod that is not wholly resolved', () => {
    const asw = mounted(volumeToMount('directory', 'scratch', ['web']));
    expect(passes(worldOf([], { unresolved: ['web'] }), asw, draining)).toEqual([]);
  });

  it('removes the directory emptyDir of a pod that is gone', () => {
    const asw = mounted(volumeToMount('directory', 'scratch', ['web']));
    expect(passes(nothing, asw, draining)).toEqual(['unmountVolume scratch uid-web', 'forgetVolume scratch']);
  });

  it('unmounts even before the desired state of world is complete, and forgets nothing then', () => {
    const asw = mounted(volumeToMount('device', 'data', ['web']));
    expect(passes(worldOf([], { complete: false }), asw, draining)).toEqual([
      'unmountVolume data uid-web',
      'unmountDevice data',
      'detachVolume data',
    ]);
  });
});

describe('plan: inline images', () => {
  /** forgetVolume removes the image of an inline volume: it must never be planned on a mere absence. */
  function inline(): VolumeToMount {
    const volume = volumeToMount('device', 'inline', ['web']);
    const attachment = { ...volume.recipe.attachment!, create: { sizeBytes: '67108864' } };
    return { ...volume, recipe: { ...volume.recipe, attachment } };
  }

  it('are not forgotten by a drain while their pod is desired', () => {
    const asw = mounted(inline());
    expect(passes(worldOf([inline()]), asw, { draining: true }).at(-1)).toBe('detachVolume inline');
  });

  it('are not forgotten by a drain while a pod is not wholly resolved: it may be theirs', () => {
    const asw = mounted(inline());
    expect(passes(worldOf([], { unresolved: ['web'] }), asw, { draining: true }).at(-1)).toBe('detachVolume inline');
    expect(passes(worldOf([], { unresolved: ['web'] }), asw)).toEqual([]);
  });

  it('are forgotten when their pod is gone', () => {
    expect(passes(nothing, mounted(inline())).at(-1)).toBe('forgetVolume inline');
  });
});
