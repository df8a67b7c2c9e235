import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryEventRecorder } from '../adapters/memory-event-recorder.ts';
import type { Logger } from '../ports/logger.ts';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import { FakeHost, finalError, transientError, uncertainError } from '../ports/testing/fake-host.ts';
import { FakeUnits } from '../ports/testing/fake-units.ts';
import { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { DesiredStateOfWorld, VolumeToMount } from '../world/desired-state-of-world.ts';
import {
  globalMountPath,
  imagePath,
  layout,
  nameOf,
  podToMount,
  targetPath,
  volumeToMount,
  worldOf,
} from '../world/testing/volumes.ts';
import type { VolumeRecord } from '../world/volume-record.ts';
import { DriftLog } from './drift-log.ts';
import { NfsServerMonitor } from './nfs-server-monitor.ts';
import { OperationExecutor } from './operation-executor.ts';
import { Reconciler } from './reconciler.ts';
import { reconstruct } from './reconstructor.ts';

const ignore = (): void => {};
const secrets = { get: () => undefined, revisionOf: () => 0 };
const silent: Logger = { info: ignore, warn: ignore, error: ignore, debug: ignore };
const global = globalMountPath('data');
const web = targetPath('data', 'web');
const api = targetPath('data', 'api');

/** One daemon over a host and a state dir that outlive it. */
class Machine {
  readonly host = new FakeHost();
  readonly clock = new FakeClock();
  readonly units = new FakeUnits();
  /** What has been written; `durable` of it survives a power cut. */
  records = new Map<string, VolumeRecord>();
  durable = new Map<string, VolumeRecord>();
  dsw: DesiredStateOfWorld = worldOf([], { complete: false });
  passes = 0;
  atEnd: () => unknown = ignore;
  asw!: ActualStateOfWorld;
  events!: MemoryEventRecorder;
  executor!: OperationExecutor;
  reconciler!: Reconciler;
  driftLog!: DriftLog;
  readonly lost: string[] = [];

  async start(): Promise<void> {
    const { host, clock } = this;
    const asw = new ActualStateOfWorld();
    const events = new MemoryEventRecorder(clock);
    await reconstruct({ asw, records: [...this.records.values()], host, layout, logger: silent, events });
    const records = this.records;
    const isDead = () => host.isDead || this.asw !== asw;
    const servers: NfsServerMonitor = new NfsServerMonitor({
      ...{ asw, host, clock, events, logger: silent },
      isBusy: (volumeName, podUid) => executor.isBusy(volumeName, podUid),
      onAnswer: (server) => executor.retryNow(server),
      onChange: () => reconciler.wake(),
    });
    const executor: OperationExecutor = new OperationExecutor({
      ...{ asw, clock, events, logger: silent, servers, heavyLimit: 2, random: () => 0 },
      onEnd: () => {
        this.atEnd();
        reconciler.wake();
      },
      contextFor: (signal) => ({
        ...{ asw, host, layout, clock, signal, events, servers },
        secrets,
        retiredRecord: (name) => records.get(name),
        saveRecord: (name) => {
          const record = asw.get(name)?.record;
          if (record !== undefined && !isDead()) records.set(name, record);
        },
        retireRecord: ({ name, plugin, recipe, format }) => {
          if (isDead()) return;
          if (format === undefined) records.delete(name);
          else records.set(name, { name, plugin, recipe, format, pods: {}, retired: true });
        },
        durable: async () => {
          await Promise.resolve();
          if (isDead()) throw new Error('the daemon is dead');
          this.durable = new Map(records);
        },
      }),
    });
    this.driftLog = new DriftLog(clock);
    const reconciler: Reconciler = new Reconciler({
      driftLog: this.driftLog,
      onMountLost: (name, deviceNumber) => this.lost.push(`${name} ${deviceNumber}`),
      ...{ asw, executor, clock, events, logger: silent, soon: setImmediate },
      mountTable: host.mountTable,
      ...{ leases: this.units, services: this.units },
      secrets,
      populate: () => this.dsw,
      onPass: () => {
        servers.sync();
        this.passes++;
      },
    });
    Object.assign(this, { asw, events, executor, reconciler });
    reconciler.start();
  }

  /** The daemon ends, without a word or by a power cut; what hangs may come back but changes no record any more. */
  async restart(how: 'killed' | 'powerCut' = 'killed'): Promise<void> {
    this.reconciler.stop();
    if (how === 'powerCut') this.host.reboot();
    this.records = new Map(how === 'powerCut' ? this.durable : this.records);
    this.host.revive();
    await this.start();
  }

  /** Until nothing happens any more of itself. Time stands still meanwhile. */
  async settle(): Promise<void> {
    let quiet = 0;
    let before = '';
    for (let turn = 0; quiet < 10; turn++) {
      expect(turn, 'the daemon does not come to rest').toBeLessThan(5000);
      await new Promise(setImmediate);
      const now = `${this.passes} ${this.host.log.length} ${this.executor.running.length}`;
      quiet = now === before ? quiet + 1 : 0;
      before = now;
    }
  }

  async want(volumes: readonly VolumeToMount[], options: Parameters<typeof worldOf>[1] = {}): Promise<void> {
    this.dsw = worldOf(volumes, options);
    this.reconciler.objectsChanged();
    await this.settle();
  }

  /** Lets failed operations be tried again until there is none, at most an hour later. */
  async patience(): Promise<void> {
    for (let minutes = 0; minutes < 30 && this.clock.waiting > 0; minutes++) {
      this.clock.advance(122_001);
      await this.settle();
    }
  }

  state(volume = 'data'): string {
    const actual = this.asw.get(nameOf(volume));
    if (actual === undefined) return 'nothing';
    const pods = [...actual.podStates].map(([uid, podState]) => ` ${uid.slice(4)}:${podState}`).join('');
    return `${actual.attachState} ${actual.deviceMountState}${pods}`;
  }

  /** Reasons and counts, the latest last. */
  reasons(): string[] {
    return this.events.list().map(({ reason, regarding, count }) => `${reason} ${regarding} x${count}`);
  }
}

const data = (...pods: string[]) => volumeToMount('device', 'data', pods.length === 0 ? ['web'] : pods);
const up = 'Attached DeviceGloballyMounted web:VolumeMounted';

let machine: Machine;
let host: FakeHost;

beforeEach(async () => {
  machine = new Machine();
  host = machine.host;
  host.addImage(imagePath('data'));
  host.addImage(imagePath('raw'));
  await machine.start();
});

afterEach(() => {
  machine.reconciler.stop();
  expect(host.violations).toEqual([]);
  expect(host.calls.get('mkfs') ?? 0, 'formatted twice').toBeLessThanOrEqual(1);
});

describe('Test_Run_Positive: the life of a volume', () => {
  it('takes one claim of one pod through all states in order, and back', async () => {
    const states: string[] = [];
    machine.atEnd = () => states.push(machine.state());
    await machine.want([data()]);
    await machine.want([]);
    expect(states).toEqual([
      'Attached DeviceNotMounted',
      'Attached DeviceGloballyMounted',
      up,
      'Attached DeviceGloballyMounted',
      'Attached DeviceNotMounted',
      'NotAttached DeviceNotMounted',
      'nothing',
    ]);
    expect(host.mountPoints).toEqual([]);
    expect(host.loops.size).toBe(0);
    expect(host.contentOf(imagePath('data'))).toBe('ext4');
  });

  it('does nothing when nothing is desired', async () => {
    await machine.want([]);
    expect(host.log).toEqual([]);
  });

  it('rests when all is done: no pass, no timer', async () => {
    await machine.want([data()]);
    const { passes } = machine;
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(machine.passes).toBe(passes);
    expect(machine.clock.waiting).toBe(0);
  });

  it('gives two pods one device mount, and takes one away without touching the other', async () => {
    await machine.want([data('web', 'api')]);
    expect(host.calls.get('mountDevice')).toBe(1);
    expect(host.mountPoints).toEqual([global, web, api]);
    const [apiMount] = host.mountsAt(api);
    host.takeLog();
    await machine.want([data('api')]);
    expect(host.takeLog().filter((line) => !line.startsWith('remove '))).toEqual([`unmount ${web}`]);
    expect(host.mountsAt(api)).toEqual([apiMount]);
    expect(machine.state()).toBe('Attached DeviceGloballyMounted api:VolumeMounted');
  });

  it('uses the data again when the claim is used again', async () => {
    await machine.want([data()]);
    await machine.want([]);
    await machine.want([data('api')]);
    expect(machine.state()).toBe('Attached DeviceGloballyMounted api:VolumeMounted');
    expect(host.calls.get('mkfs')).toBe(1);
  });

  it('maps and unmaps a block volume', async () => {
    await machine.want([volumeToMount('block', 'raw', ['web'])]);
    expect(machine.state('raw')).toBe('Attached DeviceNotMounted web:VolumeMounted');
    await machine.want([]);
    expect(machine.state('raw')).toBe('nothing');
    expect(host.loops.size).toBe(0);
  });

  it('serves other volumes while one fails', async () => {
    host.addImage(imagePath('sick'), 'other');
    await machine.want([volumeToMount('device', 'sick', ['web']), data(), volumeToMount('tmpfs', 'scratch', ['web'])]);
    expect(machine.state()).toBe(up);
    expect(machine.state('scratch')).toContain('web:VolumeMounted');
    expect(machine.state('sick')).toBe('Attached DeviceNotMounted');
    expect(machine.reasons()).toEqual(['FailedMount Volume/test/sick x1']);
  });
});

describe('a pod that goes while it is worked on', () => {
  function hang(effect: 'mkfs' | 'mountDevice' | 'unmount'): () => void {
    let release = ignore;
    host.next(effect, { kind: 'hang', until: new Promise((resolve) => (release = resolve)) });
    return release;
  }

  it('is not bound after its device was mounted, and the device is taken down', async () => {
    const release = hang('mountDevice');
    await machine.want([data()]);
    await machine.want([]);
    expect(machine.executor.running.map(({ operation }) => operation.kind)).toEqual(['mountDevice']);
    expect(host.calls.get('unmount')).toBeUndefined();
    release();
    await machine.settle();
    expect(host.calls.get('bind')).toBeUndefined();
    expect(machine.state()).toBe('nothing');
    expect(host.mountPoints).toEqual([]);
  });

  it('Test_Run_Positive_VolumeMountControllerAttachEnabledRace: comes back while its device is unmounted, and is mounted', async () => {
    await machine.want([data()]);
    let release = ignore;
    const until = new Promise<void>((resolve) => (release = resolve));
    // The pod's own unmount passes, the device's hangs.
    host.next('unmount', { kind: 'hang', until: Promise.resolve() }, { kind: 'hang', until });
    await machine.want([]);
    expect(machine.executor.running.map(({ operation }) => operation.kind)).toEqual(['unmountDevice']);
    await machine.want([data()]);
    expect(machine.executor.running.map(({ operation }) => operation.kind)).toEqual(['unmountDevice']);
    release();
    await machine.settle();
    expect(machine.state()).toBe(up);
    expect(host.mountPoints).toEqual([global, web]);
  });

  it('leaves the other volumes of the machine running meanwhile', async () => {
    const release = hang('mkfs');
    await machine.want([data(), volumeToMount('tmpfs', 'scratch', ['web'])]);
    expect(machine.state('scratch')).toContain('web:VolumeMounted');
    release();
    await machine.settle();
    expect(machine.state()).toBe(up);
  });
});

describe('restart', () => {
  const everything = [
    data('web', 'api'),
    volumeToMount('block', 'raw', ['web']),
    volumeToMount('tmpfs', 'memory', ['web']),
    volumeToMount('directory', 'scratch', ['web']),
  ];

  it('keeps what records and mount table agree on without any action, before and after the sources are read', async () => {
    await machine.want(everything);
    const before = host.mountPoints.flatMap((path) => host.mountsAt(path));
    host.takeLog();
    machine.dsw = worldOf([], { complete: false });
    await machine.restart();
    await machine.settle();
    await machine.want(everything);
    expect(host.takeLog()).toEqual([]);
    expect(host.mountPoints.flatMap((path) => host.mountsAt(path))).toEqual(before);
    expect(machine.state('scratch')).toContain('web:VolumeMounted');
    expect(machine.events.list()).toEqual([]);
  });

  it('unmounts nothing until the desired state of world is complete, then what is no longer desired', async () => {
    await machine.want(everything);
    host.takeLog();
    machine.dsw = worldOf([], { complete: false });
    await machine.restart();
    await machine.settle();
    expect(host.takeLog()).toEqual([]);
    await machine.want([]);
    expect(host.mountPoints).toEqual([]);
    expect(host.loops.size).toBe(0);
  });

  it('makes everything again after a reboot, on other loop devices, and formats nothing', async () => {
    await machine.want(everything);
    machine.dsw = worldOf(everything);
    await machine.restart('powerCut');
    await machine.settle();
    expect([...host.mountPoints].sort()).toEqual(
      [global, web, api, targetPath('raw', 'web'), targetPath('memory', 'web')].sort(),
    );
    expect(host.mountsAt(web)).toMatchObject([
      { device: host.mountsAt(global)[0]?.device, source: host.loopDevices.find(imagePath('data'))?.devicePath },
    ]);
    expect(host.mountsAt(web)[0]?.source).toMatch(/^\/dev\/loop1\d$/);
    expect(machine.executor.failed.size).toBe(0);
  });

  it('TestReconstructedVolumeShouldUnmountSucceedAfterSetupFailed: undoes an uncertain mount whose remounts fail', async () => {
    await machine.want([data()]);
    host.umountFromOutside(web);
    host.always('bind', { kind: 'fail', error: finalError() });
    machine.dsw = worldOf([data()]);
    await machine.restart();
    await machine.settle();
    expect(machine.state()).toContain('web:VolumeNotMounted');
    await machine.want([]);
    expect(machine.state()).toBe('nothing');
    expect(host.mountPoints).toEqual([]);
  });

  it('tells of mounts below the root dir that no record knows, and leaves them', async () => {
    const stray = `${layout.rootDir}/pods/uid-x/volumes/test/y`;
    host.mountFromOutside(stray);
    machine.dsw = worldOf([]);
    await machine.restart();
    await machine.settle();
    expect(machine.reasons()).toEqual([`OrphanedMount Path/${stray} x1`]);
    expect(host.mountPoints).toEqual([stray]);
  });

  it.each(['killed', 'powerCut'] as const)('converges after being %s after any effect on the way up', async (how) => {
    for (let effects = 0; ; effects++) {
      const run = new Machine();
      run.host.addImage(imagePath('data'));
      run.host.crashAfter(effects);
      await run.start();
      await run.want([data('web', 'api')]);
      const crashed = run.host.isDead;
      await run.restart(how);
      await run.settle();
      await run.patience();
      expect(run.host.violations).toEqual([]);
      expect([...run.host.mountPoints].sort(), `after ${effects} effects`).toEqual([global, web, api].sort());
      expect(run.state(), `after ${effects} effects`).toMatch(
        /^Attached DeviceGloballyMounted( \w+:VolumeMounted){2}$/,
      );
      // A format that was cut off begins anew, on a new blank image: the fake allows no other.
      const replaced = run.host.calls.get('replaceImage') ?? 0;
      expect(run.host.calls.get('mkfs')).toBe(1 + replaced);
      expect(replaced).toBeLessThanOrEqual(1);
      expect(run.host.loops.size).toBe(1);
      run.reconciler.stop();
      if (!crashed) return;
    }
  });

  it.each(['killed', 'powerCut'] as const)(
    'leaves nothing after being %s after any effect on the way down',
    async (how) => {
      for (let effects = 0; ; effects++) {
        const run = new Machine();
        run.host.addImage(imagePath('data'));
        await run.start();
        await run.want([data('web', 'api')]);
        run.host.crashAfter(effects);
        await run.want([]);
        const crashed = run.host.isDead;
        await run.restart(how);
        await run.settle();
        await run.patience();
        expect(run.host.violations).toEqual([]);
        expect(run.host.mountPoints, `after ${effects} effects`).toEqual([]);
        expect(run.host.loops.size, `after ${effects} effects`).toBe(0);
        expect(run.state()).toBe('nothing');
        expect(run.host.contentOf(imagePath('data'))).toBe('ext4');
        run.reconciler.stop();
        if (!crashed) return;
      }
    },
  );

  it('takes nothing down that was interrupted on the way up and is desired no longer but what it made', async () => {
    for (let effects = 0; ; effects++) {
      const run = new Machine();
      run.host.addImage(imagePath('data'));
      run.host.crashAfter(effects);
      await run.start();
      await run.want([data()]);
      const crashed = run.host.isDead;
      run.dsw = worldOf([]);
      await run.restart();
      await run.settle();
      await run.patience();
      expect(run.host.violations).toEqual([]);
      expect(run.host.mountPoints, `after ${effects} effects`).toEqual([]);
      expect(run.host.loops.size, `after ${effects} effects`).toBe(0);
      run.reconciler.stop();
      if (!crashed) return;
    }
  });
});

describe('drift', () => {
  it('mounts again what somebody else unmounted, and says so', async () => {
    await machine.want([data(), volumeToMount('tmpfs', 'memory', ['web'])]);
    host.takeLog();
    host.umountFromOutside(web);
    host.umountFromOutside(targetPath('memory', 'web'));
    await machine.settle();
    expect(machine.state()).toBe(up);
    expect(machine.state('memory')).toContain('web:VolumeMounted');
    expect([...host.mountPoints].sort()).toEqual([global, web, targetPath('memory', 'web')].sort());
    const lost = machine.events.list().map(({ reason, regarding, message }) => [reason, regarding, message]);
    expect(lost).toEqual(
      [web, targetPath('memory', 'web')].map((path) => [
        ...['VolumeMountLost', 'Pod/default/web'],
        `The mount at "${path}" is gone: somebody else unmounted it`,
      ]),
    );
  });

  it('mounts the global mount again under its pods, without formatting or checking what is in use', async () => {
    await machine.want([data()]);
    const [webMount] = host.mountsAt(web);
    host.takeLog();
    host.umountFromOutside(global);
    await machine.settle();
    expect(machine.state()).toBe(up);
    expect(host.mountsAt(global)).toHaveLength(1);
    expect(host.mountsAt(web)).toEqual([webMount]);
    expect(machine.reasons()).toEqual(['VolumeMountLost Volume/test/data x1']);
    expect(host.takeLog()).toEqual(['probe /dev/loop0', `seal ${global}`, `mountDevice /dev/loop0 ${global}`]);
  });

  it('repairs everything when both mounts of a volume were taken away', async () => {
    await machine.want([data('web', 'api')]);
    for (const path of [api, web, global]) host.umountFromOutside(path);
    await machine.settle();
    expect([...host.mountPoints].sort()).toEqual([global, web, api].sort());
    expect(machine.executor.failed.size).toBe(0);
  });

  it('restores flags that somebody took away', async () => {
    await machine.want([data()]);
    host.takeLog();
    host.remountFromOutside(web, ['rw', 'nodev']);
    await machine.settle();
    expect(host.mountsAt(web)).toMatchObject([{ options: ['rw', 'nosuid', 'nodev'] }]);
    expect(machine.state()).toBe(up);
    expect(host.takeLog()).toEqual([`setFlags ${web}`]);
    expect(machine.reasons()).toEqual(['VolumeMountChanged Pod/default/web x1']);
  });

  it('repairs again and again', async () => {
    await machine.want([data()]);
    for (let round = 0; round < 5; round++) {
      host.umountFromOutside(web);
      await machine.settle();
      expect(machine.state(), `round ${round}`).toBe(up);
    }
    expect(machine.reasons()).toEqual(['VolumeMountLost Pod/default/web x5']);
    expect(machine.driftLog.volumes.get(nameOf('data'))?.count).toBe(5);
  });

  it('tells whose superblock lost a mount, so that its users can be looked for', async () => {
    await machine.want([data()]);
    host.umountFromOutside(web);
    await machine.settle();
    host.remountFromOutside(web, ['rw']);
    await machine.settle();
    expect(machine.lost).toEqual([`${nameOf('data')} 7:0`]);
  });

  it('has the users of a busy mount in the error, and their inspection as its hint', async () => {
    await machine.want([data()]);
    host.users.set(web, [{ pid: 812, command: 'sleep', use: 'working directory' }]);
    host.next('unmount', { kind: 'fail', error: finalError('Cannot unmount: busy', 'Busy') });
    await machine.want([]);
    const messages = machine.events.list().map(({ message }) => message);
    expect(messages).toContain('Cannot unmount: busy; used by sleep (pid 812, working directory)');
    await machine.patience();
    expect(machine.state()).toBe('nothing');
  });

  it('waits with drift of what is being worked on until the operation has ended', async () => {
    let release = ignore;
    await machine.want([data('web', 'api')]);
    host.next('unmount', { kind: 'hang', until: new Promise((resolve) => (release = resolve)) });
    await machine.want([data('web')]);
    host.umountFromOutside(web);
    await machine.settle();
    expect(host.mountPoints).toContain(web);
    release();
    await machine.settle();
    expect(host.mountPoints).toEqual([global, web]);
  });

  it('looks again at the end of an operation, whose reading of the table may be older than its mark', async () => {
    const { mountTable } = host;
    const refresh = mountTable.refresh.bind(mountTable);
    let isArmed = true;
    mountTable.refresh = async () => {
      const table = await refresh();
      if (!isArmed || !host.mountPoints.includes(web)) return table;
      isArmed = false;
      host.umountFromOutside(web);
      // The pass that the change wakes finds nothing marked there yet.
      for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
      return table;
    };
    await machine.want([data()]);
    expect(machine.reasons()).toEqual(['VolumeMountLost Pod/default/web x1']);
    expect(host.mountPoints).toEqual([global, web]);
  });
});

describe("somebody else's mount", () => {
  it('on a target is never touched: the pod waits, then is mounted when it has gone', async () => {
    host.mountFromOutside(web);
    const theirs = host.mountsAt(web);
    await machine.want([data()]);
    await machine.patience();
    expect(host.mountsAt(web)).toEqual(theirs);
    expect(machine.reasons().at(-1)).toContain('FailedMount Pod/default/web');
    host.umountFromOutside(web);
    await machine.patience();
    expect(machine.state()).toBe(up);
  });

  it('on a target is not unmounted when the pod goes', async () => {
    const id = host.mountFromOutside(web);
    await machine.want([data()]);
    await machine.want([]);
    await machine.patience();
    expect(host.mountsAt(web)).toMatchObject([{ id }]);
    host.umountFromOutside(web);
    await machine.patience();
    expect(machine.state()).toBe('nothing');
  });

  it('on the global mount path is never touched', async () => {
    const id = host.mountFromOutside(global, { fsType: 'ext4', device: '8:7', source: '/dev/sda7' });
    await machine.want([data()]);
    await machine.patience();
    expect(host.mountsAt(global)).toMatchObject([{ id }]);
    expect(host.mountsAt(web)).toEqual([]);
    await machine.want([]);
    await machine.patience();
    expect(host.mountsAt(global)).toMatchObject([{ id }]);
  });

  it('over ours is reported, and ours is taken as it was when it has gone', async () => {
    await machine.want([data()]);
    const [ours] = host.mountsAt(web);
    host.mountFromOutside(web);
    await machine.settle();
    expect(machine.state()).toContain('web:VolumeMountUncertain');
    expect(machine.reasons()).toContain('ForeignMount Pod/default/web x1');
    host.takeLog();
    host.umountFromOutside(web);
    await machine.patience();
    expect(machine.state()).toBe(up);
    expect(host.mountsAt(web)).toEqual([ours]);
    expect(host.takeLog()).toEqual([]);
  });

  it('over ours: what it stood in the way of is done at once when it has gone', async () => {
    await machine.want([data()]);
    host.mountFromOutside(web);
    await machine.settle();
    for (let tries = 0; tries < 8; tries++) {
      machine.clock.advance(122_001);
      await machine.settle();
    }
    host.umountFromOutside(web);
    await machine.settle();
    expect(machine.state()).toBe(up);
  });

  it('of our device elsewhere is told once, counted, and forgotten when it has gone', async () => {
    await machine.want([data()]);
    const elsewhere = { device: '7:0', fsType: 'ext4', source: '/dev/loop0' };
    host.mountFromOutside('/mnt/backup', elsewhere);
    await machine.settle();
    host.mountFromOutside('/unrelated');
    await machine.settle();
    expect(machine.reasons()).toEqual(['ForeignBind Volume/test/data x1']);
    expect(machine.driftLog.volumes.get(nameOf('data'))).toMatchObject({
      count: 1,
      standing: [{ help: 'if it is not wanted: umount /mnt/backup' }],
    });
    host.umountFromOutside('/mnt/backup');
    await machine.settle();
    expect(machine.driftLog.volumes.get(nameOf('data'))).toMatchObject({ count: 1, standing: [] });
    expect(machine.state()).toBe(up);
  });

  it('of our device elsewhere keeps the device mounted until it has gone', async () => {
    await machine.want([data()]);
    host.mountFromOutside('/mnt/backup', { device: '7:0', fsType: 'ext4', source: '/dev/loop0' });
    await machine.want([]);
    await machine.patience();
    expect(host.mountPoints).toEqual([global, '/mnt/backup']);
    host.umountFromOutside('/mnt/backup');
    await machine.patience();
    expect(machine.state()).toBe('nothing');
  });
});

describe('retry', () => {
  it('tries a busy unmount again, each time later, until it works', async () => {
    await machine.want([data()]);
    host.always('unmount', { kind: 'fail', error: finalError('target is busy', 'Busy') });
    await machine.want([]);
    const attempts = () => host.calls.get('unmount');
    expect(attempts()).toBe(1);
    machine.clock.advance(499);
    await machine.settle();
    expect(attempts()).toBe(1);
    machine.clock.advance(2);
    await machine.settle();
    expect(attempts()).toBe(2);
    machine.clock.advance(999);
    await machine.settle();
    expect(attempts()).toBe(2);
    machine.clock.advance(3);
    await machine.settle();
    expect(attempts()).toBe(3);
    expect(host.mountPoints).toEqual([global, web]);
    expect(machine.reasons()).toEqual(['FailedUnmount Volume/test/data x3']);
    host.heal('unmount');
    await machine.patience();
    expect(machine.state()).toBe('nothing');
  });

  it('does not wait when the pod wants something else now', async () => {
    host.always('bind', { kind: 'fail', error: finalError() });
    await machine.want([data()]);
    host.heal('bind');
    await machine.settle();
    expect(machine.state()).toContain('web:VolumeNotMounted');
    const readOnly = podToMount('web', 'data', { kind: 'bind', readOnly: true });
    await machine.want([{ ...data(), pods: new Map([['uid-web', readOnly]]) }]);
    expect(machine.state()).toBe(up);
    expect(host.mountsAt(web)).toMatchObject([{ options: ['ro', 'nosuid', 'nodev'] }]);
  });

  it('goes on waiting when something unrelated changes', async () => {
    host.always('bind', { kind: 'fail', error: finalError() });
    await machine.want([data()]);
    await machine.want([data(), volumeToMount('tmpfs', 'memory', ['api'])]);
    expect(host.calls.get('bind')).toBe(1);
  });

  it('comes through timeouts, whether they hid a success or not', async () => {
    for (const effect of ['attach', 'mountDevice', 'bind', 'unmount', 'detach'] as const) {
      host.next(
        effect,
        { kind: 'failAfterSuccess', error: uncertainError() },
        { kind: 'fail', error: uncertainError() },
      );
    }
    await machine.want([data()]);
    await machine.patience();
    expect(machine.state()).toBe(up);
    await machine.want([]);
    await machine.patience();
    expect(machine.state()).toBe('nothing');
    expect(host.mountPoints).toEqual([]);
    expect(host.loops.size).toBe(0);
  });

  it('comes through an unreadable mount table, believing nothing meanwhile', async () => {
    await machine.want([data()]);
    host.always('refresh', { kind: 'fail', error: finalError('cannot read mountinfo') });
    await machine.want([]);
    expect(host.calls.get('unmount')).toBeUndefined();
    host.heal('refresh');
    await machine.patience();
    expect(machine.state()).toBe('nothing');
    expect(host.mountPoints).toEqual([]);
  });
});

describe('units with a lease', () => {
  const unit = 'moored-pod@default-web.service';
  const pod = { namespace: 'default', name: 'web', uid: 'uid-web' };

  beforeEach(async () => {
    await machine.want([data()]);
    machine.units.grant({ unit, pod, targetPaths: [web] });
    await machine.settle();
  });

  it('are stopped before the unmount, asked once, and again only after half a minute', async () => {
    await machine.want([]);
    expect(machine.state()).toBe(up);
    expect(machine.units.asked).toEqual([unit]);
    machine.reconciler.wake();
    await machine.settle();
    expect(machine.units.asked).toEqual([unit]);
    machine.clock.advance(30_000);
    await machine.settle();
    expect(machine.units.asked).toEqual([unit, unit]);
    expect(machine.state()).toBe(up);
    machine.units.revoke(unit);
    await machine.settle();
    expect(machine.state()).toBe('nothing');
    expect(machine.clock.waiting).toBe(0);
  });

  it('that are down without having given the lease back lose it', async () => {
    machine.units.inactive.add(unit);
    await machine.want([]);
    expect(machine.state()).toBe('nothing');
  });

  it('keep their volumes while nobody can stop them, and that is an event', async () => {
    machine.units.isSystemdThere = false;
    await machine.want([]);
    expect(machine.state()).toBe(up);
    expect(machine.reasons().at(-1)).toBe('FailedStopUnit Pod/default/web x1');
    expect(machine.reconciler.holds).toHaveLength(1);
  });

  it('are stopped when a volume goes and does not come back', async () => {
    host.always('bind', { kind: 'fail', error: finalError('no') });
    host.umountFromOutside(web);
    await machine.settle();
    expect(machine.units.asked).toEqual([]);
    for (const ms of [500, 1000]) {
      machine.clock.advance(ms);
      await machine.settle();
    }
    expect(machine.units.asked).toEqual([unit]);
  });

  it('are left alone when it comes back', async () => {
    host.umountFromOutside(web);
    await machine.settle();
    expect(machine.state()).toBe(up);
    expect(machine.units.asked).toEqual([]);
  });
});

describe('growth', () => {
  const mi = 2n ** 20n;
  const small = 64n * mi;

  /** The volume as it is wanted once its claim has, and its PersistentVolume shall have, so many bytes. */
  function sized(desiredBytes: bigint, claimBytes = small, volume = data()): VolumeToMount {
    return { ...volume, size: { persistentVolume: 'data', desiredBytes, claimBytes } };
  }

  const growths = () => host.takeLog().filter((line) => line.startsWith('grow'));
  const expanded = () => machine.asw.get(nameOf('data'))?.record.expanded?.bytes;

  it('grows device and filesystem of a volume in use, once', async () => {
    await machine.want([sized(small)]);
    expect(growths()).toEqual([]);
    host.images.grow(imagePath('data'), 'data', 2n * small);
    const mounts = host.mountsAt(web);
    await machine.want([sized(2n * small)]);
    expect(growths()).toEqual([
      `growImage ${imagePath('data')}`,
      'growLoop /dev/loop0',
      'growFilesystem ext4 /dev/loop0',
    ]);
    expect(host.filesystemBytesOf(imagePath('data'))).toBe(2n * small);
    expect(host.mountsAt(web)).toEqual(mounts);
    expect(machine.reasons()).toEqual(['FileSystemResizeSuccessful Pod/default/web x1']);
    // The claim's status follows: nothing more is to be done, nor after it does.
    await machine.want([sized(2n * small)]);
    await machine.want([sized(2n * small, 2n * small)]);
    expect(growths()).toEqual([]);
  });

  it('grows a volume that was at rest before its pod is mounted', async () => {
    await machine.want([sized(small)]);
    await machine.want([]);
    host.images.grow(imagePath('data'), 'data', 2n * small);
    host.takeLog();
    await machine.want([sized(2n * small)]);
    const steps = host.takeLog().map((line) => line.split(' ')[0]);
    expect(steps.filter((step) => /^(mountDevice|grow|bind)/.test(step ?? ''))).toEqual([
      ...['mountDevice', 'growLoop', 'growFilesystem', 'bind'],
    ]);
  });

  it('serves pods while a growth fails, tells why, and tries again', async () => {
    host.always('growFilesystem', { kind: 'fail', error: transientError('no permission') });
    host.images.grow(imagePath('data'), 'data', 2n * small);
    await machine.want([sized(2n * small)]);
    expect(machine.state()).toBe(up);
    expect(machine.reasons()).toEqual(['VolumeResizeFailed Volume/test/data x1']);
    expect(expanded()).toBeUndefined();
    await machine.want([sized(2n * small, small, data('web', 'api'))]);
    expect(machine.state()).toContain('api:VolumeMounted');
    host.heal('growFilesystem');
    await machine.patience();
    expect(expanded()).toBe(`${2n * small}`);
  });

  it('does not wait for its next try when another size is asked for', async () => {
    host.always('growFilesystem', { kind: 'fail', error: transientError() });
    host.images.grow(imagePath('data'), 'data', 4n * small);
    await machine.want([sized(2n * small)]);
    host.heal('growFilesystem');
    await machine.want([sized(4n * small)]);
    expect(expanded()).toBe(`${4n * small}`);
  });

  it('says that the device is too small, and grows when it no longer is', async () => {
    await machine.want([sized(small)]);
    await machine.want([sized(2n * small)]);
    expect(machine.reasons()).toEqual(['VolumeResizeFailed Volume/test/data x1']);
    expect(machine.executor.failed.get(nameOf('data'))?.error.message).toContain(
      `has ${small} bytes, wanted ${2n * small}`,
    );
    host.resizeFromOutside(imagePath('data'), 2n * small);
    await machine.patience();
    expect(host.filesystemBytesOf(imagePath('data'))).toBe(2n * small);
  });

  it('never makes a device shorter whose image somebody cut', async () => {
    await machine.want([sized(small)]);
    host.resizeFromOutside(imagePath('data'), 16n * mi);
    await machine.want([sized(2n * small)]);
    expect(host.blockProbe.describe('/dev/loop0').sizeBytes).toBe(small);
    expect(machine.executor.failed.get(nameOf('data'))?.error.message).toContain('somebody cut the image');
  });

  it('gives a raw device its size, and no filesystem', async () => {
    const raw = {
      ...volumeToMount('block', 'raw', ['web']),
      size: { persistentVolume: 'raw', desiredBytes: 2n * small, claimBytes: small },
    };
    host.images.grow(imagePath('raw'), 'raw', 2n * small);
    host.takeLog();
    await machine.want([raw]);
    expect(growths()).toEqual(['growLoop /dev/loop0']);
    expect(machine.state('raw')).toBe('Attached DeviceNotMounted web:VolumeMounted');
  });

  it('lets a pod go that is removed while its volume grows', async () => {
    await machine.want([sized(small)]);
    let release = ignore;
    host.next('growFilesystem', { kind: 'hang', until: new Promise((resolve) => (release = resolve)) });
    host.images.grow(imagePath('data'), 'data', 2n * small);
    await machine.want([sized(2n * small)]);
    await machine.want([]);
    expect(machine.executor.running.map(({ operation }) => operation.kind)).toEqual(['expandVolume']);
    expect(host.mountPoints).toEqual([global, web]);
    release();
    await machine.settle();
    expect(machine.state()).toBe('nothing');
  });

  it('is not begun for a volume that is held or being drained', async () => {
    await machine.want([sized(small)]);
    host.takeLog();
    const changed = sized(2n * small);
    await machine.want([{ ...changed, recipe: { ...changed.recipe, globalMountPath: '/elsewhere' } }]);
    expect(growths()).toEqual([]);
    machine.reconciler.drain();
    await machine.want([sized(2n * small)]);
    expect(growths()).toEqual([]);
  });

  it.each(['killed', 'powerCut'] as const)('converges when the daemon is %s after any of its effects', async (how) => {
    for (let effects = 1; effects <= 3; effects++) {
      const path = imagePath(`cut-${how}-${effects}`);
      const volume = volumeToMount('device', `cut-${how}-${effects}`, ['web']);
      host.addImage(path, 'ext4');
      await machine.want([sized(small, small, volume)]);
      host.images.grow(path, `cut-${how}-${effects}`, 2n * small);
      host.crashAfter(effects);
      await machine.want([sized(2n * small, small, volume)]);
      await machine.restart(how);
      await machine.want([sized(2n * small, small, volume)]);
      await machine.patience();
      expect(host.filesystemBytesOf(path), `after ${effects} effects`).toBe(2n * small);
      expect(machine.asw.get(volume.name)?.record.expanded?.bytes).toBe(`${2n * small}`);
      await machine.want([]);
    }
  });
});

describe('holds and drain', () => {
  it('keeps what a pod has while it is not wholly resolved', async () => {
    await machine.want([data()]);
    host.takeLog();
    await machine.want([], { unresolved: ['web'] });
    expect(host.takeLog()).toEqual([]);
    expect(machine.reconciler.holds).toMatchObject([{ volumeName: 'test/data', podUid: 'uid-web' }]);
    await machine.want([]);
    expect(machine.state()).toBe('nothing');
  });

  it('drains everything but the directories of living pods, and mounts nothing any more', async () => {
    await machine.want([data(), volumeToMount('directory', 'scratch', ['web'])]);
    machine.reconciler.drain();
    await machine.settle();
    expect(host.mountPoints).toEqual([]);
    expect(host.loops.size).toBe(0);
    expect(host.entries.has(targetPath('scratch', 'web'))).toBe(true);
    await machine.want([data('web', 'api')]);
    expect(host.mountPoints).toEqual([]);
    expect(machine.reconciler.isDraining).toBe(true);
  });

  it('mounts again what was drained when it is started anew', async () => {
    await machine.want([data()]);
    machine.reconciler.drain();
    await machine.settle();
    await machine.restart();
    await machine.want([data()]);
    expect(machine.state()).toBe(up);
  });

  it('begins no pass after stop', async () => {
    machine.reconciler.stop();
    const { passes } = machine;
    await machine.want([data()]);
    expect(machine.passes).toBe(passes);
    expect(host.log).toEqual([]);
  });
});
