/** What is left on a machine and belongs to nobody: listed, and put away only when somebody says so. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GcReply, OrphansReply } from '../daemon/control/protocol.ts';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { loopsOn, mountsAt, run } from './support/kernel-facts.ts';
import { web } from './support/manifests.ts';

let daemon: DaemonProcess;

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  await daemon.dispose();
});

async function orphans(): Promise<OrphansReply> {
  const { code, stdout, stderr } = await daemon.ctl('orphans', '-o', 'json');
  if (code !== 0) throw new Error(`moorctl orphans: ${stderr}`);
  return JSON.parse(stdout) as OrphansReply;
}

async function found(): Promise<readonly string[]> {
  return (await orphans()).orphans.map(({ kind, path }) => `${kind} ${path.replace(`${daemon.rootDir}/`, '')}`);
}

async function gc(...args: readonly string[]): Promise<GcReply & { readonly code: number | null }> {
  const { code, stdout } = await daemon.ctl('gc', ...args, '-o', 'json');
  return { ...(JSON.parse(stdout) as GcReply), code };
}

/** An image as moored makes it, of a claim that nobody knows. */
function lostImage(name: string): string {
  const path = join(daemon.rootDir, 'images/default', name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'data');
  truncateSync(path, 1 << 20);
  const identity = { apiVersion: 'moored.dev/v1', driver: 'loop.moored.dev', volumeHandle: `handle-${name}` };
  const claim = { namespace: 'default', name: 'lost', uid: `uid-${name}` };
  writeFileSync(`${path}.json`, JSON.stringify({ ...identity, claim, sizeBytes: `${1 << 20}`, fsType: 'ext4' }));
  return path;
}

describe('of a machine that is in use', () => {
  it('nothing is an orphan, before, while and after volumes are there', async () => {
    expect(await found()).toEqual([]);
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    expect(await found()).toEqual([]);
    daemon.remove('web.yaml');
    await daemon.unmounted('web');
    await daemon.gone();
    expect(await found()).toEqual([]);
  });
});

describe('directories', () => {
  it('of unknown pods and volumes are put aside whole, and later removed by rmdir alone', async () => {
    const pod = join(daemon.rootDir, 'pods/uid-old');
    const volume = join(daemon.rootDir, 'plugins/kubernetes.io/csi/loop.moored.dev', 'a'.repeat(64));
    const sealed = join(daemon.rootDir, 'plugins/kubernetes.io/iscsi/iface-x/portal-lun-0');
    mkdirSync(join(pod, 'volumes/kubernetes.io~csi/data/mount'), { recursive: true });
    mkdirSync(join(volume, 'globalmount'), { recursive: true });
    mkdirSync(sealed, { recursive: true });
    run('/usr/bin/chmod', '0000', sealed, join(volume, 'globalmount'));
    run('/usr/bin/chattr', '+i', sealed, join(volume, 'globalmount'));
    expect(await found()).toEqual([
      'PodDirectory pods/uid-old',
      `GlobalMount plugins/kubernetes.io/csi/loop.moored.dev/${'a'.repeat(64)}`,
      'GlobalMount plugins/kubernetes.io/iscsi/iface-x/portal-lun-0',
    ]);
    expect((await gc()).results.map(({ state }) => state)).toEqual(['planned', 'planned', 'planned']);
    expect(existsSync(pod)).toBe(true);
    expect((await gc('--yes', '--all')).results.map(({ state }) => state)).toEqual(['done', 'done', 'done']);
    expect([pod, volume, sealed].filter((path) => existsSync(path))).toEqual([]);
    const quarantine = join(daemon.rootDir, 'quarantine');
    expect(readdirSync(quarantine)).toHaveLength(3);
    // Too young: nothing happens, and that is no failure.
    expect(await gc('--yes', '--all')).toMatchObject({
      code: 0,
      results: [{ state: 'kept' }, { state: 'kept' }, { state: 'kept' }],
    });
    expect((await gc('--yes', '--all', '--older-than', '0')).results.map(({ state }) => state)).toEqual(
      Array(3).fill('done'),
    );
    expect(readdirSync(quarantine)).toEqual([]);
  });

  it('with files in them keep them, in the quarantine too', async () => {
    const pod = join(daemon.rootDir, 'pods/uid-old');
    mkdirSync(join(pod, 'volumes/x'), { recursive: true });
    writeFileSync(join(pod, 'volumes/x/precious'), 'data');
    expect((await gc('--yes', pod)).code).toBe(0);
    const [name = ''] = readdirSync(join(daemon.rootDir, 'quarantine'));
    const aside = join(daemon.rootDir, 'quarantine', name);
    const second = await gc('--yes', aside, '--older-than', '0');
    expect(second).toMatchObject({
      code: 1,
      results: [{ state: 'kept', message: expect.stringContaining('precious') }],
    });
    expect(readFileSync(join(aside, 'volumes/x/precious'), 'utf8')).toBe('data');
  });

  it('on or below which something is mounted are left alone, and the mount is listed', async () => {
    const mount = join(daemon.rootDir, 'pods/uid-old/volumes/x/mount');
    mkdirSync(mount, { recursive: true });
    run('/usr/bin/mount', '-t', 'tmpfs', 'theirs', mount);
    writeFileSync(join(mount, 'precious'), 'data');
    try {
      expect(await found()).toEqual(['Mount pods/uid-old/volumes/x/mount', 'PodDirectory pods/uid-old']);
      const named = await gc('--yes', mount, join(daemon.rootDir, 'pods/uid-old'));
      expect(named).toMatchObject({ code: 1, results: [{ state: 'kept' }, { state: 'kept' }] });
      expect(mountsAt(mount)).toHaveLength(1);
    } finally {
      run('/usr/bin/umount', mount);
    }
  });

  it('a link that lies where a directory belongs is not followed', async () => {
    const outside = join(daemon.base, 'outside');
    mkdirSync(join(outside, 'globalmount'), { recursive: true });
    mkdirSync(join(daemon.rootDir, 'pods'), { recursive: true });
    mkdirSync(join(daemon.rootDir, 'plugins'), { recursive: true });
    symlinkSync(outside, join(daemon.rootDir, 'pods/uid-link'));
    symlinkSync(outside, join(daemon.rootDir, 'plugins/link'));
    symlinkSync(outside, join(daemon.rootDir, 'images'));
    const { orphans: listed, incomplete } = await orphans();
    expect(listed).toEqual([]);
    expect(incomplete.join()).toContain('/images"');
    expect(await daemon.ctl('gc', '--yes', join(daemon.rootDir, 'pods/uid-link'))).toMatchObject({ code: 3 });
    expect(existsSync(join(outside, 'globalmount'))).toBe(true);
    run('/usr/bin/unlink', join(daemon.rootDir, 'images'));
  });
});

describe('images and loop devices', () => {
  it('an image of nobody goes to the trash with its sidecar, and from there only when it is due', async () => {
    const path = lostImage('lost-1.img');
    expect(await found()).toEqual(['Image images/default/lost-1.img']);
    expect(await gc('--yes', path)).toMatchObject({ code: 0, results: [{ action: 'trash', state: 'done' }] });
    const trash = join(dirname(path), '.trash');
    const [image = '', sidecar = ''] = readdirSync(trash).sort();
    expect(sidecar).toBe(`${image}.json`);
    expect(readFileSync(join(trash, image), 'utf8').slice(0, 4)).toBe('data');
    expect(await gc('--yes', join(trash, image))).toMatchObject({ code: 1, results: [{ state: 'kept' }] });
    // By the time in its name: eight days ago.
    const old = new Date(Date.now() - 8 * 86_400_000).toISOString().replaceAll(/[-:]/g, '');
    renameSync(join(trash, image), join(trash, `lost-1.img.${old}`));
    renameSync(join(trash, sidecar), join(trash, `lost-1.img.${old}.json`));
    expect(await gc('--yes', '--all')).toMatchObject({ results: [{ action: 'purge', state: 'done' }] });
    expect(readdirSync(trash)).toEqual([]);
  });

  it('what has no sidecar of moored is named and never moved', async () => {
    const path = join(daemon.rootDir, 'images/default/mine.img');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'mine');
    expect((await orphans()).orphans).toMatchObject([{ path, action: 'none', obstacle: 'moored did not make it' }]);
    expect((await gc('--yes', '--all')).results).toEqual([]);
    expect((await gc('--yes', path)).code).toBe(1);
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it('a loop device that nobody knows is detached, but not while it is mounted; the image waits for it', async () => {
    const path = lostImage('lost-2.img');
    run('/usr/sbin/mkfs.ext4', '-q', '-F', path);
    run('/usr/sbin/losetup', '--find', path);
    const [device = ''] = loopsOn(path);
    const mount = join(daemon.base, 'mnt');
    mkdirSync(mount);
    run('/usr/bin/mount', device, mount);
    try {
      expect(await gc('--yes', '--all')).toMatchObject({
        results: [
          { path: device, state: 'kept', message: 'it is mounted' },
          { path, state: 'kept', message: `${device} is on it` },
        ],
      });
    } finally {
      run('/usr/bin/umount', mount);
    }
    expect((await gc('--yes', device)).results).toMatchObject([{ state: 'done' }]);
    await eventually(() => loopsOn(path).length === 0 || 'still attached');
    expect((await gc('--yes', path)).results).toMatchObject([{ state: 'done' }]);
  });

  it('an unfinished sidecar goes through the quarantine', async () => {
    const path = join(daemon.rootDir, 'images/default/.x.img.tmp');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '{"apiVersion": "moo');
    expect(await found()).toEqual(['TemporaryFile images/default/.x.img.tmp']);
    expect((await gc('--yes', path)).code).toBe(0);
    expect(existsSync(path)).toBe(false);
    expect((await gc('--yes', '--all', '--older-than', '0')).results).toMatchObject([{ state: 'done' }]);
    expect(readdirSync(join(daemon.rootDir, 'quarantine'))).toEqual([]);
  });
});

describe('while something is not understood', () => {
  it('gc holds still and says why; after it is mended, it acts', async () => {
    const pod = join(daemon.rootDir, 'pods/uid-old');
    mkdirSync(pod, { recursive: true });
    daemon.apply('bad.yaml', 'apiVersion: v1\nkind: Pod\nmetadata: { name: 3 }\n');
    await eventually(async () => (await orphans()).held !== '' || 'not held');
    const { code, stdout, stderr } = await daemon.ctl('gc', '--yes', '--all');
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining('kept') });
    expect(stderr).toContain('"bad.yaml" is not understood');
    expect(existsSync(pod)).toBe(true);
    daemon.remove('bad.yaml');
    await eventually(async () => (await orphans()).held === '' || 'still held');
    expect((await gc('--yes', '--all')).results).toMatchObject([{ state: 'done' }]);
  });

  it('nor does it act while a claim of a pod is not bound', async () => {
    mkdirSync(join(daemon.rootDir, 'pods/uid-old'), { recursive: true });
    daemon.apply('web.yaml', web().replace('provisioner: loop.moored.dev', 'provisioner: example.org/none'));
    await daemon.condition('web', /claim "data" is Pending/);
    expect((await gc('--yes', '--all')).held).toContain('claim "data" is Pending');
    daemon.remove('web.yaml');
    await daemon.gone();
  });
});
