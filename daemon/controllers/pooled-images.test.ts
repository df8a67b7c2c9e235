import { beforeEach, describe, expect, it } from 'vitest';
import type { PoolLimits } from '../plan/pool-capacity.ts';
import type { ImageSidecar } from '../ports/images.ts';
import { FakeHost } from '../ports/testing/fake-host.ts';
import { ImagePool } from './image-pool.ts';
import { pooledImageCopies, pooledImages } from './pooled-images.ts';

const mebi = (count: number): bigint => BigInt(count) << 20n;
const never = new AbortController().signal;
let host: FakeHost;
/** What objects tell of. */
let known: Map<string, bigint>;

beforeEach(() => {
  host = new FakeHost();
  known = new Map();
  host.images.space = (directory) =>
    directory === '/pool' || directory === '/other' ? { sizeBytes: mebi(200), freeBytes: mebi(200) } : undefined;
});

function poolOf(limits: PoolLimits = { overcommit: 1 }) {
  const { images, imageCopies } = host;
  const filesystemOf = (path: string) => path.split('/')[1];
  const pool = new ImagePool({ limits, images, promises: () => known, filesystemOf });
  return { images: pooledImages(images, pool), copies: pooledImageCopies(imageCopies, pool) };
}

function sidecar(path: string, size: number): ImageSidecar {
  return {
    apiVersion: 'moored.dev/v1',
    ...{ driver: 'loop.moored.dev', volumeHandle: path, sizeBytes: `${mebi(size)}`, fsType: 'ext4', createdAt: '' },
  };
}

describe('a pool', () => {
  it('counts what no object tells of yet, once', () => {
    const { images } = poolOf();
    images.create('/pool/a/one', sidecar('/pool/a/one', 120));
    expect(() => images.create('/pool/a/two', sidecar('/pool/a/two', 100))).toThrow(
      'Cannot create image "/pool/a/two": 100Mi asked, 120Mi promised, 200Mi at most by overcommit 1, ' +
        '200Mi capacity, 200Mi free, 0 in reserve, on "/pool/a"',
    );
    known.set('/pool/a/one', mebi(120));
    expect(images.space('/pool/a')?.freeBytes).toBe(mebi(80));
    images.create('/pool/b/three', sidecar('/pool/b/three', 80));
    expect(images.space('/pool')?.freeBytes).toBe(0n);
  });

  it('ends where its filesystem does', () => {
    const { images } = poolOf();
    known.set('/other/a/one', mebi(200));
    images.create('/pool/a/one', sidecar('/pool/a/one', 200));
    expect(images.space('/other')?.freeBytes).toBe(0n);
  });

  it('takes an image that is there as it is, however full the pool', () => {
    const { images } = poolOf({ overcommit: 1 });
    images.create('/pool/a/one', sidecar('/pool/a/one', 100));
    known.set('/pool/a/one', mebi(100));
    known.set('/pool/a/more', mebi(1000));
    expect(images.create('/pool/a/one', sidecar('/pool/a/one', 100))).toBe('exists');
  });

  it('gives back what went to the trash or could not be made', () => {
    const { images } = poolOf();
    host.effects.next('createImage', { kind: 'fail', error: new Error('input/output error') });
    expect(() => images.create('/pool/a/one', sidecar('/pool/a/one', 200))).toThrow('input/output error');
    images.create('/pool/a/two', sidecar('/pool/a/two', 200));
    images.moveToTrash('/pool/a/two', '/pool/a/two');
    images.create('/pool/a/three', sidecar('/pool/a/three', 200));
    images.remove('/pool/a/three', '/pool/a/three');
    expect(images.space('/pool')?.freeBytes).toBe(mebi(200));
  });

  it('grows an image by what is left, and lets it be as long as it is', () => {
    const { images } = poolOf();
    images.create('/pool/a/one', sidecar('/pool/a/one', 100));
    known.set('/pool/a/one', mebi(100));
    known.set('/pool/a/two', mebi(50));
    expect(() => images.grow('/pool/a/one', '/pool/a/one', mebi(151))).toThrow(
      /Cannot grow image .*: 51Mi asked, 150Mi promised, 200Mi at most/,
    );
    expect(images.grow('/pool/a/one', '/pool/a/one', mebi(150))).toBe('grown');
    known.set('/pool/a/two', mebi(1000));
    expect(images.grow('/pool/a/one', '/pool/a/one', mebi(150))).toBe('asLong');
  });

  it('promises a copy its room until it is given up, and tells a snapshot of the reserve', async () => {
    const { images, copies } = poolOf({ overcommit: 1, reserve: { kind: 'percent', percent: 10 } });
    images.create('/pool/a/one', sidecar('/pool/a/one', 60));
    const request = { source: '/pool/a/one', sizeBytes: mebi(60), way: { kind: 'atRest' } } as const;
    await copies.copy({ ...request, target: '/pool/a/two', room: 'all' }, never);
    expect(images.space('/pool')?.freeBytes).toBe(mebi(60));
    const third = copies.copy({ ...request, target: '/pool/a/three', sizeBytes: mebi(61), room: 'all' }, never);
    await expect(third).rejects.toThrow(/Cannot copy to image .*61Mi asked, 120Mi promised, 180Mi at most/);
    copies.discard('/pool/a/two');
    expect(images.space('/pool')?.freeBytes).toBe(mebi(120));
    const asked: unknown[] = [];
    host.imageCopies.copy = (given) => {
      asked.push(given.reserveBytes);
      return Promise.reject(new Error('enough'));
    };
    const { copies: again } = poolOf({ reserve: { kind: 'bytes', bytes: 7n } });
    await expect(again.copy({ ...request, target: '/pool/s/four', room: 'written' }, never)).rejects.toThrow('enough');
    expect(asked).toEqual([7n]);
  });
});
