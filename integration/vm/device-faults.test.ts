/** Devices that fail under a probe, a format and a filesystem in use: nothing is formatted on a guess, all of it is told. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ExplainNode, VolumeView } from '../../daemon/control/protocol.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { DmDevice } from '../support/dm-device.ts';
import { eventually } from '../support/eventually.ts';
import { filesystemUuid, run } from '../support/kernel-facts.ts';
import { claim, claimVolume, documents, pod } from '../support/manifests.ts';

const mebibyte = 2 ** 20;

let daemon: DaemonProcess;
const devices: DmDevice[] = [];

beforeAll(async () => {
  for (const module of ['dm_mod', 'dm_flakey', 'dm_delay', 'dm_zero']) run('modprobe', module);
  daemon = await new DaemonProcess().start();
});

afterAll(async () => {
  await daemon.dispose();
  for (const device of devices) device[Symbol.dispose]();
});

function device(name: string, mebibytes = 64): DmDevice {
  const made = new DmDevice(name, mebibytes, daemon.base);
  devices.push(made);
  return made;
}

/** A volume on the device, its claim and its pod, all of the same name. */
function use(name: string, { path, sectors }: DmDevice, fsType = 'ext4'): void {
  const volume = [
    'apiVersion: v1',
    'kind: PersistentVolume',
    `metadata: { name: ${name} }`,
    'spec:',
    `  capacity: { storage: ${sectors / 2}Ki }`,
    '  accessModes: [ReadWriteOnce]',
    '  storageClassName: ""',
    '  csi:',
    '    driver: loop.moored.dev',
    `    volumeHandle: ${name}`,
    `    fsType: ${fsType}`,
    `    volumeAttributes: { path: ${path} }`,
  ].join('\n');
  const options = { size: `${sectors / 2}Ki`, storageClass: '', volumeName: name };
  daemon.apply(`${name}.yaml`, documents(volume, claim(name, options), pod(name, { data: claimVolume(name) })));
}

/** The pod goes, its volume stays declared; ends when nothing of it is mounted. */
async function release(name: string): Promise<void> {
  daemon.remove(`${name}.yaml`);
  await daemon.unmounted(name);
  await eventually(async () => {
    const left = (await daemon.asw()).filter((volume) => volume.name.endsWith(`^${name}`));
    return left.length === 0 || 'the volume is still there';
  }, 120_000);
}

const isBlank = (path: string) =>
  readFileSync(path)
    .subarray(0, 2 * mebibyte)
    .every((byte) => byte === 0);

it('formats nothing that cannot be read, whole or in part, and formats it once it can', async () => {
  const dead = device('dead');
  const half = device('half');
  dead.failFrom(0);
  half.failFrom(60 * mebibyte);
  use('dead', dead);
  use('half', half);
  await daemon.condition('dead', /Cannot tell what is on "\/dev\/dm-\d+": .*Input\/output error/);
  await daemon.condition('half', /Cannot tell what is on .*its tail: .*Input\/output error/);
  expect([isBlank(dead.image), isBlank(half.image)]).toEqual([true, true]);
  dead.heal();
  half.heal();
  await daemon.mounted('dead');
  await daemon.mounted('half');
});

it('refuses a device that has lost its data, and one that was cut, with both sizes', async () => {
  const lost = device('lost');
  use('lost', lost);
  await daemon.mounted('lost');
  writeFileSync(join(await daemon.path('lost', 'data'), 'file'), 'kept');
  const uuid = filesystemUuid(lost.path);
  await release('lost');
  lost.load(lost.line(0, lost.sectors, 'zero'));
  use('lost', lost);
  await daemon.condition('lost', /it reads blank, but was formatted as ext4 at .*: its data is lost/);
  lost.load(lost.line(0, lost.sectors / 2, 'linear'));
  await daemon.condition('lost', /it has 33554432 bytes, the ext4 on it needs 67108864/);
  lost.heal();
  await daemon.mounted('lost');
  expect(readFileSync(join(await daemon.path('lost', 'data'), 'file'), 'utf8')).toBe('kept');
  expect(filesystemUuid(lost.path)).toBe(uuid);
});

it('comes through a format whose writes fail, and one on a slow device', async () => {
  const flakey = device('flakey');
  const slow = device('slow');
  flakey.load(flakey.line(0, flakey.sectors, 'flakey', '0', '600', '1', 'error_writes'));
  slow.load(slow.line(0, slow.sectors, 'delay', '20'));
  use('flakey', flakey);
  use('slow', slow);
  await daemon.condition('flakey', /Cannot make ext4 on .*/);
  await daemon.mounted('slow');
  flakey.heal();
  await eventually(async () => {
    const { status } = await daemon.pod('flakey');
    const message = status.volumes[0]?.message ?? '';
    // What a cut-off mkfs left may be anything: it is used only if it is blank or whole, and else the way out is told.
    return status.phase === 'Ready' || /wipefs --all/.test(message) || message;
  }, 120_000);
});

it('tells of filesystems that the kernel gave up, and uses them again once their device is well', async () => {
  const kinds = [
    ['ext4', device('ext4')],
    ['xfs', device('xfs', 320)],
    ['btrfs', device('btrfs', 160)],
  ] as const;
  for (const [fsType, one] of kinds) use(fsType, one, fsType);
  for (const [fsType] of kinds) await daemon.mounted(fsType);
  for (const [fsType, one] of kinds) {
    const path = await daemon.path(fsType, 'data');
    writeFileSync(join(path, 'file'), 'kept');
    run('/usr/bin/sync', '--file-system', path);
    one.failFrom(0);
    writeFileSync(join(path, 'lost'), 'lost');
    expect(() => run('/usr/bin/sync', '--file-system', path)).toThrow(/Input\/output error|Read-only file system/);
    // ext4 knows that its journal is gone, and says so when somebody asks for more.
    expect(() => writeFileSync(join(path, 'more'), 'more')).toThrow(/EROFS|EIO/);
  }
  for (const [fsType, message] of [
    ['ext4', /read-only/],
    ['xfs', /its root does not answer: Input\/output error/],
    ['btrfs', /read-only/],
  ] as const) {
    await eventually(async () => {
      const { status } = await daemon.pod(fsType);
      const [condition] = status.conditions;
      const isTold = condition?.reason === 'VolumeConditionAbnormal' && message.test(condition.message);
      return isTold || JSON.stringify(condition);
    }, 120_000);
  }
  const { volumes } = await daemon.json<{ volumes: readonly VolumeView[] }>('volumes');
  const states = kinds.map(([fsType]) => volumes.find(({ claim: used }) => used === `default/${fsType}`)?.state);
  expect(states).toEqual(['Abnormal', 'Abnormal', 'Abnormal']);
  await daemon.event('VolumeConditionAbnormal');
  const { stdout } = await daemon.ctl('explain', 'pod/ext4', '-o', 'json');
  expect((JSON.parse(stdout) as ExplainNode).causes[0]).toMatchObject({
    ...{ state: 'Abnormal', help: expect.stringContaining('take the pod away and back') },
  });
  for (const [fsType, one] of kinds) {
    one.heal();
    await release(fsType);
    use(fsType, one, fsType);
  }
  for (const [fsType] of kinds) {
    await daemon.mounted(fsType);
    expect(readFileSync(join(await daemon.path(fsType, 'data'), 'file'), 'utf8')).toBe('kept');
  }
});
