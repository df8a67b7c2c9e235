/** What goes wrong with iSCSI: portals and targets that go, administrators that log in and out, a daemon that dies. */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DaemonProcess } from '../support/daemon-process.ts';
import { eventually } from '../support/eventually.ts';
import { iscsiClaim, iscsiSource } from '../support/iscsi-manifests.ts';
import { byPath, iscsiSessions, TgtServer } from '../support/iscsi-target.ts';
import { mountsAt, mountsBelow, run } from '../support/kernel-facts.ts';
import { claimVolume, documents, pod } from '../support/manifests.ts';

const base = 'iqn.2024-01.org.example';
const [disks, lio] = [`${base}:disks`, `${base}:lio`];
const patience = 120_000;

let daemon: DaemonProcess;
let target: TgtServer;
let directory: string;

beforeAll(async () => {
  directory = join(process.env['MOORED_TEST_DIR'] ?? '', 'fault-luns');
  mkdirSync(directory, { recursive: true });
  target = await new TgtServer(directory).start();
  target.addTarget(disks, { 1: 64, 2: 64, 3: 64, 4: 64, 5: 64 });
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  for (const name of readdirSync(daemon.manifestDir)) daemon.remove(name);
  await daemon.gone();
  expect(iscsiSessions()).toEqual([]);
  expect(mountsBelow(daemon.rootDir)).toEqual([]);
});

afterAll(async () => {
  await daemon.dispose();
  await target.stop();
});

const inline = (lun: number, more?: string) =>
  pod('p', { data: iscsiSource({ iqn: disks, lun, ...(more === undefined ? {} : { more }) }) });
const raw = (lun: number) =>
  documents(iscsiClaim('raw', { iqn: disks, lun, mode: 'Block' }), pod('p', { data: claimVolume('raw') }, 'Block'));
const iscsiadm = (...args: readonly string[]) =>
  run('iscsiadm', '-m', 'node', '-T', disks, '-p', '127.0.0.1:3260', ...args);

describe('a portal', () => {
  it('that is down at the start, for a minute, is said so, and the volume comes by itself when it is back', async () => {
    target.portalDown('127.0.0.1');
    daemon.apply('p.yaml', inline(1));
    await daemon.condition('p', /127.0.0.1:3260/);
    // 0.5 s, doubled each time: the eighth attempt fails after more than a minute.
    await eventually(async () => {
      const attempts = (await daemon.operations()).map((operation) => operation.attempts);
      return Math.max(0, ...attempts) >= 8 || `attempts: ${attempts.join()}`;
    }, patience);
    target.portalUp('127.0.0.1');
    await eventually(async () => (await daemon.pod('p')).status.phase === 'Ready' || 'it is not mounted', patience);
    await daemon.mounted('p');
  }, 300_000);

  it('of two is enough; the other is told as missing', async () => {
    target.portalDown('127.0.0.2');
    daemon.apply('p.yaml', inline(1, 'portals: ["127.0.0.2"]'));
    await daemon.mounted('p');
    await daemon.event('PathMissing');
    expect(iscsiSessions().map(({ address }) => address)).toEqual(['127.0.0.1']);
    target.portalUp('127.0.0.2');
  });
});

describe('two portals', () => {
  it('are one dm-multipath device where there is multipathd, which outlives one of them', async () => {
    writeFileSync('/etc/multipath.conf', 'defaults {\n  find_multipaths greedy\n  polling_interval 2\n}\n');
    run('modprobe', 'dm_multipath');
    run('systemctl', 'start', 'multipathd');
    try {
      daemon.apply('p.yaml', inline(2, 'portals: ["127.0.0.2"]'));
      await daemon.mounted('p');
      const path = await daemon.path('p', 'data');
      expect(mountsAt(path)[0]?.source).toMatch(/^\/dev\/(mapper|dm-)/);
      expect(new Set(iscsiSessions().map(({ address }) => address))).toEqual(new Set(['127.0.0.1', '127.0.0.2']));
      endSession('127.0.0.2');
      writeFileSync(join(path, 'file'), randomBytes(100_000));
      run('sync', '-f', path);
      daemon.remove('p.yaml');
      await eventually(() => iscsiSessions().length === 0 || 'sessions are there', patience);
      expect(run('dmsetup', 'ls').trim()).toBe('No devices found');
    } finally {
      run('systemctl', 'stop', 'multipathd', 'multipathd.socket');
    }
  });

  it('do not make one LUN two volumes: the second is refused, the first goes on', async () => {
    daemon.apply('first.yaml', inline(1));
    await daemon.mounted('p');
    daemon.apply('second.yaml', pod('q', { data: iscsiSource({ iqn: disks, lun: 1, targetPortal: '127.0.0.2' }) }));
    await daemon.condition('q', /has this very LUN attached/);
    daemon.remove('second.yaml');
    await eventually(() => iscsiSessions().length === 1 || 'the second session is there', patience);
    const path = await daemon.path('p', 'data');
    writeFileSync(join(path, 'file'), 'still there');
    run('sync', '-f', path);
  });
});

describe('the target', () => {
  it('may crash and come back under a mounted volume while it is written to', async () => {
    daemon.apply('p.yaml', inline(3));
    await daemon.mounted('p');
    const path = await daemon.path('p', 'data');
    const content = randomBytes(8 * 2 ** 20);
    await target.stop();
    const source = join(directory, 'content');
    writeFileSync(source, content);
    const restarted = sleep(1500).then(() => target.start());
    const written = writeAside(source, join(path, 'file'));
    await restarted;
    await written;
    expect(iscsiSessions()).toMatchObject([{ state: 'LOGGED_IN' }]);
    daemon.remove('p.yaml');
    await eventually(() => iscsiSessions().length === 0 || 'the session is there', patience);
    daemon.apply('p.yaml', inline(3));
    await daemon.mounted('p');
    expect(readFileSync(join(await daemon.path('p', 'data'), 'file')).equals(content)).toBe(true);
  });

  it('that has another LUN at the old address is refused, and nothing is formatted, until the user says so', async () => {
    const volume = { iqn: disks, lun: 4 };
    daemon.apply('claim.yaml', iscsiClaim('data', volume));
    daemon.apply('p.yaml', pod('p', { data: claimVolume('data') }));
    await daemon.mounted('p');
    daemon.remove('p.yaml');
    await eventually(() => iscsiSessions().length === 0 || 'the session is there', patience);
    const stranger = target.newImage('stranger', 64);
    await target.setLun(disks, 4, stranger);
    daemon.apply('p.yaml', pod('p', { data: claimVolume('data') }));
    await daemon.condition('p', /another LUN lies at its address: it is "naa\./);
    expect(readFileSync(stranger.image).every((byte) => byte === 0)).toBe(true);
    const events = await daemon.events();
    const wwid = /it is "([^"]+)", wanted/.exec(events.map(({ message }) => message).join('\n'))?.[1] ?? '';
    daemon.apply('claim.yaml', iscsiClaim('data', { ...volume, wwid }));
    await daemon.mounted('p');
  });

  it('may be LIO', async () => {
    run('modprobe', 'iscsi_target_mod');
    const image = join(directory, 'lio');
    targetcli(
      'set global auto_add_default_portal=false',
      `/backstores/fileio create lio ${image} 64M`,
      `/iscsi create ${lio}`,
      `/iscsi/${lio}/tpg1/luns create /backstores/fileio/lio lun=7`,
      `/iscsi/${lio}/tpg1 set attribute demo_mode_write_protect=0 generate_node_acls=1 cache_dynamic_acls=1 authentication=0`,
      `/iscsi/${lio}/tpg1/portals create 127.0.0.1 3261`,
    );
    try {
      daemon.apply('p.yaml', pod('p', { data: iscsiSource({ iqn: lio, lun: 7, targetPortal: '127.0.0.1:3261' }) }));
      await daemon.mounted('p');
      writeFileSync(join(await daemon.path('p', 'data'), 'file'), 'on LIO');
      daemon.remove('p.yaml');
      await eventually(() => iscsiSessions().length === 0 || 'the session is there', patience);
      daemon.apply('p.yaml', pod('p', { data: iscsiSource({ iqn: lio, lun: 7, targetPortal: '127.0.0.1:3261' }) }));
      await daemon.mounted('p');
      expect(readFileSync(join(await daemon.path('p', 'data'), 'file'), 'utf8')).toBe('on LIO');
      daemon.remove('p.yaml');
      await eventually(() => iscsiSessions().length === 0 || 'the session is there', patience);
    } finally {
      targetcli('clearconfig confirm=True');
    }
  });
});

describe('an administrator', () => {
  it('who was there before keeps his session and his device', async () => {
    run('iscsiadm', '-m', 'discovery', '-t', 'sendtargets', '-p', '127.0.0.1:3260');
    iscsiadm('-I', 'default', '--login');
    const before = iscsiSessions().map(({ name }) => name);
    await eventually(() => existsSync(byPath(disks, 5)) || 'his device is not there');
    daemon.apply('p.yaml', inline(5));
    await daemon.mounted('p');
    expect(iscsiSessions().map(({ name }) => name)).toEqual(before);
    await daemon.restart('SIGKILL');
    daemon.remove('p.yaml');
    await daemon.gone();
    expect(iscsiSessions().map(({ name }) => name)).toEqual(before);
    expect(existsSync(byPath(disks, 5))).toBe(true);
    iscsiadm('-I', 'default', '--logout');
    iscsiadm('-I', 'default', '-o', 'delete');
    // His record of the portal is his to delete, and another file looks for records that we left.
    run('iscsiadm', '-m', 'discoverydb', '-t', 'sendtargets', '-p', '127.0.0.1:3260', '-o', 'delete');
  });

  it('who ends our session, or deletes the device, does not keep a volume from being detached', async () => {
    daemon.apply('p.yaml', raw(5));
    await daemon.mounted('p');
    endSession('127.0.0.1');
    daemon.remove('p.yaml');
    await daemon.gone();
    daemon.apply('p.yaml', raw(5));
    await daemon.mounted('p');
    const name = run('readlink', '-f', byPath(disks, 5)).trim().slice('/dev/'.length);
    writeFileSync(`/sys/block/${name}/device/delete`, '1');
    await eventually(() => !existsSync(byPath(disks, 5)) || 'the link is there');
  });

  it.each([
    ['a filesystem', () => inline(5)],
    ['a raw device', () => raw(5)],
  ])('who removed the link below /dev/disk/by-path does not keep %s from being detached', async (_kind, manifest) => {
    daemon.apply('p.yaml', manifest());
    await daemon.mounted('p');
    const device = run('readlink', '-f', byPath(disks, 5)).trim();
    unlinkSync(byPath(disks, 5));
    daemon.remove('p.yaml');
    await daemon.gone();
    expect(existsSync(device)).toBe(false);
  });

  it('who mounted the device elsewhere keeps it attached, and is named', async () => {
    daemon.apply('p.yaml', raw(5));
    await daemon.mounted('p');
    const device = run('readlink', '-f', byPath(disks, 5)).trim();
    run('mkfs.ext4', '-q', '-F', device);
    const place = join(directory, 'elsewhere');
    mkdirSync(place);
    run('mount', device, place);
    daemon.remove('p.yaml');
    await eventually(async () => {
      const waiting = (await daemon.operations()).map(({ lastError }) => lastError).join('; ');
      return waiting.includes(`mounted at "${place}"`) || `operations: ${waiting}`;
    });
    writeFileSync(join(place, 'file'), 'still there');
    run('umount', place);
  });
});

describe('the daemon', () => {
  it('that is killed between login and mount goes on where it was, or undoes it', async () => {
    daemon.apply('p.yaml', inline(1));
    await eventually(() => iscsiSessions().length === 1 || 'no session yet');
    await daemon.restart('SIGKILL');
    await daemon.mounted('p');
    daemon.remove('p.yaml');
    await daemon.gone();
    daemon.apply('p.yaml', inline(2));
    await eventually(() => iscsiSessions().length === 1 || 'no session yet');
    await daemon.kill('SIGKILL');
    daemon.remove('p.yaml');
    await daemon.start();
    await eventually(() => iscsiSessions().length === 0 || 'the session is there', patience);
  });
});

/** As an administrator does; the number is the kernel's. */
function endSession(address: string): void {
  const session = iscsiSessions(disks).find((one) => one.address === address);
  run('iscsiadm', '-m', 'iface', '-I', 'moored', '-o', 'new');
  run('iscsiadm', '-m', 'session', '-r', session?.name.replace('session', '') ?? '', '--logout');
  if (iscsiSessions(disks).length === 0) run('iscsiadm', '-m', 'iface', '-I', 'moored', '-o', 'delete');
}

/** In a process of its own: the write hangs until the target is back. */
async function writeAside(source: string, file: string): Promise<void> {
  const child = spawn('dd', [`if=${source}`, `of=${file}`, 'bs=1M', 'conv=fsync', 'status=none'], { stdio: 'inherit' });
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`dd ended with ${code}`))));
  });
}

function targetcli(...commands: readonly string[]): void {
  execFileSync('targetcli', { input: `${commands.join('\n')}\nexit\n`, stdio: ['pipe', 'ignore', 'inherit'] });
}
