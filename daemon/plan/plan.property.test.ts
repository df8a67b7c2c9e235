import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ActualStateOfWorld, type ActualVolume } from '../world/actual-state-of-world.ts';
import type { DesiredStateOfWorld, VolumeToMount } from '../world/desired-state-of-world.ts';
import { recordOf, type VolumeType, volumeToMount, worldOf } from '../world/testing/volumes.ts';
import { wantedGrowth } from '../world/volume-growth.ts';
import { type Operation, operationKey, podUidOf } from './operation.ts';
import type { PlanContext } from './pass.ts';
import { plan } from './plan.ts';
import { simulate } from './simulate.ts';

const idle: PlanContext = {
  running: new Set(),
  busyVolumes: new Set(),
  backoff: new Map(),
  now: 0,
  heavySlots: Number.POSITIVE_INFINITY,
  retrySlots: Number.POSITIVE_INFINITY,
  inProcessSlots: Number.POSITIVE_INFINITY,
  runningByServer: new Map(),
  stalledServers: new Set<string>(),
  draining: false,
};

const pods = ['a', 'b', 'c'] as const;
const types: readonly VolumeType[] = ['device', 'device', 'block', 'tmpfs', 'directory', 'nfs'];

/** Every volume has one type in all worlds; which pods want it and what is left of it is random. */
interface Case {
  readonly dsw: DesiredStateOfWorld;
  readonly asw: readonly ActualVolume[];
}

const podSubset = fc.subarray([...pods]);

function actualVolume(type: VolumeType, volume: VolumeToMount): fc.Arbitrary<ActualVolume> {
  const hasDevice = type === 'device' || type === 'block';
  return fc
    .record({
      attachState: hasDevice
        ? fc.constantFrom('Attached', 'AttachUncertain', 'NotAttached')
        : fc.constant('NotAttached' as const),
      deviceMountState:
        type === 'device'
          ? fc.constantFrom('DeviceGloballyMounted', 'DeviceMountUncertain', 'DeviceNotMounted')
          : fc.constant('DeviceNotMounted' as const),
      states: fc.array(fc.constantFrom('VolumeMounted', 'VolumeMountUncertain', 'VolumeNotMounted'), {
        minLength: pods.length,
        maxLength: pods.length,
      }),
    })
    .map(({ attachState, deviceMountState, states }) => ({
      record: recordOf(volume),
      attachState,
      deviceMountState,
      podStates: new Map([...volume.pods.keys()].map((uid, index) => [uid, states[index] ?? 'VolumeMountUncertain'])),
    }));
}

function withSize(volume: VolumeToMount, desiredBytes: bigint, claimBytes: bigint): VolumeToMount {
  if (volume.recipe.attachment === undefined) return volume;
  return { ...volume, size: { persistentVolume: volume.name, desiredBytes, claimBytes } };
}

const oneVolume = fc.tuple(fc.nat(types.length - 1), fc.nat(99)).chain(([typeIndex, id]) => {
  const type = types[typeIndex] ?? 'device';
  const name = `${type}-${id}`;
  const desired = fc.option(
    podSubset.filter((chosen) => chosen.length > 0),
    { nil: undefined },
  );
  const actual = fc.option(
    podSubset.chain((chosen) => actualVolume(type, volumeToMount(type, name, chosen))),
    { nil: undefined },
  );
  return fc.record({
    desired: fc
      .tuple(desired, fc.nat(2), fc.nat(2))
      .map(
        ([chosen, desiredBytes, claimBytes]) =>
          chosen && withSize(volumeToMount(type, name, chosen), BigInt(desiredBytes), BigInt(claimBytes)),
      ),
    actual,
    name: fc.constant(name),
  });
});

const worlds: fc.Arbitrary<Case> = fc
  .record({
    volumes: fc.uniqueArray(oneVolume, { maxLength: 5, selector: ({ name }) => name }),
    unresolved: fc.subarray([...pods]),
  })
  .map(({ volumes, unresolved }) => ({
    dsw: worldOf(
      volumes.flatMap(({ desired }) => desired ?? []),
      { unresolved },
    ),
    asw: volumes.flatMap(({ actual }) => actual ?? []),
  }));

function restored(volumes: readonly ActualVolume[]): ActualStateOfWorld {
  const asw = new ActualStateOfWorld();
  for (const volume of volumes) asw.restoreVolume(volume);
  return asw;
}

function isDesired(dsw: DesiredStateOfWorld, operation: Operation): boolean {
  return dsw.volumes.get(operation.volumeName)?.pods.has(podUidOf(operation)) ?? false;
}

function assertGrowable({ recipe }: VolumeToMount, actual: ActualVolume | undefined): void {
  expect(actual?.attachState, 'a volume is grown before it is attached').toBe('Attached');
  if (recipe.deviceMount === undefined) return;
  expect(actual?.deviceMountState, 'a volume is grown before it is mounted').toBe('DeviceGloballyMounted');
}

/** What may never happen, whatever the worlds are. */
function assertAllowed(operation: Operation, dsw: DesiredStateOfWorld, asw: ActualStateOfWorld): void {
  const actual = asw.get(operation.volumeName);
  switch (operation.kind) {
    case 'unmountVolume':
      expect(isDesired(dsw, operation), 'a desired pod is unmounted').toBe(false);
      expect(dsw.errors.has(operation.podUid), 'an unresolved pod is unmounted').toBe(false);
      break;
    case 'unmountDevice':
      expect(Object.keys(actual?.record.pods ?? {}), 'a device is unmounted under a pod').toEqual([]);
      break;
    case 'detachVolume':
      expect(actual?.deviceMountState, 'a mounted device is detached').toBe('DeviceNotMounted');
      break;
    case 'forgetVolume':
      expect(actual?.attachState, 'an attached volume is forgotten').toBe('NotAttached');
      break;
    case 'mountDevice':
      expect(actual?.attachState, 'a device is mounted before it is attached').toBe('Attached');
      break;
    case 'mountVolume':
      if (operation.volume.recipe.deviceMount !== undefined) {
        expect(actual?.deviceMountState, 'a pod is mounted before its device').toBe('DeviceGloballyMounted');
      }
      break;
    case 'expandVolume':
      assertGrowable(operation.volume, actual);
      break;
    case 'attachVolume':
      break;
  }
}

/** Plans and succeeds until nothing is left to do. */
function converge(dsw: DesiredStateOfWorld, asw: ActualStateOfWorld, context: PlanContext): number {
  for (let pass = 0; ; pass++) {
    expect(pass, 'the planner does not come to an end').toBeLessThan(50);
    const { operations } = plan(dsw, asw, context);
    if (operations.length === 0) return pass;
    for (const operation of operations) {
      if (!context.draining) assertAllowed(operation, dsw, asw);
      simulate(asw, operation);
    }
  }
}

/** Everything desired is mounted, and nothing else is there but what unresolved pods have. */
function assertReached(dsw: DesiredStateOfWorld, asw: ActualStateOfWorld): void {
  for (const volume of dsw.volumes.values()) {
    const actual = asw.get(volume.name);
    expect(wantedGrowth(volume, actual), 'a volume is smaller than it shall be').toBeUndefined();
    if (volume.recipe.attachment !== undefined) expect(actual?.attachState).toBe('Attached');
    if (volume.recipe.deviceMount !== undefined) expect(actual?.deviceMountState).toBe('DeviceGloballyMounted');
    for (const uid of volume.pods.keys()) expect(actual?.podStates.get(uid)).toBe('VolumeMounted');
  }
  for (const volume of asw.volumes.values()) {
    const uids = Object.keys(volume.record.pods);
    expect(uids.sort()).toEqual([...volume.podStates.keys()].sort());
    for (const uid of uids) {
      const wanted = dsw.volumes.get(volume.record.name)?.pods.has(uid) ?? false;
      expect(wanted || dsw.errors.has(uid), `${uid} still has ${volume.record.name}`).toBe(true);
    }
    expect(uids.length > 0 || dsw.volumes.has(volume.record.name), 'a volume of nobody is still there').toBe(true);
  }
}

describe('plan, simulated to its end', () => {
  it('reaches the desired state of world from any actual one, by allowed operations only', () => {
    fc.assert(
      fc.property(worlds, ({ dsw, asw: volumes }) => {
        const asw = restored(volumes);
        converge(dsw, asw, idle);
        assertReached(dsw, asw);
      }),
      { numRuns: 500 },
    );
  });

  it('reaches it with one place for heavy operations too', () => {
    fc.assert(
      fc.property(worlds, ({ dsw, asw: volumes }) => {
        const asw = restored(volumes);
        converge(dsw, asw, { ...idle, heavySlots: 1 });
        assertReached(dsw, asw);
      }),
      { numRuns: 200 },
    );
  });

  it('unmounts nothing while the desired state of world is not complete', () => {
    fc.assert(
      fc.property(worlds, ({ dsw, asw: volumes }) => {
        const operations = plan({ ...dsw, complete: false }, restored(volumes), idle).operations;
        const kinds = new Set(operations.map(({ kind }) => kind));
        for (const kind of ['unmountVolume', 'unmountDevice', 'detachVolume', 'forgetVolume'] as const) {
          expect(kinds.has(kind), kind).toBe(false);
        }
      }),
    );
  });

  it('drains everything but the directories of pods that are not proven gone', () => {
    fc.assert(
      fc.property(worlds, fc.boolean(), ({ dsw: known, asw: volumes }, complete) => {
        const dsw = { ...known, complete };
        const asw = restored(volumes);
        const mayLive = (name: ActualVolume['record']['name'], uid: string) =>
          !complete || (dsw.volumes.get(name)?.pods.has(uid) ?? false) || dsw.errors.has(uid);
        const kept = volumes.flatMap(({ record }) =>
          Object.values(record.pods)
            .filter(({ mount, pod }) => mount.kind === 'directory' && mayLive(record.name, pod.uid))
            .map(({ pod }) => `${record.name} ${pod.uid}`),
        );
        converge(dsw, asw, { ...idle, draining: true });
        const left = [...asw.volumes.values()].flatMap((volume) => {
          expect(volume.attachState).toBe('NotAttached');
          expect(volume.deviceMountState).toBe('DeviceNotMounted');
          return Object.keys(volume.record.pods).map((uid) => `${volume.record.name} ${uid}`);
        });
        expect(left.sort()).toEqual(kept.sort());
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order in which the worlds list things', () => {
    fc.assert(
      fc.property(worlds, ({ dsw, asw: volumes }) => {
        const turned: DesiredStateOfWorld = {
          ...dsw,
          volumes: new Map(
            [...dsw.volumes]
              .reverse()
              .map(([name, volume]) => [name, { ...volume, pods: new Map([...volume.pods].reverse()) }]),
          ),
        };
        const asText = (world: DesiredStateOfWorld, actual: readonly ActualVolume[]) =>
          plan(world, restored(actual), idle)
            .operations.map((operation) => `${operation.kind} ${operation.volumeName} ${podUidOf(operation)}`)
            .sort();
        expect(asText(turned, [...volumes].reverse())).toEqual(asText(dsw, volumes));
      }),
    );
  });
});

describe('plan, with operations that overlap and end in any order', () => {
  /** Starts and ends as the executor does: what is planned starts at once, the scheduler chooses what ends next. */
  function interleave(dsw: DesiredStateOfWorld, asw: ActualStateOfWorld, choices: readonly number[]): void {
    const running: Operation[] = [];
    for (let step = 0; step < 300; step++) {
      const keys = running.map((operation) => operationKey(operation.volumeName, podUidOf(operation)));
      expect(new Set(keys).size, 'two operations with one key').toBe(keys.length);
      const context = {
        ...idle,
        running: new Set(keys),
        busyVolumes: new Set(running.map(({ volumeName }) => volumeName)),
        heavySlots: 2,
      };
      for (const operation of plan(dsw, asw, context).operations) {
        assertAllowed(operation, dsw, asw);
        running.push(operation);
      }
      if (running.length === 0) return;
      for (const operation of running) {
        const others = running.filter((other) => other !== operation && other.volumeName === operation.volumeName);
        if (podUidOf(operation) === '') expect(others, 'a volume and its pods at once').toEqual([]);
      }
      const [ended] = running.splice((choices[step % choices.length] ?? 0) % running.length, 1);
      if (ended === undefined) return;
      assertAllowed(ended, dsw, asw);
      simulate(asw, ended);
    }
    expect.unreachable('the planner does not come to an end');
  }

  it('keeps every rule and reaches the desired state of world', () => {
    fc.assert(
      fc.property(worlds, fc.array(fc.nat(20), { minLength: 1, maxLength: 40 }), ({ dsw, asw: volumes }, choices) => {
        const asw = restored(volumes);
        interleave(dsw, asw, choices);
        assertReached(dsw, asw);
      }),
      { numRuns: 300 },
    );
  });
});
