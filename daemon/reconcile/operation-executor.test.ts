import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryEventRecorder } from '../adapters/memory-event-recorder.ts';
import type { Operation } from '../plan/operation.ts';
import type { Logger } from '../ports/logger.ts';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import type { Fault } from '../ports/testing/fake-effects.ts';
import { FakeHost, finalError, transientError, uncertainError } from '../ports/testing/fake-host.ts';
import { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { VolumeToMount } from '../world/desired-state-of-world.ts';
import {
  globalMountPath,
  imagePath,
  layout,
  nameOf,
  targetPath,
  type VolumeType,
  volumeToMount,
} from '../world/testing/volumes.ts';
import type { ImageAttachment } from '../world/volume-recipe.ts';
import type { VolumeRecord } from '../world/volume-record.ts';
import { NfsServerMonitor } from './nfs-server-monitor.ts';
import { OperationExecutor } from './operation-executor.ts';

const ignore = (): void => {};
const silent: Logger = { info: ignore, warn: ignore, error: ignore, debug: ignore };
const data = nameOf('data');
const image = imagePath('data');
const global = globalMountPath('data');
const web = targetPath('data', 'web');

let host: FakeHost;
let clock: FakeClock;
let asw: ActualStateOfWorld;
let events: MemoryEventRecorder;
let executor: OperationExecutor;
let servers: NfsServerMonitor;
let ended: number;
let signals: AbortSignal[];
let diskError: Error | undefined;
const records = new Map<string, VolumeRecord>();

beforeEach(() => {
  host = new FakeHost();
  host.addImage(image);
  clock = new FakeClock();
  asw = new ActualStateOfWorld();
  events = new MemoryEventRecorder(clock);
  ended = 0;
  signals = [];
  diskError = undefined;
  records.clear();
  servers = new NfsServerMonitor({
    ...{ asw, host, clock, events, logger: silent },
    isBusy: (volumeName, podUid) => executor.isBusy(volumeName, podUid),
    onAnswer: (server) => executor.retryNow(server),
    onChange: () => undefined,
  });
  executor = new OperationExecutor({
    asw,
    servers,
    clock,
    events,
    logger: silent,
    random: () => 0,
    heavyLimit: 2,
    onEnd: () => {
      ended++;
    },
    contextFor: (signal) => {
      signals.push(signal);
      return {
        ...{ asw, host, layout, clock, signal, events, servers },
        secrets: { get: () => undefined, revisionOf: () => 0 },
        retiredRecord: (name) => records.get(name),
        saveRecord: (name) => {
          const record = asw.get(name)?.record;
          if (record !== undefined) records.set(name, record);
        },
        retireRecord: ({ name }) => records.delete(name),
        durable: async () => {
          await Promise.resolve();
          if (diskError !== undefined) throw diskError;
          host.log.push(`durable ${[...records.keys()].join(',')}`);
        },
      };
    },
  });
});

afterEach(() => {
  expect(host.violations).toEqual([]);
});

async function idle(): Promise<void> {
  for (let turn = 0; executor.running.length > 0; turn++) {
    expect(turn, 'an operation does not end').toBeLessThan(1000);
    await new Promise(setImmediate);
  }
}

async function run(operation: Operation, wish = 'wish'): Promise<void> {
  executor.start(operation, wish);
  await idle();
}

const volume = (type: VolumeType = 'device', ...pods: string[]): VolumeToMount =>
  volumeToMount(type, 'data', pods.length === 0 ? ['web'] : pods);
const imageOf = ({ recipe }: VolumeToMount): ImageAttachment => recipe.attachment as ImageAttachment;
const attach = (wanted = volume()): Operation => ({
  kind: 'attachVolume',
  volumeName: data,
  volume: wanted,
  reason: '',
});
const mountDevice = (wanted = volume()): Operation => ({
  kind: 'mountDevice',
  volumeName: data,
  volume: wanted,
  reason: '',
});
const mountPod = (wanted = volume(), pod = 'web'): Operation => ({
  ...{ kind: 'mountVolume', volumeName: data, volume: wanted, reason: '' },
  pod: wanted.pods.get(`uid-${pod}`)!,
});
const unmountPod = (pod = 'web'): Operation => ({
  kind: 'unmountVolume',
  volumeName: data,
  podUid: `uid-${pod}`,
  reason: '',
});
const down = (kind: 'unmountDevice' | 'detachVolume' | 'forgetVolume'): Operation => ({
  kind,
  volumeName: data,
  reason: '',
});

async function runAll(...operations: Operation[]): Promise<void> {
  for (const operation of operations) await run(operation);
}

const deviceState = () => asw.get(data)?.deviceMountState;
const podState = (pod = 'web') => asw.get(data)?.podStates.get(`uid-${pod}`);

describe('operations in order', () => {
  it('puts intent on disk before each effect, takes a volume up and down again, and leaves nothing', async () => {
    await runAll(attach(), mountDevice(), mountPod());
    expect(host.takeLog()).toEqual([
      `durable ${data}`,
      `attach ${image}`,
      // The image is all hole: the format needs no probe, its record comes first and is finished after it.
      `durable ${data}`,
      'mkfs ext4 /dev/loop0',
      `durable ${data}`,
      `seal ${global}`,
      `mountDevice /dev/loop0 ${global}`,
      `durable ${data}`,
      `seal ${web}`,
      `bind ${global} ${web}`,
    ]);
    expect(records.get(data)).toMatchObject({
      attached: { devicePath: '/dev/loop0', deviceNumber: '7:0' },
      format: { state: 'done', fsType: 'ext4' },
      deviceObserved: { device: '7:0', root: '/', fsType: 'ext4' },
      pods: { 'uid-web': { observed: { device: '7:0' }, mountedAt: clock.timestamp() } },
    });
    await runAll(unmountPod(), down('unmountDevice'), down('detachVolume'), down('forgetVolume'));
    expect(host.log.filter((line) => !line.startsWith('remove '))).toEqual([
      `unmount ${web}`,
      `unmount ${global}`,
      `durable ${data}`,
      'detach /dev/loop0',
      'durable ',
    ]);
    expect(asw.get(data)).toBeUndefined();
    expect(host.mountPoints).toEqual([]);
    expect([...host.loops.keys()]).toEqual([]);
    expect(host.contentOf(image)).toBe('ext4');
  });

  it('has no effect before its intent is on disk', async () => {
    diskError = transientError('no space left on device');
    await run(attach());
    expect(host.log).toEqual([]);
    expect(host.loops.size).toBe(0);
    const scratch = volume('tmpfs');
    await run(mountPod(scratch));
    expect(host.mountPoints).toEqual([]);
    diskError = undefined;
    await runAll(attach(), mountDevice());
    expect(deviceState()).toBe('DeviceGloballyMounted');
  });

  it('does not format when the record of the format cannot be written', async () => {
    await run(attach());
    diskError = transientError('input/output error');
    await run(mountDevice());
    expect(host.contentOf(image)).toBe('hole');
    expect(host.calls.get('mkfs')).toBeUndefined();
  });

  it('binds one global mount for two pods', async () => {
    const two = volume('device', 'web', 'api');
    await runAll(attach(two), mountDevice(two));
    executor.start(mountPod(two, 'web'), '');
    executor.start(mountPod(two, 'api'), '');
    expect(executor.running).toHaveLength(2);
    await idle();
    expect(host.calls.get('mountDevice')).toBe(1);
    expect([podState('web'), podState('api')]).toEqual(['VolumeMounted', 'VolumeMounted']);
    expect(new Set([global, web, targetPath('data', 'api')].map((path) => host.mountsAt(path)[0]?.device))).toEqual(
      new Set(['7:0']),
    );
  });

  it('binds the node of a block volume on a file, with devices allowed', async () => {
    const raw = volume('block');
    await runAll(attach(raw), mountPod(raw));
    expect(host.mountsAt(web)).toMatchObject([{ fsType: 'devtmpfs', root: '/loop0', options: ['rw', 'nosuid'] }]);
    expect(host.calls.get('mkfs')).toBeUndefined();
  });

  it('knows a disk by its number although the mount table shows another of its names', async () => {
    host.addDisk('/dev/vg/data', '253:0', 'ext4', '/dev/mapper/vg-data');
    const plain = volume();
    const attachment = { ...imageOf(plain), path: '/dev/vg/data', isOwned: false };
    const disk = { ...plain, recipe: { ...plain.recipe, attachment } };
    await runAll(attach(disk), mountDevice(disk), mountPod(disk));
    expect(executor.failed.size).toBe(0);
    expect(podState()).toBe('VolumeMounted');
    await runAll(unmountPod(), down('unmountDevice'), down('detachVolume'));
    expect(asw.get(data)?.attachState).toBe('NotAttached');
    expect(host.contentOf('/dev/vg/data')).toBe('ext4');
  });

  it('makes an emptyDir directory open to all, and removes it with what is in it', async () => {
    const scratch = volume('directory');
    await run(mountPod(scratch));
    expect(host.entries.get(web)).toMatchObject({ kind: 'directory', mode: 0o777 });
    host.directories.ensureDirectory(`${web}/cache`);
    await run(unmountPod());
    expect([...host.entries.keys()].filter((path) => path.startsWith(web))).toEqual([]);
  });

  it('leaves an emptyDir directory as its pod has it when it is looked at again after a restart', async () => {
    const scratch = volume('directory');
    await run(mountPod(scratch));
    host.directories.setMode(web, 0o700);
    asw.markVolumeMountAs(data, 'uid-web', 'VolumeMountUncertain');
    host.takeLog();
    await run(mountPod(scratch));
    expect(podState()).toBe('VolumeMounted');
    expect(host.entries.get(web)?.mode).toBe(0o700);
  });
});

describe('Test_UncertainDeviceGlobalMounts: state of the device after mountDevice', () => {
  const fail: Fault = { kind: 'fail', error: finalError() };
  const timeout: Fault = { kind: 'fail', error: uncertainError() };
  const late: Fault = { kind: 'failAfterSuccess', error: uncertainError() };
  const busy: Fault = { kind: 'fail', error: transientError() };
  const lie: Fault = { kind: 'lie' };

  it.each([
    ['timeout: uncertain', [timeout], 'DeviceMountUncertain'],
    ['timeout after it was done: uncertain', [late], 'DeviceMountUncertain'],
    ['final error: not mounted', [fail], 'DeviceNotMounted'],
    ['timeout, then final error: not mounted', [timeout, fail], 'DeviceNotMounted'],
    ['timeout after it was done, then looked at again: mounted', [late, fail], 'DeviceGloballyMounted'],
    ['a success that the mount table does not show: uncertain', [lie], 'DeviceMountUncertain'],
    [
      'an error that nobody classified: uncertain',
      [{ kind: 'fail', error: new TypeError('oops') }],
      'DeviceMountUncertain',
    ],
    ['not started: as after a timeout, it is looked at again', [busy], 'DeviceMountUncertain'],
  ] as const)('%s', async (_name, faults, state) => {
    await run(attach());
    for (const fault of faults) {
      host.next('mountDevice', fault);
      await run(mountDevice());
    }
    expect(deviceState()).toBe(state);
  });

  it.each([
    ['ok, then timeout: mounted', timeout],
    ['ok, then final error: mounted', fail],
  ])('%s', async (_name, fault) => {
    await runAll(attach(), mountDevice());
    host.next('mountDevice', fault);
    await run(mountDevice());
    expect(deviceState()).toBe('DeviceGloballyMounted');
    expect(host.mountsAt(global)).toHaveLength(1);
  });

  it('a final error before the target was looked at says nothing of a mount that may be there', async () => {
    await runAll(attach(), mountDevice());
    asw.markDeviceAsUncertain(data);
    host.next('refresh', fail);
    await run(mountDevice());
    expect(deviceState()).toBe('DeviceMountUncertain');
    expect(records.get(data)?.deviceObserved).toMatchObject({ device: '7:0' });
  });

  it('a final error of a repair does not call the mount gone', async () => {
    await runAll(attach(), mountDevice());
    host.remountFromOutside(global, ['rw', 'nodev']);
    asw.markDeviceAsUncertain(data);
    host.next('setFlags', fail);
    await run(mountDevice());
    expect(deviceState()).toBe('DeviceMountUncertain');
    await run(mountDevice());
    expect(deviceState()).toBe('DeviceGloballyMounted');
    expect(host.mountsAt(global)).toMatchObject([{ options: ['rw', 'nosuid', 'nodev'] }]);
  });

  it('can be undone from uncertain whether it happened or not', async () => {
    for (const fault of [timeout, late]) {
      await run(attach());
      host.next('mountDevice', fault);
      await run(mountDevice());
      await runAll(down('unmountDevice'), down('detachVolume'));
      expect(asw.get(data)).toMatchObject({ deviceMountState: 'DeviceNotMounted', attachState: 'NotAttached' });
      expect(host.mountPoints).toEqual([]);
      expect(host.loops.size).toBe(0);
    }
  });
});

describe('Test_UncertainVolumeMountState: state of the pod mount after mountVolume', () => {
  const fail: Fault = { kind: 'fail', error: finalError() };
  const timeout: Fault = { kind: 'fail', error: uncertainError() };
  const late: Fault = { kind: 'failAfterSuccess', error: uncertainError() };

  it.each([
    ['timeout: uncertain', [timeout], 'VolumeMountUncertain'],
    ['timeout after it was done: uncertain', [late], 'VolumeMountUncertain'],
    ['final error: not mounted', [fail], 'VolumeNotMounted'],
    ['timeout, then final error: not mounted', [timeout, fail], 'VolumeNotMounted'],
    ['timeout after it was done, then looked at again: mounted', [late, fail], 'VolumeMounted'],
    ['a success that the mount table does not show: uncertain', [{ kind: 'lie' }], 'VolumeMountUncertain'],
  ] as const)('%s', async (_name, faults, state) => {
    await runAll(attach(), mountDevice());
    for (const fault of faults) {
      host.next('bind', fault);
      await run(mountPod());
    }
    expect(podState()).toBe(state);
    await run(unmountPod());
    expect(host.mountsAt(web)).toEqual([]);
    expect(asw.get(data)?.record.pods).toEqual({});
  });

  it.each([timeout, fail])('ok, then %j: mounted', async (fault) => {
    await runAll(attach(), mountDevice(), mountPod());
    host.next('bind', fault);
    await run(mountPod());
    expect(podState()).toBe('VolumeMounted');
    expect(host.mountsAt(web)).toHaveLength(1);
  });

  it('does not bind when the global mount has gone, and doubts the device', async () => {
    await runAll(attach(), mountDevice());
    host.umountFromOutside(global);
    await run(mountPod());
    expect(deviceState()).toBe('DeviceMountUncertain');
    expect(podState()).toBe('VolumeMountUncertain');
    expect(host.calls.get('bind')).toBeUndefined();
  });
});

describe('taking down', () => {
  it('leaves the mount uncertain when the unmount fails, and ends it later', async () => {
    await runAll(attach(), mountDevice(), mountPod());
    host.next('unmount', { kind: 'fail', error: finalError('target is busy', 'Busy') });
    await run(unmountPod());
    expect(podState()).toBe('VolumeMountUncertain');
    expect(host.mountsAt(web)).toHaveLength(1);
    await run(unmountPod());
    expect(podState()).toBeUndefined();
  });

  it('does not believe an unmount that the mount table does not show', async () => {
    await runAll(attach(), mountDevice(), mountPod());
    host.next('unmount', { kind: 'lie' });
    await run(unmountPod());
    expect(podState()).toBe('VolumeMountUncertain');
    expect(executor.failed.get(`${data} uid-web`)?.error.message).toContain('still shows a mount');
  });

  it('does not unmount the device while it is mounted elsewhere, and names the place', async () => {
    await runAll(attach(), mountDevice());
    host.mountFromOutside('/mnt/backup', { device: '7:0', fsType: 'ext4', source: '/dev/loop0' });
    await run(down('unmountDevice'));
    expect(deviceState()).toBe('DeviceGloballyMounted');
    expect(executor.failed.get(data)?.error).toMatchObject({ code: 'Busy', progress: 'transient' });
    expect(executor.failed.get(data)?.error.message).toContain('"/mnt/backup"');
    host.umountFromOutside('/mnt/backup');
    await run(down('unmountDevice'));
    expect(deviceState()).toBe('DeviceNotMounted');
  });

  it('leaves a loop device alone that was on the image before', async () => {
    host.loopDevices.attach(image, { readOnly: false });
    const theirs = volume();
    const notOwned = {
      ...theirs,
      recipe: { ...theirs.recipe, attachment: { ...imageOf(theirs), isOwned: false } },
    };
    host.imageFiles.get(image)!.content = 'ext4';
    await runAll(attach(notOwned), mountDevice(notOwned));
    expect(asw.get(data)?.record.isLoopAdopted).toBe(true);
    await runAll(down('unmountDevice'), down('detachVolume'));
    expect(asw.get(data)?.attachState).toBe('NotAttached');
    expect([...host.loops.keys()]).toEqual(['/dev/loop0']);
  });

  it('detaches what an interrupted attach had made without recording it', async () => {
    host.next('attach', { kind: 'failAfterSuccess', error: uncertainError() });
    await run(attach());
    expect(asw.get(data)).toMatchObject({ attachState: 'AttachUncertain' });
    expect(host.loops.size).toBe(1);
    await run(down('detachVolume'));
    expect(host.loops.size).toBe(0);
    expect(asw.get(data)?.attachState).toBe('NotAttached');
  });

  it('removes the image of an inline volume, and its record', async () => {
    const plain = volume();
    const create = { sizeBytes: '67108864' };
    const path = imagePath('inline');
    const inline = { ...plain, recipe: { ...plain.recipe, attachment: { ...imageOf(plain), path, create } } };
    await runAll(attach(inline), mountDevice(inline));
    expect(host.contentOf(path)).toBe('ext4');
    await runAll(down('unmountDevice'), down('detachVolume'), down('forgetVolume'));
    expect(host.imageFiles.has(path)).toBe(false);
    expect(records.has(data)).toBe(false);
  });
});

describe('formatting', () => {
  it('formats nothing twice, even when the probe calls a filesystem blank', async () => {
    await runAll(attach(), mountDevice(), down('unmountDevice'), down('detachVolume'), attach());
    host.always('probe', { kind: 'lie' });
    await run(mountDevice());
    expect(executor.failed.get(data)?.error.code).toBe('DataLoss');
    expect(host.calls.get('mkfs')).toBe(1);
    expect(host.contentOf(image)).toBe('ext4');
    expect(deviceState()).toBe('DeviceNotMounted');
  });

  it('remembers the format of a volume that was forgotten and has come back', async () => {
    await runAll(attach(), mountDevice(), down('unmountDevice'), down('detachVolume'));
    const { name, plugin, recipe, format } = asw.get(data)!.record;
    await run(down('forgetVolume'));
    records.set(data, { name, plugin, recipe, format: format!, pods: {}, retired: true });
    host.imageFiles.get(image)!.content = 'hole';
    await runAll(attach(), mountDevice());
    expect(executor.failed.get(data)?.error.code).toBe('DataLoss');
    expect(host.calls.get('mkfs')).toBe(1);
  });

  /** An image that a user brought: it is never replaced. */
  function brought(): VolumeToMount {
    const plain = volume();
    return { ...plain, recipe: { ...plain.recipe, attachment: { ...imageOf(plain), isOwned: false } } };
  }

  it('begins anew on a blank image of ours when mkfs was cut off and left something', async () => {
    await run(attach());
    host.next('mkfs', { kind: 'failAfterSuccess', error: uncertainError() });
    await run(mountDevice());
    expect(asw.get(data)?.record.format?.state).toBe('started');
    host.takeLog();
    await run(mountDevice());
    expect(executor.failed.get(data)?.error).toMatchObject({ code: 'Aborted', progress: 'transient' });
    expect(asw.get(data)).toMatchObject({ attachState: 'NotAttached', record: { format: { state: 'interrupted' } } });
    await runAll(attach(), mountDevice());
    expect(host.takeLog().filter((line) => !/durable|probe|seal/.test(line))).toEqual([
      'detach /dev/loop0',
      `replaceImage ${image}`,
      `attach ${image}`,
      'mkfs ext4 /dev/loop1',
      `mountDevice /dev/loop1 ${global}`,
    ]);
    expect(asw.get(data)).toMatchObject({
      deviceMountState: 'DeviceGloballyMounted',
      record: { format: { state: 'done' } },
    });
  });

  it('formats the same image of ours again when mkfs failed before it wrote a byte', async () => {
    await run(attach());
    host.next('mkfs', { kind: 'fail', error: finalError() });
    await runAll(mountDevice(), mountDevice());
    expect(deviceState()).toBe('DeviceGloballyMounted');
    expect(host.calls.get('replaceImage')).toBeUndefined();
    expect([...host.loops.keys()]).toEqual(['/dev/loop0']);
  });

  it('goes on, on an image that a user brought, with the filesystem of a mkfs that timed out after it was done', async () => {
    await run(attach(brought()));
    host.next('mkfs', { kind: 'failAfterSuccess', error: uncertainError() });
    await run(mountDevice(brought()));
    await run(mountDevice(brought()));
    expect(deviceState()).toBe('DeviceGloballyMounted');
    expect(asw.get(data)?.record.format?.state).toBe('done');
    expect(host.calls.get('mkfs')).toBe(1);
    expect(host.calls.get('replaceImage')).toBeUndefined();
  });

  it('formats it again after a mkfs that failed and left it blank', async () => {
    await run(attach(brought()));
    host.next('mkfs', { kind: 'fail', error: finalError() });
    await runAll(mountDevice(brought()), mountDevice(brought()));
    expect(deviceState()).toBe('DeviceGloballyMounted');
    expect(host.calls.get('replaceImage')).toBeUndefined();
  });

  it.each(['other', 'xfs'] as const)('refuses an image that holds %s', async (content) => {
    host.imageFiles.get(image)!.content = content;
    await runAll(attach(), mountDevice());
    expect(executor.failed.get(data)?.error.code).toBe(content === 'xfs' ? 'FilesystemMismatch' : 'NotBlank');
    expect(host.contentOf(image)).toBe(content);
    expect(deviceState()).toBe('DeviceNotMounted');
  });

  it('probes what it did not make, hole or not', async () => {
    const theirs = volume();
    const notOwned = {
      ...theirs,
      recipe: { ...theirs.recipe, attachment: { ...imageOf(theirs), isOwned: false } },
    };
    await run(attach(notOwned));
    host.next('probe', { kind: 'fail', error: transientError('unreadable') });
    await run(mountDevice(notOwned));
    expect(host.calls.get('mkfs')).toBeUndefined();
    await run(mountDevice(notOwned));
    expect(host.calls.get('probe')).toBe(2);
    expect(host.contentOf(image)).toBe('ext4');
  });

  it('mounts again without fsck while a pod still has the filesystem: e2fsck refuses a mounted device', async () => {
    await runAll(attach(), mountDevice(), mountPod());
    host.umountFromOutside(global);
    asw.markDeviceAsUncertain(data);
    await run(mountDevice());
    expect(executor.failed.get(data)?.error.message).toBeUndefined();
    expect(deviceState()).toBe('DeviceGloballyMounted');
    expect(host.mountsAt(global)).toMatchObject([{ device: '7:0' }]);
  });
});

describe('failures', () => {
  it('are counted by key with a growing delay, and forgotten by a success', async () => {
    host.always('attach', { kind: 'fail', error: finalError('no such file', 'NotFound') });
    await run(attach());
    expect(executor.failed.get(data)).toMatchObject({ failures: 1, notBefore: 500, since: clock.timestamp() });
    const since = clock.timestamp();
    clock.advance(500);
    await run(attach());
    expect(executor.failed.get(data)).toMatchObject({ failures: 2, notBefore: 1500, since });
    host.heal('attach');
    await run(attach());
    expect(executor.failed.size).toBe(0);
  });

  it('of another kind under the same key start from one', async () => {
    await run(attach());
    host.always('mountDevice', { kind: 'fail', error: finalError() });
    await runAll(mountDevice(), mountDevice());
    expect(executor.failed.get(data)).toMatchObject({ failures: 2 });
    host.next('detach', { kind: 'fail', error: finalError() });
    await run(down('detachVolume'));
    expect(executor.failed.get(data)).toMatchObject({ failures: 1, operation: { kind: 'detachVolume' } });
  });

  it('are forgotten when something else is asked for, not else', async () => {
    host.always('attach', { kind: 'fail', error: finalError() });
    await run(attach(), 'old wish');
    executor.forgetFailures(() => 'old wish');
    expect(executor.failed.size).toBe(1);
    executor.forgetFailures(() => 'new wish');
    expect(executor.failed.size).toBe(0);
  });

  it('become an event with the cause word for word', async () => {
    host.next('attach', { kind: 'fail', error: finalError('Cannot attach "x": no such file', 'NotFound') });
    await run(attach());
    await run(mountPod(volume('tmpfs')));
    expect(events.list()).toMatchObject([
      {
        type: 'Warning',
        reason: 'FailedAttachVolume',
        regarding: `Volume/${data}`,
        message: 'Cannot attach "x": no such file',
      },
    ]);
    host.imageFiles.get(image)!.content = 'xfs';
    asw.forgetVolume(data);
    await runAll(attach(), mountDevice());
    expect(events.list().at(-1)?.reason).toBe('FailedMountOnFilesystemMismatch');
  });

  it('of one volume leave others alone', async () => {
    host.addImage(imagePath('well'));
    const well = volumeToMount('device', 'well', ['web']);
    host.next('attach', { kind: 'fail', error: finalError() });
    executor.start(attach(), '');
    executor.start({ kind: 'attachVolume', volumeName: well.name, volume: well, reason: '' }, '');
    await idle();
    expect(asw.get(well.name)?.attachState).toBe('Attached');
    expect([...executor.failed.keys()]).toEqual([data]);
  });
});

describe('what the planner is told', () => {
  it('lists what runs, with free places and backoff', async () => {
    host.next('attach', { kind: 'fail', error: finalError() });
    await runAll(attach(), attach());
    let release = ignore;
    host.next('mkfs', { kind: 'hang', until: new Promise((resolve) => (release = resolve)) });
    executor.start(mountDevice(), '');
    executor.start(mountDevice(), 'again');
    const context = executor.planContext(7, false);
    expect(context).toEqual({
      running: new Set([data]),
      busyVolumes: new Set([data]),
      backoff: new Map(),
      now: 7,
      heavySlots: 1,
      retrySlots: 0,
      inProcessSlots: 256,
      runningByServer: new Map(),
      stalledServers: new Map(),
      draining: false,
    });
    expect(executor.running).toMatchObject([{ operation: { kind: 'mountDevice' }, attempt: 1 }]);
    expect(executor.isBusy(data, 'uid-web')).toBe(true);
    expect(executor.isBusy(nameOf('other'), '')).toBe(false);
    release();
    await idle();
    expect(executor.planContext(8, true)).toMatchObject({
      running: new Set(),
      heavySlots: 2,
      retrySlots: 1,
      draining: true,
    });
  });

  it('gives the end of each backoff by key and kind', async () => {
    host.always('attach', { kind: 'fail', error: finalError() });
    await run(attach());
    expect(executor.planContext(0, false).backoff).toEqual(new Map([[data, { kind: 'attachVolume', notBefore: 500 }]]));
  });

  it('is told of every end, good or bad', async () => {
    host.next('attach', { kind: 'fail', error: finalError() });
    await runAll(attach(), attach());
    expect(ended).toBe(2);
  });
});

describe('stop', () => {
  it('aborts an operation when its time on the clock is up, and no timer is left of one that ended', async () => {
    let release = ignore;
    await run(attach());
    host.next('mkfs', { kind: 'hang', until: new Promise((resolve) => (release = resolve)) });
    executor.start(mountDevice(), 'wish');
    clock.advance(599_999);
    expect(signals.at(-1)?.aborted).toBe(false);
    clock.advance(1);
    expect(signals.at(-1)?.aborted).toBe(true);
    release();
    await idle();
    expect(clock.waiting).toBe(0);
  });

  it('waits for what runs', async () => {
    await run(attach());
    let release = ignore;
    host.next('mkfs', { kind: 'hang', until: new Promise((resolve) => (release = resolve)) });
    executor.start(mountDevice(), '');
    let isStopped = false;
    const stopped = executor.stop(5_000).then(() => (isStopped = true));
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(isStopped).toBe(false);
    release();
    await stopped;
    expect(deviceState()).toBe('DeviceGloballyMounted');
    expect(signals.at(-1)?.aborted).toBe(false);
    expect(clock.waiting).toBe(0);
  });

  it('ends the children of what still runs after the grace period', async () => {
    await run(attach());
    let release = ignore;
    host.next('mkfs', { kind: 'hang', until: new Promise((resolve) => (release = resolve)) });
    executor.start(mountDevice(), '');
    const stopped = executor.stop(5_000);
    clock.advance(4_999);
    expect(signals.at(-1)?.aborted).toBe(false);
    clock.advance(1);
    expect(signals.at(-1)?.aborted).toBe(true);
    release();
    await stopped;
  });
});

describe('the deadline of an operation', () => {
  it('ends its children, and no clock runs on when the operation has ended before', async () => {
    await run(attach());
    expect(clock.waiting).toBe(0);
    let release = ignore;
    host.next('mkfs', { kind: 'hang', until: new Promise((resolve) => (release = resolve)) });
    executor.start(mountDevice(), '');
    clock.advance(599_999);
    expect(signals.at(-1)?.aborted).toBe(false);
    clock.advance(1);
    expect(signals.at(-1)?.aborted).toBe(true);
    release();
    await idle();
  });
});

describe('a device that is no longer of the volume', () => {
  const theirs = imagePath('other');

  /** As `losetup --detach-all` does, and the number goes to the next image. */
  function giveLoopAway(): void {
    host.addImage(theirs, 'ext4');
    const file = host.imageFiles.get(theirs)!;
    host.loops.set('/dev/loop0', {
      inode: file.inode,
      path: theirs,
      readOnly: false,
      image: file,
      sizeBytes: file.sizeBytes,
    });
  }

  it('is neither formatted nor mounted: it is attached anew', async () => {
    await run(attach());
    giveLoopAway();
    host.takeLog();
    await run(mountDevice());
    expect(executor.failed.get(data)?.error).toMatchObject({ code: 'Aborted', progress: 'transient' });
    expect(asw.get(data)?.attachState).toBe('AttachUncertain');
    expect(host.mountPoints).toEqual([]);
    await runAll(attach(), mountDevice());
    expect(host.mountsAt(globalMountPath('data'))).toMatchObject([{ source: '/dev/loop1' }]);
    expect(host.contentOf(theirs)).toBe('ext4');
  });

  it('is not given to a pod as a raw device', async () => {
    await run(attach(volume('block')));
    giveLoopAway();
    await run(mountPod(volume('block')));
    expect(host.mountPoints).toEqual([]);
    expect(asw.get(data)?.attachState).toBe('AttachUncertain');
  });

  it('is not judged by the file that lies at the path now', async () => {
    await run(attach());
    host.imageFiles.get(image)!.content = 'ext4';
    host.imageFiles.delete(image);
    host.addImage(image);
    await run(mountDevice());
    expect(host.calls.get('mkfs')).toBeUndefined();
    expect(deviceState()).toBe('DeviceGloballyMounted');
  });

  it('stays attached while it has its file, whatever lies at the path: no second device is made', async () => {
    await run(attach());
    host.imageFiles.delete(image);
    host.addImage(image);
    asw.markAttachAsUncertain(data);
    await run(attach());
    expect([...host.loops.keys()]).toEqual(['/dev/loop0']);
    expect(asw.get(data)?.attachState).toBe('Attached');
  });

  it('is not what is detached when an attach after a reboot was cut off', async () => {
    await run(attach());
    host.reboot();
    host.next('attach', { kind: 'failAfterSuccess', error: uncertainError() });
    asw.markAttachAsUncertain(data);
    await runAll(attach(), down('detachVolume'));
    expect(host.loops.size).toBe(0);
  });
});

describe('what was seen before a reboot', () => {
  it('does not make a stranger of a tmpfs that was mounted and not recorded', async () => {
    await run(mountPod(volume('tmpfs')));
    host.reboot();
    asw.markVolumeMountAs(data, 'uid-web', 'VolumeMountUncertain');
    host.next('mountTmpfs', { kind: 'failAfterSuccess', error: uncertainError() });
    await run(mountPod(volume('tmpfs')));
    expect(records.get(data)?.pods['uid-web']?.observed).toBeUndefined();
    await run(mountPod(volume('tmpfs')));
    expect(podState()).toBe('VolumeMounted');
  });

  it('is off the record before the device is mounted again', async () => {
    await runAll(attach(), mountDevice());
    host.reboot();
    asw.markAttachAsUncertain(data);
    host.next('mountDevice', { kind: 'failAfterSuccess', error: uncertainError() });
    await runAll(attach(), mountDevice());
    expect(records.get(data)?.deviceObserved).toBeUndefined();
  });

  it('does not keep a device from being given up: its number may be that of another volume', async () => {
    await runAll(attach(), mountDevice());
    const number = asw.get(data)?.record.deviceObserved?.device;
    host.reboot();
    host.mountFromOutside('/mnt/other', { device: number!, fsType: 'ext4', source: '/dev/loop0' });
    asw.markDeviceAsUncertain(data);
    await run(down('unmountDevice'));
    expect(deviceState()).toBe('DeviceNotMounted');
  });
});

describe('what an earlier try may have done', () => {
  it('is not forgotten for a later one that certainly did nothing', async () => {
    host.next('attach', { kind: 'failAfterSuccess', error: uncertainError() });
    await run(attach());
    host.loops.clear();
    host.imageFiles.delete(image);
    await run(attach());
    expect(executor.failed.get(data)?.error.progress).toBe('final');
    expect(asw.get(data)?.attachState).toBe('AttachUncertain');
  });

  it.each(['removed', 'replaced'])('is found by the file when its name is %s: used, and then undone', async (how) => {
    host.next('attach', { kind: 'failAfterSuccess', error: uncertainError() });
    await run(attach());
    host.imageFiles.delete(image);
    if (how === 'replaced') host.addImage(image);
    await run(attach());
    expect(asw.get(data)).toMatchObject({
      attachState: 'Attached',
      record: { attached: { devicePath: '/dev/loop0' } },
    });
    expect(host.loops.size).toBe(1);
    await run(down('detachVolume'));
    expect(host.loops.size).toBe(0);
  });

  it('is undone after a restart, when the name of the file is gone by then', async () => {
    host.next('attach', { kind: 'failAfterSuccess', error: uncertainError() });
    await run(attach());
    host.imageFiles.delete(image);
    asw.addVolume(records.get(data)!);
    await run(down('detachVolume'));
    expect(host.loops.size).toBe(0);
    expect(asw.get(data)?.record.backingToAttach).toBeUndefined();
  });

  it('is not taken for what somebody else did with a file that was given the same number', async () => {
    host.next('attach', { kind: 'failAfterSuccess', error: uncertainError() });
    await run(attach());
    const ours = host.loops.get('/dev/loop0')!;
    host.loops.set('/dev/loop0', { ...ours, path: '/srv/theirs.img' });
    host.imageFiles.delete(image);
    await run(down('detachVolume'));
    expect([...host.loops.keys()]).toEqual(['/dev/loop0']);
  });

  it('leaves a directory uncertain of which a part may be gone', async () => {
    await run(mountPod(volume('directory')));
    host.next('removeTree', { kind: 'fail', error: transientError() });
    await run(unmountPod());
    expect(podState()).toBe('VolumeMountUncertain');
  });
});

describe('forgetting an inline volume', () => {
  const inline = (): VolumeToMount => {
    const wanted = volume();
    const attachment = { ...wanted.recipe.attachment!, create: { sizeBytes: '67108864' } };
    return { ...wanted, recipe: { ...wanted.recipe, attachment } };
  };

  it('takes its format off the disk before its image, so that it may come back', async () => {
    await runAll(attach(inline()), mountDevice(inline()), down('unmountDevice'), down('detachVolume'));
    diskError = transientError('disk full');
    await runAll(down('forgetVolume'), down('forgetVolume'));
    expect(host.contentOf(image)).toBe('ext4');
    diskError = undefined;
    host.next('removeImage', { kind: 'failAfterSuccess', error: uncertainError() });
    await run(down('forgetVolume'));
    expect(records.get(data)?.format).toBeUndefined();
    await runAll(attach(inline()), mountDevice(inline()));
    expect(deviceState()).toBe('DeviceGloballyMounted');
  });
});
