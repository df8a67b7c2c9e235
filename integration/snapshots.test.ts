/** Snapshots, restores and clones on the real kernel: whole under a writer, protected while needed, gone when deleted. */
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClaimView, OperationView } from '../daemon/control/protocol.ts';
import type { VolumeSnapshotContentView, VolumeSnapshotView } from '../daemon/control/snapshot-views.ts';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { filesystemUuid, loopsOn, mountsAt, mountsBelow, run } from './support/kernel-facts.ts';
import { claim, claimVolume, documents, pod, storageClass } from './support/manifests.ts';
import {
  claimFrom,
  snapshot,
  snapshotClass,
  snapshotContent,
  snapshotOfContent,
} from './support/snapshot-manifests.ts';
import { SteadyWriter } from './support/steady-writer.ts';

const mebibyte = 2 ** 20;

let daemon: DaemonProcess;
let disks: { readonly directory: string; readonly device: string }[] = [];

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  const made = disks;
  disks = [];
  await daemon.dispose();
  for (const { directory, device } of made) {
    run('/usr/bin/umount', directory);
    run('/usr/sbin/losetup', '--detach', device);
  }
});

/** A filesystem of its own for the images of a class. */
function disk(fsType: string, mebibytes: number): string {
  // Beside the daemon's own directories, where a mount that is left is a leak.
  const directory = mkdtempSync(join(daemon.base, '../disk-'));
  const image = `${directory}.img`;
  writeFileSync(image, '');
  truncateSync(image, mebibytes * mebibyte);
  run(`/usr/sbin/mkfs.${fsType}`, '-q', image);
  const device = run('/usr/sbin/losetup', '--find', '--show', image).trim();
  run('/usr/bin/mount', device, directory);
  disks.push({ directory, device });
  return directory;
}

const sizes: Readonly<Record<string, string>> = { ext4: '64Mi', xfs: '320Mi', btrfs: '160Mi' };

function classes(fsType = 'ext4', directory?: string): string {
  const place = directory === undefined ? '' : `, directory: ${directory}`;
  const lines = [`parameters: { fsType: ${fsType}${place} }`, 'reclaimPolicy: Delete'];
  return documents(storageClass('fast', lines), snapshotClass('nightly'));
}

const app = (name: string, claimName = name): string => pod(name, { data: claimVolume(claimName) });

async function viewOf(name: string): Promise<VolumeSnapshotView> {
  return daemon.json<VolumeSnapshotView>('vs', name);
}

async function contentOf(name: string): Promise<VolumeSnapshotContentView> {
  const { status } = await viewOf(name);
  return daemon.json<VolumeSnapshotContentView>('vsc', status?.boundVolumeSnapshotContentName ?? '');
}

async function ready(name: string): Promise<VolumeSnapshotView> {
  await eventually(async () => {
    const found = await daemon.ctl('get', 'vs', name, '-o', 'json');
    return (
      (found.code === 0 && (JSON.parse(found.stdout) as VolumeSnapshotView).status?.readyToUse === true) ||
      found.stdout + found.stderr
    );
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${daemon.log}`);
  });
  return viewOf(name);
}

async function isGone(kind: string, name: string): Promise<void> {
  await eventually(async () => (await daemon.ctl('get', kind, name)).code !== 0 || `${kind}/${name} is there`);
}

async function claimEvent(name: string, message: RegExp): Promise<void> {
  await eventually(async () => {
    const events = (await daemon.events()).filter(
      ({ regarding }) => regarding === `PersistentVolumeClaim/default/${name}`,
    );
    return events.some((event) => message.test(event.message)) || JSON.stringify(events);
  });
}

const deviceOf = async (podName: string): Promise<string> =>
  mountsAt(await daemon.path(podName, 'data'))[0]?.source ?? '';

const snapshotFiles = (directory: string): readonly string[] => {
  const path = join(directory, '.snapshots/default');
  return existsSync(path) ? readdirSync(path) : [];
};

describe.each([
  ['ext4', undefined, 'copy'],
  ['xfs', undefined, 'copy'],
  ['ext4', 'xfs', 'reflink'],
  ['xfs', 'btrfs', 'reflink'],
  ['btrfs', 'xfs', 'reflink'],
] as const)('a snapshot of %s in use, with images on %s', (fsType, below, method) => {
  it('is whole, is restored with a UUID of its own, and its writer goes on', { timeout: 120_000 }, async () => {
    const directory = below === undefined ? undefined : disk(below, 2048);
    const size = sizes[fsType]!;
    daemon.apply('class.yaml', classes(fsType, directory));
    daemon.apply('app.yaml', documents(claim('data', { size }), app('app', 'data')));
    await daemon.mounted('app');
    const path = await daemon.path('app', 'data');
    const payload = randomBytes(4 * mebibyte);
    writeFileSync(join(path, 'payload'), payload);
    const writer = new SteadyWriter(join(path, 'numbers'));
    await writer.goesOn();
    daemon.apply('snapshot.yaml', snapshot('monday'));
    const { status } = await ready('monday');
    expect(status?.restoreSize).toBe(size);
    const content = await contentOf('monday');
    expect(content.metadata.annotations).toMatchObject({
      'moored.dev/snapshot-method': method,
      'moored.dev/snapshot-consistency': 'filesystem',
    });
    await writer.goesOn();
    daemon.apply('restored.yaml', documents(claimFrom('restored', { snapshot: 'monday' }, { size }), app('restored')));
    await daemon.mounted('restored');
    const copy = await daemon.path('restored', 'data');
    expect(readFileSync(join(copy, 'payload')).equals(payload)).toBe(true);
    const numbers = readFileSync(join(copy, 'numbers'), 'utf8').trimEnd().split('\n');
    expect(numbers).toEqual(numbers.map((_, index) => String(index)));
    expect(filesystemUuid(await deviceOf('restored'))).not.toBe(filesystemUuid(await deviceOf('app')));
    writeFileSync(join(copy, 'payload'), 'changed');
    expect(readFileSync(join(path, 'payload')).equals(payload)).toBe(true);
    expect(await writer.stop()).toBeGreaterThan(numbers.length);
    const claimView = await daemon.json<ClaimView>('pvc', 'data');
    expect(claimView.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
  });
});

describe('a clone', () => {
  it('of a claim in use is made without touching it', async () => {
    daemon.apply('class.yaml', classes('xfs'));
    daemon.apply('app.yaml', documents(claim('data', { size: '320Mi' }), app('app', 'data')));
    await daemon.mounted('app');
    const path = await daemon.path('app', 'data');
    writeFileSync(join(path, 'file'), 'kept');
    const [mount] = mountsAt(path);
    daemon.apply('clone.yaml', documents(claimFrom('copy', { claim: 'data' }, { size: '320Mi' }), app('copy')));
    await daemon.mounted('copy');
    expect(readFileSync(join(await daemon.path('copy', 'data'), 'file'), 'utf8')).toBe('kept');
    expect(mountsAt(path)).toEqual([mount]);
    expect(filesystemUuid(await deviceOf('copy'))).not.toBe(filesystemUuid(await deviceOf('app')));
    await eventually(async () => {
      const { metadata } = await daemon.json<ClaimView>('pvc', 'data');
      return metadata.finalizers?.length === 1 || JSON.stringify(metadata.finalizers);
    });
  });

  it('of a raw device at rest has its bytes; of one in use it is refused where blocks are not shared', async () => {
    daemon.apply('class.yaml', classes());
    const block = { size: '16Mi', mode: 'Block' } as const;
    daemon.apply('app.yaml', documents(claim('data', block), pod('app', { data: claimVolume('data') }, 'Block')));
    await daemon.mounted('app');
    writeFileSync(await daemon.path('app', 'data'), 'raw bytes', { flag: 'r+' });
    daemon.apply('clone.yaml', claimFrom('copy', { claim: 'data' }, block));
    await claimEvent('copy', /being written, and the filesystem of ".*" does not share blocks/);
    daemon.apply('app.yaml', claim('data', block));
    await daemon.unmounted('app');
    daemon.apply(
      'clone.yaml',
      documents(claimFrom('copy', { claim: 'data' }, block), pod('copy', { data: claimVolume('copy') }, 'Block')),
    );
    await daemon.mounted('copy');
    expect(
      readFileSync(await daemon.path('copy', 'data'))
        .subarray(0, 9)
        .toString(),
    ).toBe('raw bytes');
  });
});

describe('a restore', () => {
  it('to a larger claim grows the filesystem before a pod has it', async () => {
    daemon.apply('class.yaml', classes('xfs'));
    daemon.apply('app.yaml', documents(claim('data', { size: '320Mi' }), app('app', 'data'), snapshot('monday')));
    await daemon.mounted('app');
    await ready('monday');
    daemon.apply(
      'restored.yaml',
      documents(claimFrom('restored', { snapshot: 'monday' }, { size: '640Mi' }), app('restored')),
    );
    await daemon.mounted('restored');
    const { blocks, bsize } = statfsSync(await daemon.path('restored', 'data'));
    expect((blocks * bsize) / mebibyte).toBeGreaterThan(560);
    await eventually(async () => {
      const { status } = await daemon.json<ClaimView>('pvc', 'restored');
      return status?.capacity?.storage === '640Mi' || JSON.stringify(status);
    });
  });

  it('waits for its snapshot, and says what for', async () => {
    daemon.apply('class.yaml', classes());
    daemon.apply('restored.yaml', claimFrom('restored', { snapshot: 'monday' }));
    await claimEvent('restored', /error getting snapshot monday from api server: not found/);
    daemon.apply('snapshot.yaml', snapshot('monday'));
    await claimEvent('restored', /snapshot monday not bound/);
    daemon.apply('data.yaml', claim('data'));
    await ready('monday');
    await eventually(async () => {
      const { status } = await daemon.json<ClaimView>('pvc', 'restored');
      return status?.phase === 'Bound' || JSON.stringify(status);
    });
  });

  it('of a smaller size, of another mode or of an unknown kind is not made', async () => {
    daemon.apply('class.yaml', classes());
    daemon.apply('data.yaml', documents(claim('data'), snapshot('monday')));
    await ready('monday');
    daemon.apply('small.yaml', claimFrom('small', { snapshot: 'monday' }, { size: '32Mi' }));
    await claimEvent('small', /requested volume size 32Mi is less than the size 64Mi for the source snapshot monday/);
    daemon.apply('block.yaml', claimFrom('block', { snapshot: 'monday' }, { mode: 'Block' }));
    await claimEvent('block', /modifies the mode of the source volume but does not have permission/);
    daemon.apply('other.yaml', `${claim('other')}\n  dataSourceRef: { apiGroup: example.org, kind: Backup, name: x }`);
    await claimEvent('other', /does not match any registered VolumePopulator: Backup.example.org "x"/);
  });
});

describe('a copy that takes its time', () => {
  /** Stops the child in the middle of the copy of an image; undefined when that was over before it was seen. */
  async function stopped(directory: string, name: string): Promise<number | undefined> {
    let found: number | 'over' | undefined;
    await eventually(
      () => {
        const files = existsSync(directory) ? readdirSync(directory) : [];
        const temporary = files.find((file) => file.startsWith(`.${name}-`) && file.endsWith('.part.tmp'));
        const child = temporary === undefined ? undefined : copyingChild(daemon.pid);
        if (temporary !== undefined && child !== undefined) {
          process.kill(child, 'SIGSTOP');
          if (statSync(join(directory, temporary), { throwIfNoEntry: false })?.blocks) found = child;
          else process.kill(child, 'SIGCONT');
        } else if (files.some((file) => file.startsWith(`${name}-`) && file.endsWith('.img'))) found = 'over';
        return found !== undefined || files.join();
      },
      undefined,
      1,
    );
    return found === 'over' ? undefined : found;
  }

  /** A copy on a fast disk may be over before it is seen: then it is another one's turn. */
  async function stoppedCopy(
    directory: string,
    prefix: string,
    ask: (name: string) => void,
  ): Promise<[string, number]> {
    for (let round = 0; round < 10; round++) {
      const name = `${prefix}${round}`;
      ask(name);
      const child = await stopped(directory, name);
      if (child !== undefined) return [name, child];
    }
    throw new Error('ten copies were over before they were seen');
  }

  async function copies(): Promise<readonly OperationView[]> {
    const { stdout } = await daemon.ctl('get', 'operations', '-o', 'json');
    const { operations } = JSON.parse(stdout) as { readonly operations: readonly OperationView[] };
    return operations.filter(({ copy }) => copy !== undefined);
  }

  it('says how much of it is done and since when: of a snapshot, and of a claim with the pod that waits', {
    timeout: 60_000,
  }, async () => {
    daemon.apply('class.yaml', classes());
    daemon.apply('app.yaml', documents(claim('data', { size: '512Mi' }), app('app', 'data')));
    await daemon.mounted('app');
    writeFileSync(join(await daemon.path('app', 'data'), 'payload'), randomBytes(400 * mebibyte));
    daemon.apply('app.yaml', claim('data', { size: '512Mi' }));
    await daemon.unmounted('app');

    const images = join(daemon.rootDir, 'images');
    const [taken, taking] = await stoppedCopy(join(images, '.snapshots/default'), 'monday', (name) =>
      daemon.apply('snapshot.yaml', snapshot(name)),
    );
    const [copy] = await copies();
    const key = `VolumeSnapshot/default/${taken}`;
    expect(copy).toMatchObject({ kind: 'copyImage', state: 'running', copy: { for: key } });
    const { doneBytes = 0, totalBytes = 0 } = copy?.copy ?? {};
    expect(totalBytes).toBeGreaterThan(400 * mebibyte);
    expect(doneBytes).toBeGreaterThan(0);
    expect(doneBytes).toBeLessThanOrEqual(totalBytes);
    const described = await daemon.ctl('describe', 'vs', taken);
    expect(described.stdout).toMatch(/Copying: +\d+Mi of 4\d\dMi\n +since /);
    process.kill(taking, 'SIGCONT');
    await ready(taken);
    expect(await copies()).toEqual([]);

    const [restored, restoring] = await stoppedCopy(join(images, 'default'), 'restored', (name) =>
      daemon.apply(
        'restored.yaml',
        documents(claimFrom(name, { snapshot: taken }, { size: '512Mi' }), app('restored', name)),
      ),
    );
    expect((await copies())[0]?.copy?.for).toBe(`PersistentVolumeClaim/default/${restored}`);
    for (const reference of [`pvc/${restored}`, 'pod/restored']) {
      const { stdout } = await daemon.ctl('explain', reference);
      expect(stdout).toMatch(/its data is being copied: \d+Mi of 4\d\dMi are on the disk/);
    }
    process.kill(restoring, 'SIGCONT');
    await daemon.mounted('restored');
    expect(await copies()).toEqual([]);
  });
});

describe('deletion', () => {
  it('of a snapshot takes its content and its file with policy Delete', async () => {
    daemon.apply('class.yaml', classes());
    daemon.apply('data.yaml', documents(claim('data')));
    daemon.apply('snapshot.yaml', snapshot('monday'));
    await ready('monday');
    const content = await contentOf('monday');
    const images = join(daemon.rootDir, 'images');
    expect(snapshotFiles(images)).toHaveLength(2);
    daemon.remove('snapshot.yaml');
    await isGone('vs', 'monday');
    await isGone('vsc', content.metadata.name);
    expect(snapshotFiles(images)).toEqual(['.trash']);
  });

  it('with policy Retain keeps both, and a content made by hand gives it back', async () => {
    daemon.apply('class.yaml', documents(storageClass('fast'), snapshotClass('nightly', ['deletionPolicy: Retain'])));
    daemon.apply('data.yaml', documents(claim('data'), app('app', 'data')));
    await daemon.mounted('app');
    writeFileSync(join(await daemon.path('app', 'data'), 'file'), 'kept');
    daemon.apply('snapshot.yaml', snapshot('monday'));
    await ready('monday');
    const { status, metadata } = await contentOf('monday');
    daemon.remove('snapshot.yaml');
    await isGone('vs', 'monday');
    expect((await daemon.ctl('get', 'vsc', metadata.name)).code).toBe(0);
    const handle = status?.snapshotHandle ?? '';
    daemon.apply(
      'again.yaml',
      documents(snapshotContent('by-hand', 'again', handle), snapshotOfContent('again', 'by-hand')),
    );
    await ready('again');
    daemon.apply('restored.yaml', documents(claimFrom('restored', { snapshot: 'again' }), app('restored')));
    await daemon.mounted('restored');
    expect(readFileSync(join(await daemon.path('restored', 'data'), 'file'), 'utf8')).toBe('kept');
  });

  it('waits while a claim is to be made of it', async () => {
    daemon.apply('class.yaml', classes());
    daemon.apply('data.yaml', claim('data'));
    daemon.apply('snapshot.yaml', snapshot('monday'));
    await ready('monday');
    daemon.apply('small.yaml', claimFrom('small', { snapshot: 'monday' }, { size: '32Mi' }));
    await claimEvent('small', /less than the size/);
    daemon.remove('snapshot.yaml');
    await daemon.event('SnapshotDeletePending');
    expect((await viewOf('monday')).metadata.deletionTimestamp).toBeDefined();
    daemon.remove('small.yaml');
    await isGone('vs', 'monday');
  });
});

describe('a disk that is full', () => {
  it('is told with the figures, leaves nothing, and the snapshot is there when there is room', {
    timeout: 60_000,
  }, async () => {
    const directory = disk('ext4', 160);
    daemon.apply('class.yaml', classes('ext4', directory));
    daemon.apply('app.yaml', documents(claim('data', { size: '96Mi' }), app('app', 'data')));
    await daemon.mounted('app');
    writeFileSync(join(await daemon.path('app', 'data'), 'payload'), randomBytes(64 * mebibyte));
    run('/usr/bin/sync');
    writeFileSync(join(directory, 'filler'), randomBytes(32 * mebibyte));
    daemon.apply('snapshot.yaml', snapshot('monday'));
    await eventually(async () => {
      const { stdout } = await daemon.ctl('get', 'vs', 'monday', '-o', 'json');
      return /Mi asked, .*Mi free on/.test(stdout) || stdout;
    });
    expect(snapshotFiles(directory)).toEqual([]);
    run('/usr/bin/rm', join(directory, 'filler'));
    await ready('monday');
  });
});

describe('the samples', () => {
  const sample = (name: string): string => readFileSync(new URL(`./samples/${name}.yaml`, import.meta.url), 'utf8');

  it('x08, x09, x10 and x13: a snapshot is taken, restored and deleted with its content', {
    timeout: 60_000,
  }, async () => {
    daemon.apply('demo.yaml', sample('x13-snapshot-demo'));
    await daemon.mounted('web');
    writeFileSync(join(await daemon.path('web', 'data'), 'file'), 'kept');
    daemon.apply('class.yaml', sample('x08-snapshot-class'));
    daemon.apply('snapshot.yaml', sample('x09-snapshot'));
    const view = await ready('disk-snapshot');
    const content = await contentOf('disk-snapshot');
    expect(content.metadata.name).toBe(`snapcontent-${view.metadata.uid}`);
    const { spec } = await daemon.json<ClaimView>('pvc', 'disk-pvc');
    expect(content.spec.source.volumeHandle).toBe(spec.volumeName);
    expect(content.status?.snapshotHandle).toBe(`default/disk-snapshot-${view.metadata.uid}`);
    daemon.apply('restore.yaml', sample('x10-restore-claim'));
    await daemon.mounted('restored');
    expect(readFileSync(join(await daemon.path('restored', 'data'), 'file'), 'utf8')).toBe('kept');
    const written = await daemon.ctl(
      'create',
      'snapshot',
      'second',
      '--pvc',
      'disk-pvc',
      '--class',
      'disk-snapshotclass',
    );
    daemon.apply('second.yaml', written.stdout);
    await ready('second');
    daemon.remove('snapshot.yaml');
    await isGone('vs', 'disk-snapshot');
    await isGone('vsc', content.metadata.name);
  });
});

it('a filesystem that somebody has frozen is neither copied nor thawed until they let go', async () => {
  daemon.apply('class.yaml', classes('ext4'));
  daemon.apply('app.yaml', documents(claim('data', { size: '64Mi' }), app('app', 'data')));
  await daemon.mounted('app');
  const path = await daemon.path('app', 'data');
  run('/usr/sbin/fsfreeze', '--freeze', path);
  try {
    daemon.apply('snapshot.yaml', snapshot('monday'));
    await eventually(() => daemon.log.includes('somebody has frozen it already') || 'nothing says so');
    expect(() => run('/usr/sbin/fsfreeze', '--freeze', path)).toThrow(/busy/);
  } finally {
    run('/usr/sbin/fsfreeze', '--unfreeze', path);
  }
  await ready('monday');
});

describe('kill -9', () => {
  /** A copy that stands still in the middle of its freeze. */
  async function frozenCopy(): Promise<{
    readonly child: number;
    readonly path: string;
    readonly writer: SteadyWriter;
  }> {
    const lines = ['deletionPolicy: Delete', 'parameters: { freezeLimit: 600s }'];
    daemon.apply('class.yaml', documents(storageClass('fast'), snapshotClass('nightly', lines)));
    daemon.apply('app.yaml', documents(claim('data', { size: '512Mi' }), app('app', 'data')));
    await daemon.mounted('app');
    const path = await daemon.path('app', 'data');
    writeFileSync(join(path, 'payload'), randomBytes(400 * mebibyte));
    const writer = new SteadyWriter(join(path, 'numbers'));
    await writer.goesOn();
    daemon.apply('snapshot.yaml', snapshot('monday'));
    const directory = join(daemon.rootDir, 'images/.snapshots/default');
    let child = 0;
    await eventually(() => {
      child = copyingChild(daemon.pid) ?? 0;
      const [temporary] = child !== 0 && existsSync(directory) ? readdirSync(directory) : [];
      if (temporary === undefined || statSync(join(directory, temporary)).blocks === 0) return 'it does not copy yet';
      process.kill(child, 'SIGSTOP');
      return true;
    });
    expect(() => run('/usr/sbin/fsfreeze', '--freeze', path)).toThrow(/busy/);
    return { child, path, writer };
  }

  it.each([
    [
      'the daemon',
      (daemonPid: number, child: number) => [process.kill(daemonPid, 'SIGKILL'), process.kill(child, 'SIGCONT')],
    ],
    ['its child', (_: number, child: number) => [process.kill(child, 'SIGKILL')]],
  ])(
    'of %s in the middle of a freeze: the other one thaws, and the snapshot is taken in the end',
    async (who, kill) => {
      const { child, writer } = await frozenCopy();
      kill(daemon.pid, child);
      await writer.goesOn();
      if (who === 'the daemon') {
        await daemon.ended();
        await daemon.start();
      }
      await ready('monday');
      await writer.stop();
    },
  );

  it('of both in the middle of a freeze: the next start thaws, and the writer goes on', async () => {
    const { child, path, writer } = await frozenCopy();
    process.kill(daemon.pid, 'SIGKILL');
    process.kill(child, 'SIGKILL');
    await daemon.ended();
    expect(() => run('/usr/sbin/fsfreeze', '--freeze', path)).toThrow(/busy/);
    await daemon.start();
    await writer.goesOn();
    expect(daemon.log).toContain('filesystem thawed');
    await ready('monday');
    await writer.stop();
  });

  it('of both, and the mount is moved before the next start: it thaws there, and the writer goes on', async () => {
    const { child, path, writer } = await frozenCopy();
    process.kill(daemon.pid, 'SIGKILL');
    process.kill(child, 'SIGKILL');
    await daemon.ended();
    const device = mountsAt(path)[0]?.source;
    const global = mountsBelow(join(daemon.rootDir, 'plugins')).find(({ source }) => source === device);
    const elsewhere = mkdtempSync(join(daemon.base, 'elsewhere-'));
    run('/usr/bin/mount', '--move', global?.target ?? '', elsewhere);
    try {
      await daemon.start();
      await writer.goesOn();
      expect(daemon.log).toContain('filesystem thawed');
    } finally {
      await writer.stop();
      run('/usr/bin/umount', elsewhere);
    }
  });

  it('at any moment of taking and restoring: one snapshot, whole, and nothing is frozen', {
    timeout: 300_000,
  }, async () => {
    daemon.apply('class.yaml', classes('ext4'));
    daemon.apply('app.yaml', documents(claim('data', { size: '256Mi' }), app('app', 'data')));
    await daemon.mounted('app');
    const path = await daemon.path('app', 'data');
    const payload = randomBytes(64 * mebibyte);
    writeFileSync(join(path, 'payload'), payload);
    const writer = new SteadyWriter(join(path, 'numbers'));
    for (let round = 0; round < 6; round++) {
      daemon.apply('snapshot.yaml', snapshot(`round-${round}`));
      await new Promise((resolve) => setTimeout(resolve, round * 90));
      await daemon.restart('SIGKILL');
      await writer.goesOn();
      await ready(`round-${round}`);
      const size = '256Mi';
      daemon.apply('restored.yaml', claimFrom(`restored-${round}`, { snapshot: `round-${round}` }, { size }));
      await new Promise((resolve) => setTimeout(resolve, round * 90));
      await daemon.restart('SIGKILL');
      daemon.apply(
        'restored.yaml',
        documents(
          claimFrom(`restored-${round}`, { snapshot: `round-${round}` }, { size }),
          app('restored', `restored-${round}`),
        ),
      );
      await daemon.mounted('restored');
      expect(readFileSync(join(await daemon.path('restored', 'data'), 'payload')).equals(payload)).toBe(true);
      daemon.remove('restored.yaml');
      await daemon.unmounted('restored');
      daemon.remove('snapshot.yaml');
      await isGone('vs', `round-${round}`);
    }
    await writer.goesOn();
    await writer.stop();
    const files = readdirSync(join(daemon.rootDir, 'images/.snapshots/default')).filter((name) => name !== '.trash');
    expect(files).toEqual([]);
    expect(loopsOn(join(daemon.rootDir, 'images'))).toEqual([]);
  });
});

/** The child of this process that makes a copy. */
function copyingChild(parent: number): number | undefined {
  const pids = readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0);
  return pids.find((pid) => {
    try {
      const isOurs = new RegExp(`^PPid:\\s+${parent}$`, 'm').test(readFileSync(`/proc/${pid}/status`, 'utf8'));
      return isOurs && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('image-copy');
    } catch {
      return false;
    }
  });
}
