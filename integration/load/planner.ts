/** The planner alone: one pass of the pure function over two worlds. */
import { operationKey } from '../../daemon/plan/operation.ts';
import type { PlanContext } from '../../daemon/plan/pass.ts';
import { plan } from '../../daemon/plan/plan.ts';
import { ActualStateOfWorld } from '../../daemon/world/actual-state-of-world.ts';
import type { DesiredStateOfWorld, VolumeToMount } from '../../daemon/world/desired-state-of-world.ts';
import { recordOf, targetPath, volumeToMount, worldOf } from '../../daemon/world/testing/volumes.ts';
import { spread } from '../bench/sample.ts';
import { digits, spreadText, table } from './markdown.ts';

interface Scene {
  readonly name: string;
  readonly dsw: DesiredStateOfWorld;
  readonly asw: ActualStateOfWorld;
  readonly context: PlanContext;
  /** What the pass must give. */
  readonly operations: number;
}

export interface PlannerTimes {
  readonly scene: string;
  readonly ms: readonly number[];
  readonly operations: number;
  readonly expected: number;
}

const idle: PlanContext = {
  running: new Set(),
  busyVolumes: new Set(),
  backoff: new Map(),
  now: 1_000,
  heavySlots: 4,
  retrySlots: 3,
  inProcessSlots: Number.POSITIVE_INFINITY,
  runningByServer: new Map(),
  stalledServers: new Map(),
  draining: false,
};

/** Half memory, half devices, a pod each. */
function volumesOf(count: number): readonly VolumeToMount[] {
  return Array.from({ length: count }, (_, index) =>
    volumeToMount(index % 2 === 0 ? 'tmpfs' : 'device', `volume-${index}`, [`pod-${index}`]),
  );
}

function mountedWorld(volumes: readonly VolumeToMount[]): ActualStateOfWorld {
  const asw = new ActualStateOfWorld();
  for (const volume of volumes) {
    // As after a restart: a record that was read back is equal to the wish and not the same object.
    asw.addVolume(structuredClone(recordOf(volume)));
    if (volume.recipe.attachment !== undefined) {
      asw.markVolumeAsAttached(volume.name, { devicePath: '/dev/loop3', deviceNumber: '7:3' });
      asw.markDeviceAsMounted(volume.name, { fsType: 'ext4', root: '/', device: '7:3' });
    }
    for (const uid of volume.pods.keys()) {
      asw.markVolumeAsMounted(volume.name, uid, { observed: undefined, at: '2026-01-01T00:00:00Z' });
    }
  }
  return asw;
}

/** The longest backoffs: every volume has failed. */
function allFailed(volumes: readonly VolumeToMount[]): PlanContext['backoff'] {
  const later = idle.now + 60_000;
  return new Map(
    volumes.map(({ name, pods, recipe }) =>
      recipe.attachment === undefined
        ? [operationKey(name, [...pods.keys()][0] ?? ''), { kind: 'mountVolume', notBefore: later }]
        : [name, { kind: 'attachVolume', notBefore: later }],
    ),
  );
}

/** A unit for each pod, and every pod gone. */
function allLeased(count: number): PlanContext['leases'] {
  return Array.from({ length: count }, (_, index) => ({
    unit: `moored-pod@pod-${index}.service`,
    pod: { namespace: 'default', name: `pod-${index}`, uid: `uid-pod-${index}` },
    targetPaths: [targetPath(`volume-${index}`, `pod-${index}`)],
  }));
}

function scenesOf(count: number): readonly Scene[] {
  const volumes = volumesOf(count);
  const dsw = worldOf(volumes);
  const empty = new ActualStateOfWorld();
  const mounted = mountedWorld(volumes);
  const shared = [
    volumeToMount(
      'device',
      'shared',
      Array.from({ length: count }, (_, index) => `pod-${index}`),
    ),
  ];
  return [
    { name: 'nothing to do', dsw, asw: mounted, context: idle, operations: 0 },
    { name: 'all to mount', dsw, asw: empty, context: idle, operations: count },
    { name: 'all to unmount', dsw: worldOf([]), asw: mounted, context: idle, operations: count },
    { name: 'all in backoff', dsw, asw: empty, context: { ...idle, backoff: allFailed(volumes) }, operations: 0 },
    {
      name: 'all to unmount, all leased',
      dsw: worldOf([]),
      asw: mounted,
      context: { ...idle, leases: allLeased(count) ?? [] },
      operations: 0,
    },
    { name: 'all pods on one claim', dsw: worldOf(shared), asw: mountedWorld(shared), context: idle, operations: 0 },
  ];
}

/** The kernel counts a thread's time in ticks of some milliseconds. */
const passesASample = 20;

/** The first pass alone, then samples of many. */
export function plannerTimes(count: number, samples: number): readonly PlannerTimes[] {
  return scenesOf(count).map(({ name, dsw, asw, context, operations: expected }) => {
    const passes = (times: number) => cpuOf(() => plan(dsw, asw, context), times);
    const ms = [passes(1), ...Array.from({ length: samples }, () => passes(passesASample))];
    return { scene: name, ms, operations: plan(dsw, asw, context).operations.length, expected };
  });
}

/** Of this thread, ms each time: how many others there are on the machine says nothing of the planner. */
function cpuOf(work: () => void, times: number): number {
  const start = process.threadCpuUsage();
  for (let time = 0; time < times; time++) work();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000 / times;
}

const goalMs = 10;

export function plannerReport(count: number, times: readonly PlannerTimes[]): string {
  const rows = times.map(({ scene, ms, operations }) => [
    scene,
    String(operations),
    digits(ms[0] ?? Number.NaN),
    spreadText(ms.slice(1)),
    spread(ms.slice(1)).median < goalMs ? 'met' : '**not met**',
  ]);
  return `${count} volumes\n\n${table(['', 'operations', 'first pass, CPU ms', 'others, CPU ms', `< ${goalMs} ms`], rows)}`;
}
