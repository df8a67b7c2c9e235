/** Copies of images on real filesystems: by shared blocks and by bytes, at rest and under a writer, whole or not at all. */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeKernelFeatures } from '../../daemon/host/kernel-features.ts';
import { LinuxImageCopies } from '../../daemon/host/linux-image-copies.ts';
import { LinuxLoopDevices } from '../../daemon/host/linux-loop-devices.ts';
import { SpawnedChildProcesses } from '../../daemon/host/spawned-child-processes.ts';
import type { ChildProcesses } from '../../daemon/ports/child-processes.ts';
import type { CopyWay, ImageCopyRequest } from '../../daemon/ports/image-copies.ts';
import type { ImageSidecar } from '../../daemon/ports/images.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import { SteadyWriter } from '../support/steady-writer.ts';
import { mebibyte, RealDevices } from './real-devices.ts';
import { tool } from './real-mounts.ts';
import { until } from './real-processes.ts';

const features = probeKernelFeatures();
const signal = new AbortController().signal;

let devices: RealDevices;

beforeAll(() => {
  devices = new RealDevices();
});
afterAll(() => {
  for (const directory of mountedImages) tool('umount', directory);
  devices[Symbol.dispose]();
});

const mountedImages: string[] = [];

function copiesIn(imagesDirectory: string, children: ChildProcesses = new SpawnedChildProcesses()): LinuxImageCopies {
  const clock = { timestamp: () => '2026-01-02T03:04:05.678Z' };
  return new LinuxImageCopies({
    features,
    imagesDirectory,
    children,
    loopDevices: new LinuxLoopDevices(features),
    clock,
  });
}

/** A directory of images on a filesystem of its own. */
function imagesOn(fsType: string, mebibytes: number): string {
  const { path } = devices.blank(mebibytes * mebibyte);
  tool(`mkfs.${fsType}`, '-q', path);
  const directory = devices.directory();
  tool('mount', path, directory);
  mountedImages.push(directory);
  return directory;
}

function newImage(directory: string, mebibytes: number): string {
  const image = join(directory, 'shop', 'data.img');
  mkdirSync(dirname(image), { mode: 0o700, recursive: true });
  writeFileSync(image, '');
  truncateSync(image, mebibytes * mebibyte);
  return image;
}

interface Mounted {
  readonly image: string;
  readonly device: string;
  readonly mountPoint: string;
  readonly way: Extract<CopyWay, { kind: 'frozen' }>;
}

function mounted(directory: string, fsType: string, mebibytes: number, limitMs = 60_000): Mounted {
  const image = newImage(directory, mebibytes);
  tool(`mkfs.${fsType}`, '-q', image);
  const { path: device } = devices.attach(image);
  const mountPoint = devices.directory();
  tool('mount', device, mountPoint);
  const deviceNumber = tool('findmnt', '--noheadings', '--output', 'MAJ:MIN', mountPoint).trim();
  return { image, device, mountPoint, way: { kind: 'frozen', mountPoint, deviceNumber, fsType, limitMs } };
}

function unmount({ mountPoint, device, image }: Mounted): void {
  tool('umount', mountPoint);
  devices.detach({ path: device, image });
}

function request(source: string, way: CopyWay, change: Partial<ImageCopyRequest> = {}): ImageCopyRequest {
  const target = join(dirname(dirname(source)), '.snapshots/shop/copy-1.img');
  return { source, target, sizeBytes: 0n, way, room: 'written', ...change };
}

const sidecar: ImageSidecar = {
  ...{ apiVersion: 'moored.dev/v1', driver: 'loop.moored.dev', volumeHandle: 'shop/copy-1', sizeBytes: '1' },
  ...{ fsType: 'ext4', createdAt: '2026-01-01T00:00:00.000Z' },
};

const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
const uuidOf = (device: string): string => tool('blkid', '-p', '-o', 'value', '-s', 'UUID', device);

async function errorOf(work: Promise<unknown>): Promise<StorageError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof StorageError) return thrown;
  throw new Error(`no StorageError: ${String(thrown)}`);
}

describe('an image at rest', () => {
  it.each([
    ['ext4', 'copy'],
    ['xfs', 'reflink'],
    ['btrfs', 'reflink'],
  ])('on %s is copied by %s, byte for byte and hole for hole', async (fsType, method) => {
    const directory = imagesOn(fsType, 512);
    const image = newImage(directory, 96);
    writeFileSync(image, randomBytes(3 * mebibyte), { flag: 'r+' });
    const copies = copiesIn(directory);
    const asked = request(image, { kind: 'atRest' });
    const report = await copies.copy(asked, signal);
    expect(report).toMatchObject({ method, sizeBytes: BigInt(96 * mebibyte) });
    expect(existsSync(asked.target)).toBe(false);
    copies.publish(asked.target, sidecar, { isSealed: true });
    expect(sha256(asked.target)).toBe(sha256(image));
    expect(statSync(asked.target).blocks * 512).toBeLessThan(6 * mebibyte);
    expect(copies.published(asked.target, 'shop/copy-1')).toEqual(sidecar);
    expect(statSync(asked.target).mode & 0o777).toBe(0o400);
    expect(() => tool('rm', '-f', asked.target)).toThrow(/not permitted/);
    expect(copies.moveToTrash(asked.target, 'shop/copy-1')).toBe('trashed');
    expect(copies.moveToTrash(asked.target, 'shop/copy-1')).toBe('absent');
    const trash = readdirSync(join(dirname(asked.target), '.trash'));
    expect(trash).toHaveLength(2);
    expect(copies.published(asked.target, 'shop/copy-1')).toBeUndefined();
  });
});

describe.each([
  ['ext4', 64],
  ['xfs', 320],
  ['btrfs', 160],
])('a mounted %s, under a writer', (fsType, size) => {
  it.each([
    ['xfs', 'reflink'],
    ['ext4', 'copy'],
  ])('with its image on %s: frozen, taken by %s, thawed, and the copy is another filesystem', async (below, method) => {
    const directory = imagesOn(below, 1024);
    const source = mounted(directory, fsType, size);
    const payload = randomBytes(4 * mebibyte);
    writeFileSync(join(source.mountPoint, 'payload'), payload);
    const writer = new SteadyWriter(join(source.mountPoint, 'numbers'));
    await writer.goesOn();
    const copies = copiesIn(directory);
    const asked = request(source.image, source.way);
    const report = await copies.copy(asked, signal);
    expect(report.method).toBe(method);
    expect(report.frozenMs).toBeGreaterThan(0);
    process.stdout.write(`${fsType} on ${below}: ${method}, frozen for ${report.frozenMs} ms\n`);
    await writer.goesOn();
    expect(await copies.thaw(source.mountPoint, signal)).toBe('notFrozen');
    expect(await copies.renewIdentity(asked.target, signal)).toBe('renewed');
    copies.publish(asked.target, sidecar, { isSealed: false });
    const { path: device } = devices.attach(asked.target);
    const mountPoint = devices.directory();
    tool('mount', device, mountPoint);
    expect(uuidOf(device)).not.toBe(uuidOf(source.device));
    expect(readFileSync(join(mountPoint, 'payload')).equals(payload)).toBe(true);
    const numbers = readFileSync(join(mountPoint, 'numbers'), 'utf8').trimEnd().split('\n');
    expect(numbers).toEqual(numbers.map((_, index) => String(index)));
    tool('umount', mountPoint);
    devices.detach({ path: device, image: asked.target });
    expect(await writer.stop()).toBeGreaterThan(numbers.length);
    unmount(source);
  });
});

it('a copy at which udev still looks when it has its UUID is detached as soon as that ends', async () => {
  const directory = imagesOn('ext4', 128);
  const image = newImage(directory, 32);
  tool('mkfs.ext4', '-q', image);
  const plain = new SpawnedChildProcesses();
  const looks: Promise<void>[] = [];
  const children: ChildProcesses = {
    run: async (name, args, options) => {
      const result = await plain.run(name, args, options);
      const device = args.at(-1) ?? '';
      if (name === 'tune2fs') looks.push(lookUntilDetachIsAsked(device, openSync(device, 'r')));
      return result;
    },
  };
  const copies = copiesIn(directory, children);
  const asked = request(image, { kind: 'atRest' });
  await copies.copy(asked, signal);
  expect(await copies.renewIdentity(asked.target, signal)).toBe('renewed');
  expect(looks).toHaveLength(1);
  await Promise.all(looks);
  copies.publish(asked.target, sidecar, { isSealed: false });
  expect(tool('losetup', '--noheadings', '--associated', asked.target)).toBe('');
});

/** As udev does, which closes it in the end whatever others want. */
async function lookUntilDetachIsAsked(device: string, fd: number): Promise<void> {
  const autoclear = `/sys/block/${basename(device)}/loop/autoclear`;
  try {
    await until(() => readFileSync(autoclear, 'utf8').trim() === '1');
  } finally {
    closeSync(fd);
  }
}

describe('what is refused, and leaves nothing', () => {
  const leftIn = (directory: string): readonly string[] => readdirSync(join(directory, '.snapshots/shop'));

  it('a copy of what is being written, where blocks cannot be shared', async () => {
    const directory = imagesOn('ext4', 128);
    const image = newImage(directory, 8);
    const error = await errorOf(copiesIn(directory).copy(request(image, { kind: 'atomic' }), signal));
    expect(error).toMatchObject({ code: 'FailedPrecondition' });
    expect(error.message).toMatch(/being written, and the filesystem of ".*" does not share blocks/);
    expect(leftIn(directory)).toEqual([]);
  });

  it('a copy for which there is no room, with the figures', async () => {
    const directory = imagesOn('ext4', 64);
    const image = newImage(directory, 48);
    writeFileSync(image, randomBytes(32 * mebibyte), { flag: 'r+' });
    const error = await errorOf(copiesIn(directory).copy(request(image, { kind: 'atRest' }), signal));
    expect(error).toMatchObject({ code: 'ResourceExhausted' });
    expect(error.message).toMatch(/Mi asked, .*Mi free on/);
    expect(leftIn(directory)).toEqual([]);
  });

  it('a freeze that would last too long: given up, thawed, and told with the figures', async () => {
    const directory = imagesOn('ext4', 1024);
    const source = mounted(directory, 'ext4', 512, 1);
    writeFileSync(join(source.mountPoint, 'payload'), randomBytes(256 * mebibyte));
    const copies = copiesIn(directory);
    const error = await errorOf(copies.copy(request(source.image, source.way), signal));
    expect(error.message).toMatch(/Mi of .*Mi in .* s, and longer its writers shall not wait/);
    expect(await copies.thaw(source.mountPoint, signal)).toBe('notFrozen');
    writeFileSync(join(source.mountPoint, 'goes on'), '');
    expect(leftIn(directory)).toEqual([]);
    unmount(source);
  });

  it('a freeze of what is not mounted there any more: the filesystem around it stays as it is', async () => {
    const directory = imagesOn('ext4', 256);
    const source = mounted(directory, 'ext4', 64);
    unmount(source);
    const error = await errorOf(copiesIn(directory).copy(request(source.image, source.way), signal));
    expect(error.message).toMatch(/not mounted there any more/);
    expect(leftIn(directory)).toEqual([]);
  });

  it('a copy that is stopped in the middle of its freeze: thawed', async () => {
    const directory = imagesOn('ext4', 2048);
    const source = mounted(directory, 'ext4', 1024);
    writeFileSync(join(source.mountPoint, 'payload'), randomBytes(256 * mebibyte));
    const stop = new AbortController();
    const copies = copiesIn(directory);
    const copying = errorOf(copies.copy(request(source.image, source.way), stop.signal));
    const target = join(directory, '.snapshots/shop/copy-1.img');
    const far = (): bigint => copies.progressOf({ source: source.image, target })?.doneBytes ?? 0n;
    while (far() < 16n * BigInt(mebibyte)) await new Promise(setImmediate);
    stop.abort();
    expect(await copying).toMatchObject({ code: 'Aborted' });
    expect(await copies.thaw(source.mountPoint, signal)).toBe('notFrozen');
    copies.discard(target);
    expect(leftIn(directory)).toEqual([]);
    unmount(source);
  });
});
