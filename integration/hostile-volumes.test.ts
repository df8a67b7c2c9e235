/** Images and devices that somebody prepared, damaged, cloned or cut while they are in use: never formatted, always named. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { filesystemUuid, loopsOn, mountsAt, mountsBelow, run } from './support/kernel-facts.ts';
import { claim, claimVolume, documents, pod, staticVolume } from './support/manifests.ts';

const mebibyte = 2 ** 20;
let daemon: DaemonProcess;

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  await daemon.dispose();
});

function image(name: string, mebibytes: number, ...mkfs: readonly string[]): string {
  const path = join(daemon.base, `${name}.img`);
  writeFileSync(path, '');
  truncateSync(path, mebibytes * mebibyte);
  const [tool, ...args] = mkfs;
  if (tool !== undefined) run(`/usr/sbin/${tool}`, ...args, path);
  return path;
}

/** A pod with one claim, bound to a volume on this path; all three named alike. */
function use(
  name: string,
  path: string,
  options: { readonly fsType?: string; readonly mountOptions?: string } = {},
): void {
  const { fsType = 'ext4', mountOptions } = options;
  const lines = mountOptions === undefined ? [] : [`  mountOptions: ${mountOptions}`];
  daemon.apply(
    `${name}.yaml`,
    documents(
      staticVolume(name, path, { fsType, lines }),
      claim(name, { storageClass: '', volumeName: name }),
      pod(name, { data: claimVolume(name) }),
    ),
  );
}

function writeBytes(path: string, offset: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, offset);
  closeSync(fd);
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Another pod, which nothing of all this concerns. */
async function bystander(): Promise<void> {
  daemon.apply('by.yaml', pod('by', { scratch: 'emptyDir: { medium: Memory }' }));
  await daemon.mounted('by');
}

describe('a damaged filesystem', () => {
  const damages: Readonly<Record<string, (path: string) => void>> = {
    'no-superblock': (path) => writeBytes(path, 1024, Buffer.alloc(1024)),
    'four-billion-inodes': (path) => writeBytes(path, 1024, Buffer.from('ffffffff', 'hex')),
    'a-block-size-of-2-to-the-255': (path) => writeBytes(path, 1024 + 24, Buffer.from('ff000000', 'hex')),
    'features-from-the-future': (path) => writeBytes(path, 1024 + 96, Buffer.from('ffffffff', 'hex')),
    'a-size-beyond-its-device': (path) => writeBytes(path, 1024 + 4, Buffer.from('ffffff7f', 'hex')),
  };

  it('ext4 with a hostile superblock is reported, and not one byte of it is written', async () => {
    const digests = new Map<string, string>();
    for (const [name, damage] of Object.entries(damages)) {
      const path = image(name, 64, 'mkfs.ext4', '-q', '-b', '4096');
      damage(path);
      digests.set(path, digest(path));
      use(name, path);
    }
    for (const name of Object.keys(damages)) await daemon.condition(name, /Cannot (use|check|mount|tell|read)/);
    expect(new Map([...digests.keys()].map((path) => [path, digest(path)]))).toEqual(digests);
    expect((await daemon.events()).map(({ reason }) => reason)).toContain('FailedMount');
    await bystander();
  });

  it('ext4 with a journal of noise is never formatted: its uuid and its files stay', async () => {
    const path = image('data', 64, 'mkfs.ext4', '-q');
    const source = join(daemon.base, 'precious');
    writeFileSync(source, 'precious');
    run('/usr/sbin/debugfs', '-w', '-R', `write ${source} precious`, path);
    const uuid = filesystemUuid(path);
    const [first = ''] = run('/usr/sbin/debugfs', '-R', 'blocks <8>', path).trim().split(' ');
    const blockSize = Number(/Block size:\s+(\d+)/.exec(run('/usr/sbin/dumpe2fs', '-h', path))?.[1]);
    writeBytes(path, Number(first) * blockSize, Buffer.alloc(4096, 0x5a));
    use('data', path);
    // Mended by e2fsck -p or refused by it: what is certain is that the data is there.
    await eventually(async () => {
      const found = await daemon.pod('data').catch(() => undefined);
      const condition = found?.status.conditions[0];
      return condition?.status === 'True' || /Cannot/.test(condition?.message ?? '') || 'neither ready nor refused';
    });
    daemon.remove('data.yaml');
    await daemon.unmounted('data');
    await eventually(() => loopsOn(path).length === 0 || 'attached');
    expect(filesystemUuid(path)).toBe(uuid);
    expect(run('/usr/sbin/debugfs', '-R', 'cat precious', path)).toBe('precious');
  });

  it('ext4 with group descriptors of noise is checked, refused and never formatted', async () => {
    const path = image('data', 64, 'mkfs.ext4', '-q', '-b', '4096');
    const uuid = filesystemUuid(path);
    writeBytes(path, 4096, Buffer.alloc(4096, 0xa5));
    use('data', path);
    await daemon.condition('data', /Cannot check/);
    expect(filesystemUuid(path)).toBe(uuid);
  });

  it('xfs with a damaged log is refused at its mount and stays as it is', async () => {
    const path = image('data', 320, 'mkfs.xfs', '-q');
    const uuid = filesystemUuid(path);
    const geometry = run(
      '/usr/sbin/xfs_db',
      '-r',
      '-c',
      'sb 0',
      '-c',
      'print blocksize logstart agblocks agblklog',
      path,
    );
    const value = (name: string) => Number(new RegExp(`^${name} = (\\d+)`, 'm').exec(geometry)?.[1]);
    const start = value('logstart');
    const [group, block] = [Math.floor(start / 2 ** value('agblklog')), start % 2 ** value('agblklog')];
    writeBytes(path, (group * value('agblocks') + block) * value('blocksize'), Buffer.alloc(65_536, 0x5a));
    use('data', path, { fsType: 'xfs' });
    await daemon.condition('data', /Cannot mount/);
    expect(filesystemUuid(path)).toBe(uuid);
    await bystander();
  });

  it('what is in an image runs and opens nothing of the host: nosuid and nodev, on every mount of it', async () => {
    const path = image('data', 64, 'mkfs.ext4', '-q');
    run('/usr/sbin/debugfs', '-w', '-R', 'mknod disk b 7 0', path);
    run('/usr/sbin/debugfs', '-w', '-R', 'mknod null c 1 3', path);
    use('data', path);
    await daemon.mounted('data');
    const target = await daemon.path('data', 'data');
    expect(() => openSync(join(target, 'null'), 'r')).toThrow(/EACCES/);
    const ours = mountsBelow(daemon.rootDir);
    expect(ours.length).toBe(2);
    for (const { options } of ours) expect(options).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
  });
});

describe('two volumes with one uuid', () => {
  it('xfs: the kernel refuses the clone, the first is not disturbed, and nouuid is the way', async () => {
    const path = image('one', 320, 'mkfs.xfs', '-q');
    const clone = join(daemon.base, 'two.img');
    copyFileSync(path, clone);
    use('one', path, { fsType: 'xfs' });
    await daemon.mounted('one');
    const first = mountsAt(await daemon.path('one', 'data'))[0]?.device;
    use('two', clone, { fsType: 'xfs' });
    await daemon.condition('two', /it is a copy of "\/dev\/loop\d+", which is mounted: both have the UUID/);
    expect(mountsAt(await daemon.path('one', 'data'))[0]?.device).toBe(first);
    daemon.remove('two.yaml');
    await daemon.unmounted('two');
    await eventually(() => loopsOn(clone).length === 0 || 'attached');
    use('twin', clone, { fsType: 'xfs', mountOptions: '[nouuid]' });
    await daemon.mounted('twin');
    expect(mountsAt(await daemon.path('twin', 'data'))[0]?.device).not.toBe(first);
  });

  it('ext4: each pod sees its own, whatever their uuids say', async () => {
    const path = image('one', 64, 'mkfs.ext4', '-q');
    const clone = join(daemon.base, 'two.img');
    copyFileSync(path, clone);
    use('one', path);
    use('two', clone);
    await Promise.all([daemon.mounted('one'), daemon.mounted('two')]);
    const [one, two] = [await daemon.path('one', 'data'), await daemon.path('two', 'data')];
    writeFileSync(join(one, 'who'), 'one');
    writeFileSync(join(two, 'who'), 'two');
    expect([one, two].map((target) => readFileSync(join(target, 'who'), 'utf8'))).toEqual(['one', 'two']);
    expect(mountsAt(one)[0]?.device).not.toBe(mountsAt(two)[0]?.device);
  });

  it('btrfs: a clone is never taken for the other', async () => {
    const path = image('one', 128, 'mkfs.btrfs', '-q');
    const clone = join(daemon.base, 'two.img');
    copyFileSync(path, clone);
    use('one', path, { fsType: 'btrfs' });
    await daemon.mounted('one');
    const one = await daemon.path('one', 'data');
    writeFileSync(join(one, 'who'), 'one');
    use('two', clone, { fsType: 'btrfs' });
    // Refused by the kernel, refused by us because the mount is of the other device, or (6.7 and later) one of its own.
    await eventually(async () => {
      const condition = (await daemon.pod('two').catch(() => undefined))?.status.conditions[0];
      return condition?.status === 'True' || /Cannot/.test(condition?.message ?? '') || 'neither ready nor refused';
    });
    const { conditions } = (await daemon.pod('two')).status;
    if (conditions[0]?.status === 'True') {
      const two = await daemon.path('two', 'data');
      expect(mountsAt(two)[0]?.source).toBe(loopsOn(clone)[0]);
      expect(() => readFileSync(join(two, 'who'))).toThrow(/ENOENT/);
    }
    expect(readFileSync(join(one, 'who'), 'utf8')).toBe('one');
  });
});

describe('a path that is not an image', () => {
  it('is refused by what it is, and nothing waits for it', async () => {
    const real = image('real', 64, 'mkfs.ext4', '-q');
    const before = digest(real);
    const at = (name: string) => join(daemon.base, `${name}.img`);
    symlinkSync(real, at('link'));
    symlinkSync(daemon.base, join(daemon.base, 'directory-link'));
    run('/usr/bin/mkfifo', at('fifo'));
    mkdirSync(at('directory'));
    run('/usr/bin/mknod', at('node'), 'b', '7', '0');
    writeFileSync(at('empty'), '');
    const odd: readonly (readonly [name: string, path: string, message: RegExp])[] = [
      ['link', at('link'), /symlink/],
      ['below-a-link', join(daemon.base, 'directory-link/real.img'), /symlink/],
      ['fifo', at('fifo'), /special file/],
      ['directory', at('directory'), /is a directory/],
      ['node', at('node'), /is a block device/],
      ['empty', at('empty'), /empty/],
      ['character-device', '/dev/zero', /not a block device/],
    ];
    for (const [name, path] of odd) use(name, path);
    for (const [name, , message] of odd) await daemon.condition(name, message);
    await bystander();
    expect(digest(real)).toBe(before);
  });

  it('partitioned, it is refused with the table’s name', async () => {
    const path = image('disk', 64);
    run('/bin/sh', '-c', `echo ';' | /usr/sbin/sfdisk -q ${path}`);
    const before = digest(path);
    use('disk', path);
    await daemon.condition('disk', /it holds a dos partition table/);
    expect(digest(path)).toBe(before);
  });
});

describe('mount options', () => {
  it('that could weaken the host are refused by name, and nothing is mounted', async () => {
    const options = ['suid', 'dev', 'x-mount.mkdir', 'helper=/tmp/x', 'context=x', 'loop', 'remount', 'bind', '-o'];
    for (const [index, option] of options.entries()) {
      use(`p${index}`, image(`p${index}`, 64), { mountOptions: `["${option}"]` });
    }
    for (const [index, option] of options.entries()) {
      await daemon.condition(`p${index}`, new RegExp(`Cannot use mount option "${option.replaceAll('.', '\\.')}"`));
    }
    expect(mountsBelow(daemon.rootDir)).toEqual([]);
  });
});

describe('a device that changes while it is in use', () => {
  it('an image that is unlinked keeps serving, and is let go of in the end', async () => {
    const path = image('data', 64, 'mkfs.ext4', '-q');
    use('data', path);
    await daemon.mounted('data');
    const target = await daemon.path('data', 'data');
    rmSync(path);
    writeFileSync(join(target, 'file'), 'still there');
    expect((await daemon.pod('data')).status.phase).toBe('Ready');
    daemon.remove('data.yaml');
    await daemon.unmounted('data');
    await eventually(() => loopsOn(path).length === 0 || 'the loop device of a deleted file is left');
  });

  it('an image that is cut to a quarter hurts its own pod only, and is never formatted', async () => {
    const path = image('data', 64, 'mkfs.ext4', '-q');
    const uuid = filesystemUuid(path);
    use('data', path);
    await daemon.mounted('data');
    truncateSync(path, 16 * mebibyte);
    await bystander();
    daemon.remove('data.yaml');
    await daemon.unmounted('data');
    await eventually(() => loopsOn(path).length === 0 || 'attached');
    use('data', path);
    await daemon.condition('data', /Cannot (check|mount|use)/);
    expect(statSync(path).size).toBe(16 * mebibyte);
    expect(filesystemUuid(path)).toBe(uuid);
  });

  it('an image that is replaced by another while it is attached is not taken for the first', async () => {
    const path = image('data', 64, 'mkfs.ext4', '-q');
    use('data', path);
    await daemon.mounted('data');
    writeFileSync(join(await daemon.path('data', 'data'), 'who'), 'first');
    const other = image('other', 64, 'mkfs.ext4', '-q');
    run('/usr/bin/mv', '--force', other, path);
    expect(readFileSync(join(await daemon.path('data', 'data'), 'who'), 'utf8')).toBe('first');
    daemon.remove('data.yaml');
    await daemon.unmounted('data');
    await eventually(() => loopsOn(path).length === 0 || 'attached');
    use('data', path);
    await daemon.mounted('data');
    expect(readdirSync(await daemon.path('data', 'data'))).toEqual(['lost+found']);
  });
});

describe('the control socket', () => {
  it('another user is told that it may not, even when the file’s mode lets it connect', async () => {
    const socket = join(daemon.runDir, 'moored.sock');
    const ask = async (uid: number): Promise<string> => {
      const script = `const s=require('net').connect(${JSON.stringify(socket)},()=>s.end('GET /v1/version HTTP/1.1\\r\\n\\r\\n'));let t='';s.on('data',(d)=>t+=d).on('error',(e)=>console.log(e.code)).on('end',()=>console.log(t.split('\\r\\n')[0]))`;
      const node = join(daemon.base, 'node');
      copyFileSync(process.execPath, node);
      chmodSync(node, 0o755);
      const child = spawn(node, ['-e', script], { uid, gid: uid, cwd: '/' });
      let text = '';
      child.stdout.on('data', (chunk) => (text += String(chunk)));
      await new Promise((resolve) => child.once('close', resolve));
      return text.trim();
    };
    expect(await ask(65_534)).toBe('EACCES');
    chmodSync(daemon.runDir, 0o755);
    chmodSync(socket, 0o666);
    expect(await ask(65_534)).toBe('HTTP/1.1 403 Forbidden');
    expect(await ask(0)).toBe('HTTP/1.1 200 OK');
  });
});
