import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryEventRecorder } from '../adapters/memory-event-recorder.ts';
import type { Logger } from '../ports/logger.ts';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import { FakeHost, transientError } from '../ports/testing/fake-host.ts';
import { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import { globalMountPath, nameOf, recordOf, volumeToMount } from '../world/testing/volumes.ts';
import { VolumeHealth } from './volume-health.ts';

const ignore = (): void => {};
const silent: Logger = { info: ignore, warn: ignore, error: ignore, debug: ignore };
const data = nameOf('data');
const global = globalMountPath('data');
const turns = () => new Promise(setImmediate);

let host: FakeHost;
let clock: FakeClock;
let asw: ActualStateOfWorld;
let events: MemoryEventRecorder;
let health: VolumeHealth;
let changes: number;

beforeEach(() => {
  host = new FakeHost();
  clock = new FakeClock();
  asw = new ActualStateOfWorld();
  events = new MemoryEventRecorder(clock);
  changes = 0;
  health = new VolumeHealth({
    asw,
    host,
    clock,
    events,
    logger: silent,
    onSlowLook: ignore,
    onChange: () => changes++,
  });
  const mounted = host.mountFromOutside(global, { device: '7:0', fsType: 'ext4', source: '/dev/loop0' });
  expect(mounted).toBeGreaterThan(0n);
  const record = recordOf(volumeToMount('device', 'data', ['web', 'api']));
  asw.restoreVolume({
    record: {
      ...record,
      attached: { devicePath: '/dev/loop0', deviceNumber: '7:0' },
      deviceObserved: { device: '7:0', root: '/', fsType: 'ext4' },
    },
    attachState: 'Attached',
    deviceMountState: 'DeviceGloballyMounted',
    podStates: new Map(),
  });
});

const reasons = () => events.list().map(({ reason, regarding }) => `${reason} ${regarding}`);

describe('VolumeHealth', () => {
  it('finds nothing wrong with a mount that is well, and says nothing', async () => {
    await health.look();
    expect(health.conditions.size).toBe(0);
    expect([reasons(), changes]).toEqual([[], 0]);
  });

  it('tells every pod once, keeps since when, and tells when it is well again', async () => {
    host.turnReadOnly(global);
    await health.look();
    const since = health.conditions.get(data)?.since;
    expect(health.conditions.get(data)?.message).toMatch(/read-only/);
    expect(reasons()).toEqual(['VolumeConditionAbnormal Pod/default/web', 'VolumeConditionAbnormal Pod/default/api']);
    await health.look();
    expect([reasons().length, changes]).toEqual([2, 1]);
    host.ext4Errors.set('7:0', 3);
    await health.look();
    expect(health.conditions.get(data)).toMatchObject({ since, message: expect.stringMatching(/3 errors/) });
    host.ext4Errors.clear();
    asw.markDeviceAsUnmounted(data);
    await health.look();
    expect(health.conditions.size).toBe(0);
    expect(reasons().slice(-2)).toEqual([
      'VolumeConditionNormal Pod/default/web',
      'VolumeConditionNormal Pod/default/api',
    ]);
  });

  it('believes nothing of a mount that is not as it was made: that is drift', async () => {
    host.turnReadOnly(global);
    host.umountFromOutside(global);
    await health.look();
    expect(health.conditions.size).toBe(0);
  });

  it('keeps what it knows while it cannot look', async () => {
    host.turnReadOnly(global);
    await health.look();
    host.always('refresh', { kind: 'fail', error: transientError('cannot read mountinfo') });
    await health.look();
    expect(health.conditions.size).toBe(1);
  });

  it('forgets a volume with its record', async () => {
    host.turnReadOnly(global);
    await health.look();
    asw.forgetVolume(data);
    await health.look();
    expect(health.conditions.size).toBe(0);
  });

  it('looks now and then until it is stopped', async () => {
    health.start();
    host.turnReadOnly(global);
    clock.advance(30_000);
    for (let turn = 0; turn < 10; turn++) await turns();
    expect(health.conditions.size).toBe(1);
    expect(clock.waiting).toBe(1);
    await health.stop();
    expect(clock.waiting).toBe(0);
  });

  it('looks at once when a pass finds it read-only, and when it no longer is', async () => {
    health.update(host.mountTable.current());
    await turns();
    expect(changes).toBe(0);
    host.turnReadOnly(global);
    health.update(await host.mountTable.refresh());
    await turns();
    expect(health.conditions.get(data)?.message).toMatch(/read-only/);
    host.remountFromOutside(global, ['rw', 'nosuid', 'nodev']);
    host.turnWritable(global);
    health.update(await host.mountTable.refresh());
    await turns();
    expect(health.conditions.size).toBe(0);
    expect(changes).toBe(2);
  });
});
