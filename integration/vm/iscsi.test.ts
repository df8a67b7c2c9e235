/** LUNs of a real target, through a real open-iscsi, into pods: the whole life, and CHAP. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DaemonProcess } from '../support/daemon-process.ts';
import { eventually } from '../support/eventually.ts';
import { chapSecret, iscsiClaim, iscsiSource } from '../support/iscsi-manifests.ts';
import { byPath, iscsiSessions, TgtServer } from '../support/iscsi-target.ts';
import { mountsAt, mountsBelow, run } from '../support/kernel-facts.ts';
import { claimVolume, documents, pod } from '../support/manifests.ts';

const base = 'iqn.2024-01.org.example';
const [disks, longer, guarded, hidden] = [`${base}:vol1`, `${base}:vol10`, `${base}:guarded`, `${base}:hidden`];
const account = { user: 'moored-user', password: 'correct-horse-9' };
const discoveryAccount = { user: 'finder', password: 'battery-staple-7' };

let daemon: DaemonProcess;
let target: TgtServer;

beforeAll(async () => {
  const directory = join(process.env['MOORED_TEST_DIR'] ?? '', 'luns');
  mkdirSync(directory, { recursive: true });
  target = await new TgtServer(directory).start();
  target.addTarget(disks, { 1: 64, 2: 64, 3: 320 });
  target.addTarget(longer, { 1: 64 });
  target.addTarget(guarded, { 1: 64 }, account);
  target.addTarget(hidden, { 1: 64 });
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  for (const name of readdirSync(daemon.manifestDir)) daemon.remove(name);
  await daemon.gone();
  expect(iscsiSessions()).toEqual([]);
  expect(mountsBelow(daemon.rootDir)).toEqual([]);
  // open-iscsi has forgotten all of it too.
  expect(['ifaces', 'nodes', 'send_targets', 'static'].flatMap(recordsIn)).toEqual([]);
});

afterAll(async () => {
  await daemon.dispose();
  await target.stop();
});

function bound(name: string, lun: number, more?: string): string {
  return iscsiClaim(name, { iqn: disks, lun, ...(more === undefined ? {} : { more }) });
}

describe('a LUN', () => {
  it('is formatted once, mounted once, bound into both pods, and keeps its data for later ones', async () => {
    daemon.apply('data.yaml', bound('data', 1));
    daemon.apply('a.yaml', pod('a', { data: claimVolume('data') }));
    daemon.apply('b.yaml', pod('b', { data: claimVolume('data') }));
    await Promise.all([daemon.mounted('a'), daemon.mounted('b')]);
    const content = randomBytes(300_000);
    writeFileSync(join(await daemon.path('a', 'data'), 'file'), content);
    expect(readFileSync(join(await daemon.path('b', 'data'), 'file')).equals(content)).toBe(true);
    expect(iscsiSessions()).toMatchObject([{ iqn: disks, interface: 'moored', luns: [1] }]);
    const global = mountsBelow(join(daemon.rootDir, 'plugins'));
    expect(global).toMatchObject([{ fsType: 'ext4', root: '/' }]);
    daemon.remove('a.yaml');
    await daemon.unmounted('a');
    expect(readFileSync(join(await daemon.path('b', 'data'), 'file')).equals(content)).toBe(true);
    daemon.remove('b.yaml');
    await eventually(() => iscsiSessions().length === 0 || 'the session is there');
    expect(existsSync(byPath(disks, 1))).toBe(false);
    daemon.apply('c.yaml', pod('c', { data: iscsiSource({ iqn: disks, lun: 1, more: 'readOnly: true' }) }));
    await daemon.mounted('c');
    const path = await daemon.path('c', 'data');
    expect(readFileSync(join(path, 'file')).equals(content)).toBe(true);
    expect(mountsAt(path)[0]?.options).toContain('ro');
  });

  it('comes alone, and the session goes with the last one of the target', async () => {
    daemon.apply(
      'claims.yaml',
      documents(bound('one', 1), bound('two', 2), iscsiClaim('ten', { iqn: longer, lun: 1 })),
    );
    for (const name of ['one', 'two', 'ten']) daemon.apply(`${name}.yaml`, pod(name, { data: claimVolume(name) }));
    await Promise.all(['one', 'two', 'ten'].map((name) => daemon.mounted(name)));
    expect(iscsiSessions(disks).map(({ luns }) => luns.toSorted((a, b) => a - b))).toEqual([[1, 2]]);
    daemon.remove('one.yaml');
    await eventually(() => !iscsiSessions(disks)[0]?.luns.includes(1) || 'LUN 1 has a device');
    writeFileSync(join(await daemon.path('two', 'data'), 'file'), 'still there');
    run('sync', '-f', await daemon.path('two', 'data'));
    daemon.remove('two.yaml');
    // "…:vol1" is the beginning of "…:vol10": the one must end, the other must stay.
    await eventually(() => iscsiSessions(disks).length === 0 || 'the session is there');
    expect(iscsiSessions(longer)).toHaveLength(1);
    writeFileSync(join(await daemon.path('ten', 'data'), 'file'), 'still there');
    run('sync', '-f', await daemon.path('ten', 'data'));
  });

  it('is xfs where that is asked for, and found by an IPv6 portal', async () => {
    daemon.apply('x.yaml', iscsiClaim('x', { iqn: disks, lun: 3, targetPortal: '[::1]:3260', more: 'fsType: xfs' }));
    daemon.apply('pod.yaml', pod('x', { data: claimVolume('x') }));
    await daemon.mounted('x');
    expect(mountsAt(await daemon.path('x', 'data'))).toMatchObject([{ fsType: 'xfs' }]);
    expect(iscsiSessions()).toMatchObject([{ address: '::1', luns: [3] }]);
  });

  it('is a raw device with volumeMode Block', async () => {
    daemon.apply('raw.yaml', iscsiClaim('raw', { iqn: disks, lun: 2, mode: 'Block' }));
    daemon.apply('pod.yaml', pod('raw', { raw: claimVolume('raw') }, 'Block'));
    await daemon.mounted('raw');
    const path = await daemon.path('raw', 'raw');
    expect(statSync(path).isBlockDevice()).toBe(true);
    expect(statSync(path).rdev).toBe(statSync(byPath(disks, 2)).rdev);
    run('dd', 'if=/dev/urandom', `of=${path}`, 'bs=64k', 'count=4', 'seek=700', 'conv=fsync', 'status=none');
    const written = firstBytes(path, 700 * 65_536);
    daemon.remove('pod.yaml');
    await daemon.unmounted('raw');
    await eventually(() => iscsiSessions().length === 0 || 'the session is there');
    expect(firstBytes(target.lun(disks, 2).image, 700 * 65_536).equals(written)).toBe(true);
  });

  it.each([
    [
      'an unknown target',
      { iqn: `${base}:nowhere`, lun: 1 },
      /Cannot find "iqn.*:nowhere" at "127.0.0.1:3260": it offers/,
    ],
    ['an unknown LUN', { iqn: disks, lun: 9 }, /Cannot find LUN 9/],
  ])('%s is named, and leaves no session', async (_name, volume, why) => {
    daemon.apply('pod.yaml', pod('p', { data: iscsiSource(volume) }));
    await daemon.condition('p', why);
  });
});

describe('CHAP', () => {
  const secretRef = 'secretRef: { name: chap }';
  const keys = (user: string, password: string) => ({
    'node.session.auth.username': user,
    'node.session.auth.password': password,
  });
  const guardedPod = (name: string) =>
    pod(name, { data: iscsiSource({ iqn: guarded, lun: 1, more: `chapAuthSession: true, ${secretRef}` }) });

  it('waits for its Secret, is refused with a wrong one, goes on with the right one, and tells it to nobody', async () => {
    const argv = new ArgvWatch();
    daemon.apply('pod.yaml', guardedPod('p'));
    await daemon.condition('p', /Secret "default\/chap" is in no manifest/);
    daemon.apply('secret.yaml', chapSecret('chap', keys(account.user, 'wrong-horse-99')));
    await daemon.condition('p', /refused the CHAP name or password/);
    daemon.apply('secret.yaml', chapSecret('chap', keys(account.user, account.password)));
    await daemon.mounted('p');
    const yaml = await Promise.all(
      ['pods', 'volumes', 'dsw', 'asw', 'manifests', 'events', 'operations'].map((kind) =>
        daemon.ctl('get', kind, '-o', 'yaml'),
      ),
    );
    const told = [daemon.log, ...yaml.map(({ stdout }) => stdout), ...texts(daemon.stateDir), ...texts(daemon.runDir)];
    expect(told.join('\n')).not.toMatch(/correct-horse|wrong-horse/);
    expect(argv.stop()).not.toMatch(/correct-horse|wrong-horse|moored-user/);
    expect(argv.seen).toContain('--login');
    expect(recordsOf(guarded).map((path) => statSync(path).mode & 0o077)).toEqual([0]);
    daemon.remove('pod.yaml');
    await eventually(() => recordsOf(guarded).length === 0 || 'open-iscsi keeps the record with the password');
  });

  it('is refused without one', async () => {
    daemon.apply('pod.yaml', pod('p', { data: iscsiSource({ iqn: guarded, lun: 1 }) }));
    await daemon.condition('p', /refused the CHAP name or password/);
  });

  it('is asked for in the discovery too, and the record of that is gone at once', async () => {
    target.requireDiscoveryAccount(discoveryAccount);
    try {
      daemon.apply(
        'pod.yaml',
        pod('p', { data: iscsiSource({ iqn: hidden, lun: 1, more: `chapAuthDiscovery: true, ${secretRef}` }) }),
      );
      const discovery = (password: string) => ({
        'discovery.sendtargets.auth.username': discoveryAccount.user,
        'discovery.sendtargets.auth.password': password,
      });
      daemon.apply('secret.yaml', chapSecret('chap', discovery('wrong-staple-77')));
      await daemon.condition('p', /Cannot discover.*refused the CHAP name or password/);
      daemon.apply('secret.yaml', chapSecret('chap', discovery(discoveryAccount.password)));
      await daemon.mounted('p');
      expect(['/etc/iscsi/send_targets', '/var/lib/iscsi/send_targets'].flatMap(texts).join('')).not.toContain(
        'staple',
      );
      expect(daemon.log).not.toMatch(/battery-staple|wrong-staple/);
    } finally {
      target.forgetDiscoveryAccount();
    }
  });
});

/** Reads the argument lists of all processes, again and again. */
class ArgvWatch {
  seen = '';
  #isOn = true;
  readonly #loop = this.#run();

  async #run(): Promise<void> {
    while (this.#isOn) {
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
        try {
          const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
          if (line.includes('iscsi') && !this.seen.includes(line)) this.seen += `${line}\n`;
        } catch {
          // It has ended.
        }
      }
      await sleep(2);
    }
  }

  stop(): string {
    this.#isOn = false;
    void this.#loop;
    return this.seen;
  }
}

/** All files below a directory, as text. */
function texts(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
}

function recordsIn(directory: string): readonly string[] {
  return ['/etc/iscsi', '/var/lib/iscsi']
    .map((root) => join(root, directory))
    .filter((path) => existsSync(path))
    .flatMap((path) => readdirSync(path, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

function recordsOf(iqn: string): readonly string[] {
  return recordsIn(join('nodes', iqn));
}

function firstBytes(path: string, offset: number): Buffer {
  const fd = openSync(path, 'r');
  const bytes = Buffer.alloc(65_536);
  readSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
  return bytes;
}
