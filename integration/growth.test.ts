/** Volumes that become larger, on the real kernel, with data in use. ext4 is grown in the VM ring: see there. */
import { randomBytes } from 'node:crypto';
import { appendFileSync, readFileSync, statfsSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClaimView, ExplainNode, PersistentVolumeView, VolumeView } from '../daemon/control/protocol.ts';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { filesystemUuid, mountsAt, run } from './support/kernel-facts.ts';
import { claim, claimVolume, documents, pod, storageClass } from './support/manifests.ts';
import { SteadyWriter } from './support/steady-writer.ts';

const mebibyte = 2 ** 20;

let daemon: DaemonProcess;

beforeEach(async () => {
  daemon = await new DaemonProcess().start();
});

afterEach(async () => {
  await daemon.dispose();
});

function growable(fsType = 'xfs', lines: readonly string[] = ['allowVolumeExpansion: true']): string {
  return storageClass('fast', [...lines, `parameters: { fsType: ${fsType} }`]);
}

function app(size: string, mode: 'Filesystem' | 'Block' = 'Filesystem'): string {
  return documents(claim('data', { size, mode }), pod('app', { data: claimVolume('data') }, mode));
}

/** Waits until the claim has this capacity and no growth is under way. */
async function hasCapacity(size: string): Promise<void> {
  await eventually(async () => {
    const { spec, status } = await daemon.json<ClaimView>('pvc', 'data');
    const isRest = status?.allocatedResourceStatuses === undefined && status?.conditions === undefined;
    return (status?.capacity?.storage === size && isRest) || JSON.stringify([spec.resources, status]);
  });
}

/** Waits until a condition of the claim has a message that matches. */
async function hasCondition(type: string, message: RegExp): Promise<void> {
  await eventually(async () => {
    const { status } = await daemon.json<ClaimView>('pvc', 'data');
    return (
      status?.conditions?.some((one) => one.type === type && message.test(one.message)) || JSON.stringify(status ?? {})
    );
  });
}

const volumeOfClaim = async (): Promise<PersistentVolumeView> =>
  (await daemon.json<{ items: readonly PersistentVolumeView[] }>('pv')).items[0]!;

const imageOfClaim = async (): Promise<string> => (await volumeOfClaim()).spec.csi?.volumeAttributes?.['path'] ?? '';

const deviceOf = async (): Promise<string> => (await daemon.asw())[0]?.devicePath ?? '';

const sizeOfDevice = (device: string): number => Number(run('/usr/sbin/blockdev', '--getsize64', device));

/** Mebibytes of the filesystem, as `df` counts them. */
function sizeOf(path: string): number {
  const { blocks, bsize } = statfsSync(path);
  return (blocks * bsize) / mebibyte;
}

describe.each([
  ['xfs', 320, 640],
  ['btrfs', 160, 320],
])('%s in use', (fsType, small, large) => {
  it('grows under a process that writes all the while', async () => {
    daemon.apply('class.yaml', growable(fsType));
    daemon.apply('app.yaml', app(`${small}Mi`));
    await daemon.mounted('app');
    const path = await daemon.path('app', 'data');
    const [device, [mount], before] = [await deviceOf(), mountsAt(path), sizeOf(path)];
    const uuid = filesystemUuid(device);
    const payload = randomBytes(8 * mebibyte);
    writeFileSync(join(path, 'payload'), payload);
    const writer = new SteadyWriter(join(path, 'file'));
    await writer.goesOn();
    daemon.apply('app.yaml', app(`${large}Mi`));
    await hasCapacity(`${large}Mi`);
    await writer.goesOn();
    expect(await writer.stop()).toBeGreaterThan(1);
    expect(readFileSync(join(path, 'payload')).equals(payload)).toBe(true);
    expect(sizeOf(path) - before).toBeGreaterThan(large - small - 32);
    expect(sizeOfDevice(device)).toBe(large * mebibyte);
    expect(filesystemUuid(device)).toBe(uuid);
    expect(mountsAt(path)).toEqual([mount]);
    const volume = await volumeOfClaim();
    expect(volume.spec.capacity.storage).toBe(`${large}Mi`);
    const sidecar = JSON.parse(readFileSync(`${await imageOfClaim()}.json`, 'utf8')) as { sizeBytes: string };
    expect(sidecar.sizeBytes).toBe(`${large * mebibyte}`);
    const reasons = (await daemon.events()).map(({ reason, regarding }) => `${reason} ${regarding}`);
    expect(reasons).toEqual(
      expect.arrayContaining([
        'Resizing PersistentVolumeClaim/default/data',
        'FileSystemResizeRequired PersistentVolumeClaim/default/data',
        'FileSystemResizeSuccessful Pod/default/app',
        'FileSystemResizeSuccessful PersistentVolumeClaim/default/data',
      ]),
    );
    // And it stays so: over a restart, and a next pod.
    await daemon.restart('SIGKILL');
    await daemon.mounted('app');
    expect(mountsAt(path)).toEqual([mount]);
    await hasCapacity(`${large}Mi`);
  });
});

describe('a volume at rest', () => {
  it('is grown when it is mounted next, before its pod has it', async () => {
    daemon.apply('class.yaml', growable());
    daemon.apply('app.yaml', app('320Mi'));
    await daemon.mounted('app');
    writeFileSync(join(await daemon.path('app', 'data'), 'file'), 'kept');
    daemon.apply('app.yaml', documents(claim('data', { size: '320Mi' })));
    await daemon.unmounted('app');
    await daemon.gone();
    daemon.apply('app.yaml', documents(claim('data', { size: '640Mi' })));
    await hasCondition('FileSystemResizePending', /^Waiting for user to \(re-\)start a pod/);
    expect(statSync(await imageOfClaim()).size).toBe(640 * mebibyte);
    const { status } = await daemon.json<ClaimView>('pvc', 'data');
    expect(status).toMatchObject({
      capacity: { storage: '320Mi' },
      allocatedResources: { storage: '640Mi' },
      allocatedResourceStatuses: { storage: 'NodeResizePending' },
    });
    daemon.apply('app.yaml', app('640Mi'));
    await daemon.mounted('app');
    const path = await daemon.path('app', 'data');
    expect(sizeOf(path)).toBeGreaterThan(560);
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('kept');
    await hasCapacity('640Mi');
  });

  it('that is a raw device has its new size at once', async () => {
    daemon.apply('class.yaml', growable());
    daemon.apply('app.yaml', documents(claim('data', { size: '16Mi', mode: 'Block' })));
    await hasCapacity('16Mi');
    daemon.apply('app.yaml', documents(claim('data', { size: '32Mi', mode: 'Block' })));
    await hasCapacity('32Mi');
    await daemon.event('VolumeResizeSuccessful');
  });
});

describe('a raw device in use', () => {
  it('becomes larger under the pod that has it', async () => {
    daemon.apply('class.yaml', growable());
    daemon.apply('app.yaml', app('16Mi', 'Block'));
    await daemon.mounted('app');
    const path = await daemon.path('app', 'data');
    writeFileSync(path, 'raw bytes', { flag: 'r+' });
    daemon.apply('app.yaml', app('32Mi', 'Block'));
    await hasCapacity('32Mi');
    expect(sizeOfDevice(path)).toBe(32 * mebibyte);
    expect(readFileSync(path).subarray(0, 9).toString()).toBe('raw bytes');
    // Exit code 2: nothing is on it, and moored has made nothing.
    expect(() => run('/usr/sbin/blkid', '-p', path)).toThrow();
  });
});

describe('what is asked for', () => {
  it('twice in a row is reached in the end', async () => {
    daemon.apply('class.yaml', growable());
    daemon.apply('app.yaml', app('320Mi'));
    await daemon.mounted('app');
    daemon.apply('app.yaml', app('512Mi'));
    await daemon.event('Resizing');
    daemon.apply('app.yaml', app('768Mi'));
    await hasCapacity('768Mi');
    expect(sizeOf(await daemon.path('app', 'data'))).toBeGreaterThan(680);
  });

  it('is not less than what is there', async () => {
    daemon.apply('class.yaml', growable());
    daemon.apply('app.yaml', app('320Mi'));
    await daemon.mounted('app');
    daemon.apply('app.yaml', app('300Mi'));
    await daemon.event('Forbidden');
    const { stdout } = await daemon.ctl('describe', 'manifest', 'app.yaml');
    expect(stdout).toContain('Forbidden: field can not be less than status.capacity');
    await hasCapacity('320Mi');
    expect(statSync(await imageOfClaim()).size).toBe(320 * mebibyte);
  });

  it('waits for a class that allows it, and says so', async () => {
    daemon.apply('class.yaml', growable('xfs', []));
    daemon.apply('app.yaml', app('320Mi'));
    await daemon.mounted('app');
    daemon.apply('app.yaml', app('640Mi'));
    await hasCondition('ControllerResizeError', /the storageclass that provisions the pvc must support resize/);
    await daemon.event('VolumeResizeFailed');
    expect(statSync(await imageOfClaim()).size).toBe(320 * mebibyte);
    daemon.apply('class.yaml', growable());
    await hasCapacity('640Mi');
  });

  it('may be too much for the disk, is told with the figures, and can be taken back', async () => {
    daemon.apply('class.yaml', growable());
    daemon.apply('app.yaml', app('320Mi'));
    await daemon.mounted('app');
    daemon.apply('app.yaml', app('100Ti'));
    await hasCondition('ControllerResizeError', /Cannot grow image ".*": .*Ti asked, .*Gi free on/);
    const { stdout } = await daemon.ctl('explain', 'pvc/data', '-o', 'json');
    const growth = (JSON.parse(stdout) as ExplainNode).causes[0];
    expect(growth).toMatchObject({ subject: 'growth from 320Mi to 100Ti', state: 'Failed' });
    expect(growth?.nextRetryMs).toBeGreaterThanOrEqual(0);
    daemon.apply('app.yaml', app('320Mi'));
    await hasCapacity('320Mi');
    daemon.apply('app.yaml', app('400Mi'));
    await hasCapacity('400Mi');
  });

  it('is shown by plan before it is done', async () => {
    daemon.apply('class.yaml', growable());
    daemon.apply('app.yaml', app('320Mi'));
    await daemon.mounted('app');
    const added = join(daemon.base, 'app.yaml');
    writeFileSync(added, app('640Mi'));
    const { stdout } = await daemon.ctl('plan', '-f', added);
    expect(stdout).toMatch(/growImage +\S+\.img/);
    expect(stdout).toMatch(/expandVolume +\S+ +volume is to have 640Mi/);
    expect(statSync(await imageOfClaim()).size).toBe(320 * mebibyte);
    const { stdout: table } = await daemon.ctl('get', 'volumes', '-o', 'wide');
    expect(table).toMatch(/CAPACITY +REQUESTED/);
  });

  it('does not keep a pod that goes meanwhile', async () => {
    daemon.apply('class.yaml', growable());
    daemon.apply('app.yaml', app('320Mi'));
    await daemon.mounted('app');
    daemon.apply('app.yaml', documents(claim('data', { size: '640Mi' })));
    await daemon.unmounted('app');
    await daemon.gone();
    daemon.apply('app.yaml', app('640Mi'));
    await daemon.mounted('app');
    await hasCapacity('640Mi');
  });
});

describe('a crash', () => {
  it.each([
    ['when the image is longer and nobody knows', false],
    ['when the loop device is longer and the filesystem is not', true],
  ])('%s: the growth is completed', async (_name, isLoopGrown) => {
    daemon.apply('class.yaml', growable());
    daemon.apply('app.yaml', app('320Mi'));
    await daemon.mounted('app');
    const [image, device] = [await imageOfClaim(), await deviceOf()];
    await daemon.kill('SIGKILL');
    truncateSync(image, 640 * mebibyte);
    if (isLoopGrown) run('/usr/sbin/losetup', '--set-capacity', device);
    daemon.apply('app.yaml', app('640Mi'));
    await daemon.start();
    await hasCapacity('640Mi');
    expect(sizeOfDevice(device)).toBe(640 * mebibyte);
    expect(sizeOf(await daemon.path('app', 'data'))).toBeGreaterThan(560);
    expect(readFileSync(`${image}.json`, 'utf8')).toContain(`"${640 * mebibyte}"`);
  });

  it('at any moment of a growth: it is completed', async () => {
    daemon.apply('class.yaml', growable('btrfs'));
    daemon.apply('app.yaml', app('256Mi'));
    await daemon.mounted('app');
    const writer = new SteadyWriter(join(await daemon.path('app', 'data'), 'file'));
    for (const size of [320, 384, 448]) {
      daemon.apply('app.yaml', app(`${size}Mi`));
      await daemon.event('Resizing');
      await daemon.restart('SIGKILL');
    }
    await hasCapacity('448Mi');
    expect(await writer.stop()).toBeGreaterThan(1);
    expect(sizeOf(await daemon.path('app', 'data'))).toBeGreaterThan(420);
  });
});

function staticVolume(image: string, capacity: string, readOnly = false): string {
  return [
    'apiVersion: v1',
    'kind: PersistentVolume',
    'metadata: { name: mine }',
    'spec:',
    `  capacity: { storage: ${capacity} }`,
    '  accessModes: [ReadWriteOnce]',
    '  storageClassName: ""',
    '  csi:',
    '    driver: loop.moored.dev',
    '    volumeHandle: mine',
    '    fsType: xfs',
    `    readOnly: ${readOnly}`,
    `    volumeAttributes: { path: ${image} }`,
  ].join('\n');
}

describe('a PersistentVolume whose capacity is raised by hand', () => {
  const mine = () =>
    documents(
      claim('data', { size: '320Mi', storageClass: '', volumeName: 'mine' }),
      pod('app', { data: claimVolume('data') }),
    );
  let image: string;

  beforeEach(() => {
    image = join(daemon.base, 'mine.img');
    writeFileSync(image, '');
    truncateSync(image, 320 * mebibyte);
    run('/usr/sbin/mkfs.xfs', '-q', image);
    daemon.apply('app.yaml', mine());
  });

  it('grows its filesystem once its image has grown, and says what it waits for', async () => {
    daemon.apply('pv.yaml', staticVolume(image, '320Mi'));
    await daemon.mounted('app');
    daemon.apply('pv.yaml', staticVolume(image, '640Mi'));
    await hasCondition('NodeResizeError', /has 335544320 bytes, wanted 671088640/);
    const { volumes } = await daemon.json<{ volumes: readonly VolumeView[] }>('volumes');
    expect(volumes[0]).toMatchObject({ state: 'Mounted', capacity: '320Mi', requested: '640Mi' });
    truncateSync(image, 640 * mebibyte);
    await hasCapacity('640Mi');
    expect(sizeOf(await daemon.path('app', 'data'))).toBeGreaterThan(560);
  });

  it('is left as it is when it is read-only', async () => {
    daemon.apply('pv.yaml', staticVolume(image, '320Mi', true));
    await daemon.mounted('app');
    truncateSync(image, 640 * mebibyte);
    const device = await deviceOf();
    daemon.apply('pv.yaml', staticVolume(image, '640Mi', true));
    await hasCondition('FileSystemResizePending', /./);
    expect(sizeOfDevice(device)).toBe(320 * mebibyte);
    expect((await daemon.operations()).map(({ kind }) => kind)).toEqual([]);
  });

  it('is not shortened with an image that somebody cut', async () => {
    daemon.apply('pv.yaml', staticVolume(image, '320Mi'));
    await daemon.mounted('app');
    const device = await deviceOf();
    appendFileSync(image, 'x');
    truncateSync(image, 319 * mebibyte);
    daemon.apply('pv.yaml', staticVolume(image, '640Mi'));
    await hasCondition('NodeResizeError', /somebody cut the image/);
    expect(sizeOfDevice(device)).toBe(320 * mebibyte);
    truncateSync(image, 320 * mebibyte);
  });
});
