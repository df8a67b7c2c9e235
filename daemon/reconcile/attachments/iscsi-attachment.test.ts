import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryEventRecorder } from '../../adapters/memory-event-recorder.ts';
import { SecretValue } from '../../api/secret-value.ts';
import type { Operation } from '../../plan/operation.ts';
import type { Logger } from '../../ports/logger.ts';
import { FakeClock } from '../../ports/testing/fake-clock.ts';
import { FakeHost, finalError, uncertainError } from '../../ports/testing/fake-host.ts';
import type { FakeLun } from '../../ports/testing/fake-iscsi-initiator.ts';
import { ActualStateOfWorld } from '../../world/actual-state-of-world.ts';
import type { VolumeToMount } from '../../world/desired-state-of-world.ts';
import { layout, nameOf, volumeToMount } from '../../world/testing/volumes.ts';
import type { IscsiAttachment } from '../../world/volume-recipe.ts';
import type { VolumeRecord } from '../../world/volume-record.ts';
import { IscsiPathWatch } from '../iscsi-path-watch.ts';
import { OperationExecutor } from '../operation-executor.ts';
import { reconstruct } from '../reconstructor.ts';

const ignore = (): void => {};
const silent: Logger = { info: ignore, warn: ignore, error: ignore, debug: ignore };
const iqn = 'iqn.2024-01.org.example:disks';
const [portalA, portalB] = ['192.0.2.1:3260', '192.0.2.2:3260'];
const secretReference = { namespace: 'default', name: 'chap' };

/** One daemon over a machine and a state dir that outlive it. */
const servers = { stalled: new Map(), answered: ignore, failed: ignore, isStale: () => false, renewed: ignore };

class Rig {
  readonly host = new FakeHost();
  readonly clock = new FakeClock();
  readonly records = new Map<string, VolumeRecord>();
  readonly chap = new Map<string, SecretValue>();
  asw = new ActualStateOfWorld();
  events = new MemoryEventRecorder(this.clock);
  isDead = false;
  executor = this.#newExecutor();

  #newExecutor(): OperationExecutor {
    const { host, clock, records, chap, asw, events } = this;
    return new OperationExecutor({
      ...{ asw, clock, events, servers, logger: silent, heavyLimit: 2, onEnd: ignore, random: () => 0 },
      contextFor: (signal) => ({
        ...{ asw, host, layout, clock, signal, events, servers },
        secrets: {
          get: (reference) =>
            chap.size === 0 ? undefined : { ...reference, type: 'kubernetes.io/iscsi-chap', data: chap },
          revisionOf: () => 0,
        },
        retiredRecord: (name) => records.get(name),
        saveRecord: (name) => {
          const record = asw.get(name)?.record;
          if (record !== undefined && !host.isDead) records.set(name, structuredClone(record));
        },
        retireRecord: ({ name, plugin, recipe, format, iscsi }) => {
          const kept = iscsi?.wwid === undefined ? {} : { iscsi: { paths: [], wwid: iscsi.wwid } };
          if (format !== undefined)
            records.set(name, { name, plugin, recipe, format, ...kept, pods: {}, retired: true });
          else records.delete(name);
        },
        durable: async () => {
          await Promise.resolve();
          if (host.isDead) throw new Error('the daemon is dead');
          host.log.push('durable');
        },
      }),
    });
  }

  /** A new process: what was in memory is gone. */
  async restart(): Promise<void> {
    this.host.revive();
    this.asw = new ActualStateOfWorld();
    this.events = new MemoryEventRecorder(this.clock);
    this.executor = this.#newExecutor();
    const { asw, host, events } = this;
    await reconstruct({ asw, records: [...this.records.values()], host, layout, logger: silent, events });
  }

  async run(...operations: readonly Operation[]): Promise<void> {
    for (const operation of operations) {
      this.executor.start(operation, '');
      for (let turn = 0; this.executor.running.length > 0; turn++) {
        expect(turn, 'an operation does not end').toBeLessThan(1000);
        await new Promise(setImmediate);
      }
    }
  }

  errorOf(volume: VolumeToMount) {
    return this.executor.failed.get(volume.name)?.error;
  }

  /** Effects on the storage network, in order. */
  get traffic(): readonly string[] {
    return this.host.log.filter((line) => /^(login|logout|scan|removeDisk) /.test(line));
  }
}

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => {
  expect(rig.host.violations).toEqual([]);
});

const unit = (wwid: string, content: FakeLun['content'] = 'zeros'): FakeLun => ({ wwid, content });

function lunVolume(
  name: string,
  lun: number,
  change: Partial<IscsiAttachment> = {},
  type: 'device' | 'block' = 'device',
): VolumeToMount {
  const volume = volumeToMount(type, name, ['web']);
  const attachment: IscsiAttachment = {
    ...{ kind: 'iscsi', portals: [portalA], iqn, lun, interface: 'default', readOnly: false },
    ...{ chapDiscovery: false, chapSession: false },
    ...change,
  };
  return { ...volume, recipe: { ...volume.recipe, attachment } };
}

const up = (kind: 'attachVolume' | 'mountDevice', volume: VolumeToMount): Operation => ({
  ...{ kind, volumeName: volume.name, volume, reason: '' },
});
const down = (kind: 'unmountDevice' | 'detachVolume' | 'forgetVolume', volume: VolumeToMount): Operation => ({
  ...{ kind, volumeName: volume.name, reason: '' },
});
const mount = (volume: VolumeToMount) => [up('attachVolume', volume), up('mountDevice', volume)];
const unmount = (volume: VolumeToMount) => [down('unmountDevice', volume), down('detachVolume', volume)];
const attachState = (volume: VolumeToMount) => rig.asw.get(volume.name)?.attachState;
const globalMount = (volume: VolumeToMount) => rig.host.mountsAt(volume.recipe.globalMountPath);

describe('a LUN, up and down', () => {
  it('puts intent on disk before login and scan, formats once, and leaves neither device nor session', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const data = lunVolume('data', 1);
    await rig.run(up('attachVolume', data));
    expect(rig.host.takeLog()).toEqual([
      'durable',
      'durable',
      `login ${iqn} ${portalA}`,
      `scan ${iqn} ${portalA} 1`,
      'durable',
    ]);
    expect(rig.records.get(data.name)).toMatchObject({
      attached: { devicePath: '/dev/sd2', deviceNumber: '8:32' },
      iscsi: { wwid: 'naa.1', paths: [{ portal: portalA, isSessionOurs: true, isDeviceOurs: true }] },
    });
    await rig.run(up('mountDevice', data), ...unmount(data));
    expect(rig.traffic).toEqual(['removeDisk /dev/sd2', `logout ${iqn} ${portalA}`]);
    expect(attachState(data)).toBe('NotAttached');
    expect(rig.host.iscsi.sessions.size).toBe(0);
    rig.host.takeLog();
    await rig.run(...mount(data));
    expect(rig.host.log.filter((line) => /mkfs|mountDevice/.test(line))).toEqual([
      expect.stringMatching(/^mountDevice \/dev\/sd\d+ /),
    ]);
  });

  it('never puts a secret or anything but references into the record', async () => {
    const target = rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    target.chap = { username: 'iqn-user', password: 'correct horse' };
    rig.chap.set('node.session.auth.username', new SecretValue('iqn-user'));
    rig.chap.set('node.session.auth.password', new SecretValue('wrong-staple'));
    const data = lunVolume('data', 1, { chapSession: true, secret: secretReference });
    await rig.run(up('attachVolume', data));
    const shown = JSON.stringify([...rig.records.values(), rig.errorOf(data), rig.events.list()]);
    expect(shown).not.toMatch(/wrong-staple|iqn-user/);
    expect(rig.errorOf(data)).toMatchObject({ code: 'PermissionDenied', progress: 'final' });
    expect(attachState(data)).toBe('NotAttached');
  });

  it('waits for a Secret that is not there, says which, and goes on when it comes', async () => {
    const target = rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    target.chap = { username: 'user', password: 'word' };
    const data = lunVolume('data', 1, { chapSession: true, secret: secretReference });
    await rig.run(up('attachVolume', data));
    expect(rig.errorOf(data)?.message).toContain('Secret "default/chap" is in no manifest');
    expect(rig.traffic).toEqual([]);
    rig.chap.set('node.session.auth.username', new SecretValue('user'));
    await rig.run(up('attachVolume', data));
    expect(rig.errorOf(data)?.message).toContain('has no key "node.session.auth.password"');
    rig.chap.set('node.session.auth.password', new SecretValue('word\nnode.startup = automatic'));
    await rig.run(up('attachVolume', data));
    expect(rig.errorOf(data)?.message).toContain('key "node.session.auth.password"');
    rig.chap.set('node.session.auth.password', new SecretValue('word'));
    await rig.run(up('attachVolume', data));
    expect(attachState(data)).toBe('Attached');
  });

  it('needs no Secret for a session that is there', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    rig.host.iscsi.loginFromOutside(iqn, portalA);
    const data = lunVolume('data', 1, { chapSession: true, secret: secretReference });
    await rig.run(up('attachVolume', data));
    expect(attachState(data)).toBe('Attached');
  });

  it('makes the device read-only that is wanted so, but not one that was there before', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1', 'ext4'), 2: unit('naa.2', 'ext4') });
    const own = lunVolume('own', 1, { readOnly: true }, 'block');
    await rig.run(up('attachVolume', own));
    expect([...rig.host.iscsi.readOnlyDisks]).toEqual(['/dev/sd2']);
    await rig.run(down('detachVolume', own));
    rig.host.iscsi.loginFromOutside(iqn, portalA);
    await rig.run(up('attachVolume', lunVolume('theirs', 2, { readOnly: true }, 'block')));
    expect([...rig.host.iscsi.readOnlyDisks]).toEqual(['/dev/sd2']);
  });

  it('names an unknown LUN, keeps the session for the next try, and ends it when nobody wants it', async () => {
    const target = rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const data = lunVolume('data', 7);
    await rig.run(up('attachVolume', data));
    expect(rig.errorOf(data)).toMatchObject({ code: 'NotFound', progress: 'transient' });
    expect(attachState(data)).toBe('AttachUncertain');
    target.luns.set(7, unit('naa.7'));
    await rig.run(up('attachVolume', data));
    expect(attachState(data)).toBe('Attached');
    await rig.run(down('detachVolume', data));
    expect(rig.host.iscsi.sessions.size).toBe(0);
  });
});

describe('sessions are counted in our records', () => {
  it('(a) a target whose name begins with another’s name does not count for it', async () => {
    const longer = `${iqn}10`;
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    rig.host.iscsi.addTarget(longer, [portalA], { 1: unit('naa.10') });
    const [short, long] = [lunVolume('short', 1), lunVolume('long', 1, { iqn: longer })];
    await rig.run(...mount(short), ...mount(long), ...unmount(short));
    expect([...rig.host.iscsi.sessions.values()].map(({ way }) => way.iqn)).toEqual([longer]);
    expect(globalMount(long)).toHaveLength(1);
  });

  it('(a) a volume that names the portals in another order keeps the session alive', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA, portalB], { 1: unit('naa.1'), 2: unit('naa.2') });
    const one = lunVolume('one', 1, { portals: [portalA, portalB] });
    const two = lunVolume('two', 2, { portals: [portalB, portalA] });
    await rig.run(...mount(one), ...mount(two), ...unmount(one));
    expect(rig.host.iscsi.sessions.size).toBe(2);
    expect(globalMount(two)).toHaveLength(1);
    await rig.run(...unmount(two));
    expect(rig.host.iscsi.sessions.size).toBe(0);
  });

  it('logs out only after the last LUN, whoever of them opened the session', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1'), 2: unit('naa.2') });
    const [one, two] = [lunVolume('one', 1), lunVolume('two', 2)];
    await rig.run(...mount(one), ...mount(two));
    expect(rig.traffic.filter((line) => line.startsWith('login'))).toHaveLength(1);
    rig.host.takeLog();
    await rig.run(...unmount(one), down('forgetVolume', one));
    expect(rig.traffic).toEqual(['removeDisk /dev/sd2']);
    await rig.restart();
    await rig.run(...unmount(two));
    expect(rig.traffic.at(-1)).toBe(`logout ${iqn} ${portalA}`);
  });

  it('(b) refuses a second volume on a LUN that is attached, and takes nothing from the first', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA, portalB], { 1: unit('naa.1') });
    const [first, second] = [lunVolume('first', 1), lunVolume('second', 1, { portals: [portalB] })];
    await rig.run(...mount(first), up('attachVolume', second));
    expect(rig.errorOf(second)?.message).toContain(`volume "${nameOf('first')}" has this very LUN attached`);
    rig.host.takeLog();
    await rig.run(down('detachVolume', second));
    expect(rig.traffic).toEqual([expect.stringMatching(/^removeDisk/), `logout ${iqn} ${portalB}`]);
    expect(globalMount(first)).toHaveLength(1);
    expect(rig.host.iscsi.sessions.size).toBe(1);
  });

  it('(b) of two volumes with the same session and LUN the refused one does not delete the device', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA, portalB], { 1: unit('naa.1') });
    const [first, second] = [
      lunVolume('first', 1, { portals: [portalA, portalB] }),
      lunVolume('second', 1, { portals: [portalB, portalA] }),
    ];
    await rig.run(...mount(first), up('attachVolume', second));
    rig.host.takeLog();
    await rig.run(down('detachVolume', second));
    expect(rig.traffic).toEqual([]);
  });

  it('(c) uses the session that an earlier try opened, and does not take it for a failure', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const data = lunVolume('data', 1);
    rig.host.next('scan', { kind: 'fail', error: uncertainError('no device yet') });
    await rig.run(up('attachVolume', data));
    expect(attachState(data)).toBe('AttachUncertain');
    await rig.run(up('attachVolume', data));
    expect(attachState(data)).toBe('Attached');
    expect(rig.traffic.filter((line) => line.startsWith('login'))).toHaveLength(1);
    await rig.run(down('detachVolume', data));
    expect(rig.host.iscsi.sessions.size).toBe(0);
  });

  it.each([
    ['before its result was known', 'failAfterSuccess'],
    ['that did not happen', 'fail'],
  ] as const)('(d) undoes a login that was cut off %s', async (_name, kind) => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const data = lunVolume('data', 1);
    rig.host.next('login', { kind, error: uncertainError() });
    await rig.run(up('attachVolume', data));
    expect(attachState(data)).toBe('AttachUncertain');
    await rig.run(down('detachVolume', data));
    expect(attachState(data)).toBe('NotAttached');
    expect(rig.host.iscsi.sessions.size).toBe(0);
  });

  it.each([1, 2])('(d) finds what was done when the daemon died after %i effects of an attach', async (effects) => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const data = lunVolume('data', 1);
    rig.host.crashAfter(effects);
    await rig.run(up('attachVolume', data));
    await rig.restart();
    expect(attachState(data)).toBe('AttachUncertain');
    expect(rig.host.iscsi.sessions.size).toBe(1);
    await rig.run(down('detachVolume', data));
    expect(attachState(data)).toBe('NotAttached');
    expect(rig.host.iscsi.sessions.size).toBe(0);
  });

  it('(e) never ends a session, nor deletes a device, that an administrator made', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const id = rig.host.iscsi.loginFromOutside(iqn, portalA);
    const data = lunVolume('data', 1);
    await rig.run(...mount(data));
    await rig.restart();
    await rig.run(...unmount(data));
    expect(attachState(data)).toBe('NotAttached');
    expect(rig.traffic).toEqual([]);
    expect(rig.host.iscsi.sessions.get(id)?.disks.size).toBe(1);
  });

  it('(e) deletes the device that it found for itself in an administrator’s session, and only that', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const id = rig.host.iscsi.loginFromOutside(iqn, portalA, { scans: false });
    const data = lunVolume('data', 1);
    await rig.run(...mount(data), ...unmount(data));
    expect(rig.traffic.map((line) => line.split(' ')[0])).toEqual(['scan', 'removeDisk']);
    expect(rig.host.iscsi.sessions.has(id)).toBe(true);
  });

  it('(e) leaves a session alone that took the place of ours', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const data = lunVolume('data', 1, {}, 'block');
    await rig.run(up('attachVolume', data));
    rig.host.iscsi.reboot();
    const theirs = rig.host.iscsi.loginFromOutside(iqn, portalA);
    rig.host.takeLog();
    await rig.run(down('detachVolume', data));
    expect(attachState(data)).toBe('NotAttached');
    expect(rig.traffic).toEqual([]);
    expect(rig.host.iscsi.sessions.has(theirs)).toBe(true);
  });

  it('keeps a session in which somebody else uses another LUN, and says who', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1'), 2: unit('naa.2') });
    const data = lunVolume('data', 1, {}, 'block');
    await rig.run(up('attachVolume', data));
    const [session] = [...rig.host.iscsi.sessions.keys()];
    const theirs = await rig.host.iscsi.scan({ id: session ?? '', state: '', hasOurInterface: true }, 2);
    rig.host.iscsi.users.set(theirs.devicePath, 'part of "/dev/dm-3"');
    await rig.run(down('detachVolume', data));
    expect(rig.errorOf(data)?.message).toContain('part of "/dev/dm-3"');
    rig.host.iscsi.users.clear();
    await rig.run(down('detachVolume', data));
    expect(rig.host.iscsi.sessions.size).toBe(0);
  });
});

describe('detaching', () => {
  it.each(['session', 'device'])('takes a %s that has gone for what it is: already gone', async (what) => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const data = lunVolume('data', 1, {}, 'block');
    await rig.run(up('attachVolume', data));
    const [id = ''] = [...rig.host.iscsi.sessions.keys()];
    if (what === 'session') rig.host.iscsi.dropSession(id);
    else rig.host.iscsi.sessions.get(id)?.disks.clear();
    await rig.run(down('detachVolume', data));
    expect(attachState(data)).toBe('NotAttached');
    expect(rig.host.iscsi.sessions.size).toBe(0);
  });

  it('is refused while somebody has the device, touches nothing, and names him', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const data = lunVolume('data', 1, {}, 'block');
    await rig.run(up('attachVolume', data));
    rig.host.takeLog();
    rig.host.iscsi.users.set('/dev/sd2', 'mounted at "/mnt/backup"');
    await rig.run(down('detachVolume', data));
    expect(rig.errorOf(data)).toMatchObject({ code: 'Busy', progress: 'transient' });
    expect(rig.errorOf(data)?.message).toContain('mounted at "/mnt/backup"');
    expect(rig.traffic).toEqual([]);
  });

  it.each(['removeDisk', 'logout'] as const)('goes on where a failed %s left off', async (effect) => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const data = lunVolume('data', 1, {}, 'block');
    await rig.run(up('attachVolume', data));
    rig.host.next(effect, { kind: 'failAfterSuccess', error: uncertainError() });
    await rig.run(down('detachVolume', data));
    expect(attachState(data)).toBe('AttachUncertain');
    await rig.restart();
    await rig.run(down('detachVolume', data));
    expect(attachState(data)).toBe('NotAttached');
    expect(rig.host.iscsi.sessions.size).toBe(0);
  });
});

describe('identity', () => {
  it('refuses another LUN at the old address, formats nothing, and takes it when the user says so', async () => {
    const target = rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.old') });
    const data = lunVolume('data', 1);
    await rig.run(...mount(data), ...unmount(data), down('forgetVolume', data));
    const stranger = unit('naa.new');
    target.luns.set(1, stranger);
    await rig.run(up('attachVolume', data));
    expect(rig.errorOf(data)?.message).toContain('it is "naa.new", wanted "naa.old"');
    expect(rig.errorOf(data)?.facts.hint).toContain('moored.dev/wwid: "naa.new"');
    expect(stranger.content).toBe('zeros');
    await rig.run(down('detachVolume', data));
    await rig.run(...mount(lunVolume('data', 1, { wwid: 'naa.new' })));
    expect(stranger.content).toBe('ext4');
    expect(globalMount(data)).toHaveLength(1);
  });

  it.each(['device', 'block'] as const)('looks again before a %s volume is handed out', async (type) => {
    const target = rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.old') });
    const data = lunVolume('data', 1, {}, type);
    await rig.run(up('attachVolume', data));
    const stranger = unit('naa.new');
    target.luns.set(1, stranger);
    const pod = data.pods.get('uid-web')!;
    const next: Operation =
      type === 'device'
        ? up('mountDevice', data)
        : { kind: 'mountVolume', volumeName: data.name, volume: data, pod, reason: '' };
    await rig.run(next);
    expect(attachState(data)).toBe('AttachUncertain');
    expect(stranger.content).toBe('zeros');
    expect(rig.host.mountPoints).toEqual([]);
  });

  it('refuses a LUN that does not say who it is, and portals that lead to different LUNs', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('') });
    const data = lunVolume('data', 1);
    await rig.run(up('attachVolume', data));
    expect(rig.errorOf(data)?.message).toContain('it does not say who it is');
  });

  it('knows its device again after a restart, and another one not', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const data = lunVolume('data', 1);
    await rig.run(...mount(data));
    await rig.restart();
    expect(attachState(data)).toBe('Attached');
    const [id = ''] = [...rig.host.iscsi.sessions.keys()];
    rig.host.iscsi.dropSession(id);
    rig.host.iscsi.loginFromOutside(iqn, portalA);
    await rig.restart();
    expect(attachState(data)).toBe('AttachUncertain');
  });
});

it('does not forget its session when a later step of the attach fails for good', async () => {
  rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
  rig.host.iscsi.setReadOnly = () => Promise.reject(finalError('Cannot set it read-only'));
  const data = lunVolume('data', 1, { readOnly: true });
  await rig.run(up('attachVolume', data));
  expect(rig.errorOf(data)).toMatchObject({ code: 'Internal', progress: 'transient' });
  expect(attachState(data)).toBe('AttachUncertain');
  await rig.run(down('detachVolume', data));
  expect(rig.host.iscsi.sessions.size).toBe(0);
});

describe('(f) several portals', () => {
  const both = { portals: [portalA, portalB] };

  function watch(): IscsiPathWatch {
    const { asw, clock, host } = rig;
    return new IscsiPathWatch({ asw, initiator: host.iscsi, clock, logger: silent, isBusy: () => false, wake: ignore });
  }

  it('goes with any path, tells which one is missing, and makes it when the portal is back', async () => {
    const target = rig.host.iscsi.addTarget(iqn, [portalA, portalB], { 1: unit('naa.1') });
    target.portals.set(portalB, 'down');
    const data = lunVolume('data', 1, both);
    await rig.run(...mount(data));
    expect(globalMount(data)).toHaveLength(1);
    expect(rig.events.list()).toMatchObject([{ reason: 'PathMissing', message: expect.stringContaining(portalB) }]);
    const paths = watch();
    paths.update();
    target.portals.set(portalB, 'up');
    rig.clock.advance(60_000);
    expect(attachState(data)).toBe('AttachUncertain');
    const device = rig.asw.get(data.name)?.record.attached;
    await rig.run(up('attachVolume', data));
    expect(rig.asw.get(data.name)?.record.attached).toEqual(device);
    expect(rig.host.iscsi.sessions.size).toBe(2);
    paths.update();
    rig.clock.advance(60_000);
    expect(attachState(data)).toBe('Attached');
    await rig.run(...unmount(data));
    expect(rig.host.iscsi.sessions.size).toBe(0);
  });

  it('sees within a minute that an administrator ended the session, and logs in again', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const data = lunVolume('data', 1, {}, 'block');
    await rig.run(up('attachVolume', data));
    const paths = watch();
    paths.update();
    rig.host.iscsi.dropSession([...rig.host.iscsi.sessions.keys()][0] ?? '');
    rig.clock.advance(60_000);
    await rig.run(up('attachVolume', data));
    expect(attachState(data)).toBe('Attached');
    expect(rig.host.iscsi.sessions.size).toBe(1);
  });

  it('takes nothing for missing that it cannot see now', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const data = lunVolume('data', 1);
    await rig.run(up('attachVolume', data));
    watch().update();
    rig.host.iscsi.session = () => {
      throw finalError('Cannot read sysfs: too many open files');
    };
    rig.clock.advance(60_000);
    expect(attachState(data)).toBe('Attached');
  });

  it('has no timer while no iSCSI volume is attached', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA], { 1: unit('naa.1') });
    const paths = watch();
    const data = lunVolume('data', 1);
    await rig.run(up('attachVolume', data));
    paths.update();
    expect(rig.clock.waiting).toBe(1);
    await rig.run(down('detachVolume', data));
    paths.update();
    expect(rig.clock.waiting).toBe(0);
  });

  it('mounts the dm-multipath device over the paths, and takes it down before them', async () => {
    rig.host.iscsi.hasMultipath = true;
    rig.host.iscsi.addTarget(iqn, [portalA, portalB], { 1: unit('naa.1') });
    const data = lunVolume('data', 1, both);
    await rig.run(...mount(data));
    expect(rig.asw.get(data.name)?.record.attached?.devicePath).toMatch(/^\/dev\/dm-/);
    await rig.restart();
    expect(attachState(data)).toBe('Attached');
    rig.host.takeLog();
    await rig.run(...unmount(data));
    expect(rig.traffic.map((line) => line.replace(/\d+$/, 'N'))).toEqual([
      'removeDisk /dev/dm-N',
      'removeDisk /dev/sdN',
      'removeDisk /dev/sdN',
      `logout ${iqn} ${portalA.slice(0, -4)}N`,
      `logout ${iqn} ${portalB.slice(0, -4)}N`,
    ]);
  });

  it('says that one path alone is used where there is no dm-multipath', async () => {
    rig.host.iscsi.addTarget(iqn, [portalA, portalB], { 1: unit('naa.1') });
    await rig.run(...mount(lunVolume('data', 1, both)));
    expect(rig.events.list()).toMatchObject([{ reason: 'MultipathUnavailable' }]);
  });

  it('fails with the reason of each portal, and is final only when nothing was opened', async () => {
    const target = rig.host.iscsi.addTarget(iqn, [portalA, portalB], {});
    target.portals.set(portalA, 'down');
    const data = lunVolume('data', 1, both);
    await rig.run(up('attachVolume', data));
    expect(rig.errorOf(data)?.message).toMatch(
      /portal "192.0.2.1:3260": .*reached; portal "192.0.2.2:3260": .*no LUN 1/,
    );
    expect(rig.errorOf(data)?.progress).toBe('transient');
    rig.host.always('login', { kind: 'fail', error: finalError('refused') });
    await rig.run(down('detachVolume', data), up('attachVolume', data));
    expect(rig.errorOf(data)?.progress).toBe('final');
    expect(attachState(data)).toBe('NotAttached');
  });
});
