/** Other people's umounts and mounts, and manifests and images that are not what they should be. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ManifestFile } from '../daemon/control/protocol.ts';
import { processesWith } from './host/real-processes.ts';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { mountsAt, mountsBelow, run } from './support/kernel-facts.ts';
import { claim, claimVolume, documents, pod, storageClass, web } from './support/manifests.ts';

let daemon: DaemonProcess;

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  await daemon.dispose();
});

describe('drift', () => {
  it('an outside umount of a pod’s mount is repaired and reported', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    const path = await daemon.path('web', 'data');
    writeFileSync(join(path, 'file'), 'kept');
    run('/usr/bin/umount', path);
    await daemon.event('VolumeMountLost');
    await eventually(() => mountsAt(path).length === 1 || 'not mounted');
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('kept');
  });

  it('an outside umount of the global mount too, and of a tmpfs', async () => {
    daemon.apply('web.yaml', web());
    daemon.apply('m.yaml', pod('m', { scratch: 'emptyDir: { medium: Memory }' }));
    await Promise.all([daemon.mounted('web'), daemon.mounted('m')]);
    const [volume] = (await daemon.asw()).filter(({ globalMountPath }) => globalMountPath !== '');
    const global = volume?.globalMountPath ?? '';
    const memory = await daemon.path('m', 'scratch');
    run('/usr/bin/umount', global);
    run('/usr/bin/umount', memory);
    await eventually(() => (mountsAt(global).length === 1 && mountsAt(memory).length === 1) || 'not mounted');
    expect(mountsAt(await daemon.path('web', 'data'))).toHaveLength(1);
  });

  it('a remount read-only is put right', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    const path = await daemon.path('web', 'data');
    run('/usr/bin/mount', '-o', 'remount,bind,ro', path);
    await daemon.event('VolumeMountChanged');
    await eventually(() => mountsAt(path)[0]?.options.includes('rw') === true || 'still ro');
    expect(mountsAt(path)[0]?.options).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
  });

  it('somebody else’s mount over ours is reported and never touched; its end ends the report', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    const path = await daemon.path('web', 'data');
    run('/usr/bin/mount', '-t', 'tmpfs', 'theirs', path);
    await daemon.event('ForeignMount');
    expect((await daemon.pod('web')).status.phase).toBe('Pending');
    daemon.remove('web.yaml');
    await daemon.event('FailedUnmount');
    expect(mountsAt(path).map(({ source }) => source)).toContain('theirs');
    run('/usr/bin/umount', path);
    await daemon.unmounted('web');
  });

  it('somebody else’s mount on a target before us: nothing is mounted over it', async () => {
    daemon.apply('m.yaml', pod('m', { scratch: 'emptyDir: { medium: Memory }' }));
    await daemon.mounted('m');
    const path = await daemon.path('m', 'scratch');
    await daemon.kill('SIGKILL');
    run('/usr/bin/umount', path);
    run('/usr/bin/mount', '--bind', daemon.base, path);
    await daemon.start();
    await daemon.condition('m', /Cannot use ".*": .* is mounted there, and not by moored/);
    expect(mountsAt(path)).toHaveLength(1);
    run('/usr/bin/umount', path);
    await daemon.mounted('m');
  });

  it('a target with files in it is not mounted over', async () => {
    daemon.apply('m.yaml', pod('m', { scratch: 'emptyDir: { medium: Memory }' }));
    await daemon.mounted('m');
    const path = await daemon.path('m', 'scratch');
    await daemon.kill('SIGKILL');
    run('/usr/bin/umount', path);
    run('/usr/bin/chattr', '-i', path);
    writeFileSync(join(path, 'precious'), 'written while nothing was mounted');
    await daemon.start();
    await daemon.condition('m', /it has entries, e.g. "precious"/);
    expect(readFileSync(join(path, 'precious'), 'utf8')).toContain('written');
    renameSync(join(path, 'precious'), join(daemon.base, 'precious'));
    await daemon.mounted('m');
  });

  it('an unmounted target is sealed: nobody can write below the mount', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    const path = await daemon.path('web', 'data');
    await daemon.kill('SIGKILL');
    run('/usr/bin/umount', path);
    expect(statSync(path).mode & 0o7777).toBe(0);
    expect(() => writeFileSync(join(path, 'x'), '')).toThrow(/EPERM/);
    await daemon.start();
    await daemon.mounted('web');
  });
});

describe('bad input', () => {
  async function manifest(name: string): Promise<ManifestFile | undefined> {
    const { manifests } = await daemon.json<{ manifests: readonly ManifestFile[] }>('manifests');
    return manifests.find((file) => file.name === name);
  }

  async function refused(name: string, text: string, why: RegExp): Promise<void> {
    daemon.apply(name, text);
    await eventually(async () => {
      const problems = (await manifest(name))?.problems ?? [];
      return problems.some(({ message, path }) => why.test(`${path ?? ''}: ${message}`)) || JSON.stringify(problems);
    });
  }

  it.each([
    ['a pod named ../../etc', pod('"../../etc"', { a: 'emptyDir: {}' })],
    ['a volume named ../escape', pod('p', { '"../escape"': 'emptyDir: {}' })],
    ['a claim named a/b', claim('"a/b"')],
    ['a namespace of ..', pod('p', { a: 'emptyDir: {}' }).replace('{ name: p }', '{ name: p, namespace: ".." }')],
    ['a claimName of ../x', pod('p', { a: claimVolume('"../x"') })],
  ])('%s is refused by name', async (_what, text) => {
    await refused('bad.yaml', text, /name/i);
    expect(mountsBelow(daemon.rootDir)).toEqual([]);
  });

  it('a symlinked manifest is refused', async () => {
    const outside = join(daemon.base, 'outside.yaml');
    writeFileSync(outside, pod('p', { a: 'emptyDir: { medium: Memory }' }));
    symlinkSync(outside, join(daemon.manifestDir, 'link.yaml'));
    await eventually(
      async () =>
        ((await manifest('link.yaml'))?.problems ?? []).some(({ message }) => /symlink|symbolic/i.test(message)) ||
        'no problem',
    );
    expect(mountsBelow(daemon.rootDir)).toEqual([]);
  });

  it('a YAML bomb of 2 MB is refused and the daemon goes on', async () => {
    daemon.apply('bomb.yaml', `a: &a [${'x,'.repeat(1_000_000)}]\n`);
    await eventually(async () => (await manifest('bomb.yaml'))?.state === 'bad' || 'not refused');
    daemon.apply('m.yaml', pod('m', { scratch: 'emptyDir: { medium: Memory }' }));
    await daemon.mounted('m');
  });

  it('an object in two files: the first keeps it, the second is a Conflict', async () => {
    daemon.apply('a.yaml', pod('p', { a: 'emptyDir: { medium: Memory, sizeLimit: 1Mi }' }));
    await daemon.mounted('p');
    await refused('b.yaml', pod('p', { a: 'emptyDir: { medium: Memory, sizeLimit: 2Mi }' }), /declared in "a.yaml"/);
    expect(mountsAt(await daemon.path('p', 'a'))).toHaveLength(1);
    daemon.remove('b.yaml');
    await eventually(async () => (await manifest('b.yaml')) === undefined || 'b.yaml is still listed');
    await daemon.mounted('p');
  });

  it('a file that turns bad leaves what it declared', async () => {
    daemon.apply('web.yaml', web());
    await daemon.mounted('web');
    const before = mountsBelow(daemon.rootDir).map(({ line }) => line);
    daemon.apply('web.yaml', web().replace('claimName: data', 'claimNam: data'));
    await eventually(async () => (await manifest('web.yaml'))?.state === 'bad' || 'not refused');
    const problems = (await manifest('web.yaml'))?.problems ?? [];
    const unknown = problems.find(({ message }) => message.includes('did you mean "claimName"'));
    expect(unknown).toMatchObject({ document: 3, file: 'web.yaml', path: expect.stringContaining('claimNam') });
    expect(mountsBelow(daemon.rootDir).map(({ line }) => line)).toEqual(before);
    expect((await daemon.pod('web')).status.phase).toBe('Ready');
  });

  it('a claim larger than the free space stays Pending with the figures', async () => {
    daemon.apply(
      'web.yaml',
      documents(storageClass('fast'), claim('data', { size: '900Ti' }), pod('web', { data: claimVolume('data') })),
    );
    await eventually(async () => {
      const event = (await daemon.events()).find(({ reason }) => reason === 'ProvisioningFailed');
      return (event !== undefined && /free/.test(event.message)) || 'no event';
    });
    const { stdout } = await daemon.ctl('explain', 'pvc/data');
    expect(stdout).toMatch(/Pending/);
    expect(stdout).toMatch(/free/);
    daemon.remove('web.yaml');
    await daemon.gone();
  });

  it('a missing class is named', async () => {
    daemon.apply(
      'web.yaml',
      documents(claim('data', { storageClass: 'nowhere' }), pod('web', { data: claimVolume('data') })),
    );
    await daemon.condition('web', /claim "data" is Pending/);
    expect((await daemon.ctl('explain', 'pod/web')).stdout).toMatch(/"nowhere" not found/);
    const { code, stderr } = await daemon.ctl('wait', 'pod/web', '--for=mounted', '--timeout', '3s');
    expect(code).toBe(1);
    // It may come: that is waited for.
    expect(stderr).toMatch(/timed out after 3s: data: .*"nowhere" not found/);
    expect(stderr).toContain('    -> is the class there, and right? moorctl get sc\n');
    daemon.apply('class.yaml', storageClass('nowhere'));
    await daemon.mounted('web');
  });

  it('what only a change mends ends a wait, with what to do; once it is mended, a wait that begins at once goes on', async () => {
    daemon.apply('web.yaml', pod('web', { data: 'csi: { driver: ebs.example.org }' }));
    await daemon.condition('web', /ebs\.example\.org/);
    const { code, stderr } = await daemon.ctl('wait', 'pod/web', '--timeout', '10m');
    expect(code).toBe(1);
    expect(stderr).toContain(
      'waiting will not mend it: data: Cannot resolve volume "data": no plugin supports CSI driver',
    );
    expect(stderr).toMatch(
      /^ {2}volume "data" Pending \(VolumeNotResolved\): .*ebs\.example\.org"\n {4}-> moorctl doctor$/m,
    );
    const event = (await daemon.events()).find(({ reason }) => reason === 'VolumeNotResolved');
    expect(event).toMatchObject({
      type: 'Warning',
      regarding: 'Pod/default/web',
      help: expect.stringContaining('mend'),
    });
    const described = await daemon.ctl('describe', 'pod', 'web');
    expect(described.stdout).toMatch(/^What To Do:\n.*\n {2}volume data +VolumeNotResolved +moorctl doctor$/m);

    daemon.apply('web.yaml', pod('web', { data: 'emptyDir: { medium: Memory }' }));
    expect(await daemon.ctl('wait', 'pod/web', '--timeout', '1m')).toMatchObject({
      code: 0,
      stdout: 'pod/web mounted\n',
    });
  });

  it('mkfs that fails is reported with its words, and nothing is left', async () => {
    const small = 'csi: { driver: loop.moored.dev, volumeAttributes: { size: 16Mi, fsType: xfs } }';
    daemon.apply('i.yaml', pod('i', { cache: small }));
    await daemon.condition('i', /xfs/);
    daemon.remove('i.yaml');
    await daemon.unmounted('i');
    await daemon.gone();
  });

  it('a mkfs that hangs holds up nothing else, and is ended when its pod goes', async () => {
    const hanging = join(daemon.base, 'hanging-mkfs');
    // Known by its argument: where tools are confined to their device, it can write nothing to be known by.
    const seconds = String(600_000 + process.pid);
    const hangs = () => processesWith(seconds).length > 0;
    writeFileSync(hanging, `#!/bin/sh\nexec sleep ${seconds}\n`);
    chmodSync(hanging, 0o755);
    run('/usr/bin/mount', '--bind', hanging, '/usr/sbin/mkfs.ext4');
    try {
      daemon.apply('web.yaml', web());
      await eventually(() => hangs() || 'mkfs has not begun');
      daemon.apply('m.yaml', pod('m', { scratch: 'emptyDir: { medium: Memory }' }));
      await daemon.mounted('m');
      daemon.remove('web.yaml');
      await daemon.unmounted('web');
      await eventually(async () => (await daemon.asw()).length === 1 || 'the volume is still there');
      expect(hangs()).toBe(false);
    } finally {
      run('/usr/bin/umount', '/usr/sbin/mkfs.ext4');
    }
  });

  it('an image that is missing, and one that is cut off, are errors of their own pod only', async () => {
    daemon.apply('m.yaml', pod('m', { scratch: 'emptyDir: { medium: Memory }' }));
    daemon.apply('web.yaml', web());
    await Promise.all([daemon.mounted('m'), daemon.mounted('web')]);
    const [volume] = (await daemon.asw()).filter(({ devicePath }) => devicePath !== '');
    const image = readFileSync(`/sys/block/${volume?.devicePath.slice(5)}/loop/backing_file`, 'utf8').trim();
    daemon.remove('web.yaml');
    await daemon.unmounted('web');
    await eventually(async () => (await daemon.asw()).length === 1 || 'not detached');
    renameSync(image, `${image}.away`);
    daemon.apply('web.yaml', web());
    await daemon.condition('web', /no such file|not found|does not exist/i);
    expect(existsSync(image)).toBe(false);
    renameSync(`${image}.away`, image);
    daemon.remove('web.yaml');
    await daemon.unmounted('web');
    await eventually(async () => (await daemon.asw()).length === 1 || 'not detached');
    const { size } = statSync(image);
    truncateSync(image, 4096);
    daemon.apply('web.yaml', web());
    await daemon.condition('web', /Cannot/);
    expect(statSync(image).size).toBe(4096);
    truncateSync(image, size);
    expect((await daemon.pod('m')).status.phase).toBe('Ready');
    daemon.remove('web.yaml');
    await daemon.unmounted('web');
  });

  it('a busy mount is not forced: it waits and says who is asked to let go', async () => {
    daemon.apply('m.yaml', pod('m', { scratch: 'emptyDir: { medium: Memory }' }));
    await daemon.mounted('m');
    const path = await daemon.path('m', 'scratch');
    mkdirSync(join(path, 'in-use'));
    const holder = spawn('/bin/sleep', ['60'], { cwd: join(path, 'in-use') });
    try {
      daemon.remove('m.yaml');
      await daemon.event('FailedUnmount');
      expect(mountsAt(path)).toHaveLength(1);
    } finally {
      holder.kill();
    }
    await daemon.unmounted('m');
  });
});
