import {
  closeSync,
  existsSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { probeKernelFeatures } from '../../daemon/host/kernel-features.ts';
import { LinuxImages } from '../../daemon/host/linux-images.ts';
import type { ImageSidecar } from '../../daemon/ports/images.ts';
import { StorageError } from '../../daemon/world/storage-error.ts';
import { Playground, tool } from './real-mounts.ts';

const MEBI = 1024 * 1024;

let playground: Playground;
let root: string;
let path: string;
let images: LinuxImages;
let count = 0;

beforeAll(() => {
  playground = new Playground();
});
afterAll(() => playground[Symbol.dispose]());

beforeEach(() => {
  count += 1;
  root = playground.directory(`test-${count}`);
  images = imagesIn(join(root, 'images'));
  path = join(root, 'images', 'shop', 'data-1234.img');
});

function imagesIn(imagesDirectory: string, features = probeKernelFeatures()): LinuxImages {
  return new LinuxImages({ features, imagesDirectory, clock: { timestamp: () => '2026-01-02T03:04:05.678Z' } });
}

function sidecar(changes: Partial<ImageSidecar> = {}): ImageSidecar {
  return {
    apiVersion: 'moored.dev/v1',
    driver: 'loop.moored.dev',
    volumeHandle: 'pvc-1234',
    claim: { namespace: 'shop', name: 'data', uid: '1234' },
    sizeBytes: String(8 * MEBI),
    fsType: 'ext4',
    createdAt: '2026-01-01T00:00:00.000Z',
    ...changes,
  };
}

function errorOf(work: () => unknown): StorageError {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof StorageError) return thrown;
    throw thrown;
  }
  throw new Error('Cannot get the error: there was none');
}

const permissions = (file: string) => (statSync(file).mode & 0o7777).toString(8);
const sidecarAt = (file: string) => JSON.parse(readFileSync(`${file}.json`, 'utf8')) as unknown;

/** Everything about a file that an untouched one keeps. */
function traces(file: string) {
  const { ino, size, mtimeNs, ctimeNs, mode } = statSync(file, { bigint: true });
  return { ino, size, mtimeNs, ctimeNs, mode, text: readFileSync(file, 'latin1') };
}

describe.each([true, false])('create, openat2: %s', (openat2) => {
  beforeEach(() => {
    images = imagesIn(join(root, 'images'), { ...probeKernelFeatures(), openat2 });
  });

  it('makes a sparse image, its sidecar and the directories above, for root alone', () => {
    expect(images.create(path, sidecar())).toBe('created');
    const { size, blocks } = statSync(path);
    expect([size, blocks]).toEqual([8 * MEBI, 0]);
    expect([path, `${path}.json`].map(permissions)).toEqual(['600', '600']);
    expect([dirname(path), join(root, 'images')].map(permissions)).toEqual(['700', '700']);
    expect(sidecarAt(path)).toEqual(sidecar());
    expect(readdirSync(dirname(path)).sort()).toEqual(['data-1234.img', 'data-1234.img.json']);
  });

  it('keeps what is there of the same identity, also with data in it', () => {
    images.create(path, sidecar());
    tool('mkfs.ext4', '-q', '-F', path);
    const before = [traces(path), traces(`${path}.json`)];
    expect(images.create(path, sidecar({ createdAt: '2027-01-01T00:00:00.000Z' }))).toBe('exists');
    expect([traces(path), traces(`${path}.json`)]).toEqual(before);
  });

  it('goes through no symlink', () => {
    mkdirSync(join(root, 'elsewhere'));
    mkdirSync(join(root, 'images'));
    symlinkSync(join(root, 'elsewhere'), dirname(path));
    expect(() => images.create(path, sidecar())).toThrow(StorageError);
    expect(readdirSync(join(root, 'elsewhere'))).toEqual([]);
  });
});

describe('create', () => {
  it.each([
    ['an image without a sidecar', {}, 'a file without sidecar'],
    ['an image of another volume', { volumeHandle: 'pvc-other' }, 'volumeHandle "pvc-other", wanted "pvc-1234"'],
    ['an image of another driver', { driver: 'other' }, 'driver "other", wanted "loop.moored.dev"'],
    ['an image of another size', { sizeBytes: '4096' }, 'sizeBytes "4096", wanted "8388608"'],
    ['a sidecar of a later version', { apiVersion: 'moored.dev/v9' as 'moored.dev/v1' }, 'no moored.dev/v1 sidecar'],
  ] as const)('does not touch %s', (name, changes, cause) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'precious');
    if (name !== 'an image without a sidecar') writeFileSync(`${path}.json`, JSON.stringify(sidecar(changes)));
    const before = traces(path);
    const error = errorOf(() => images.create(path, sidecar()));
    expect(error).toMatchObject({ code: 'AlreadyExists', progress: 'final' });
    expect(error.message).toContain(`Cannot create image "${path}": `);
    expect(error.message).toContain(cause);
    expect(traces(path)).toEqual(before);
  });

  it('does not touch an image of ours whose size somebody changed', () => {
    images.create(path, sidecar());
    truncateSync(path, 9 * MEBI);
    expect(errorOf(() => images.create(path, sidecar())).message).toContain('it has 9437184 bytes, wanted 8388608');
    writeFileSync(path, 'short but precious');
    expect(errorOf(() => images.create(path, sidecar())).code).toBe('AlreadyExists');
    expect(readFileSync(path, 'utf8')).toBe('short but precious');
  });

  it('does not follow a symlink where the image or its sidecar should be', () => {
    mkdirSync(dirname(path), { recursive: true });
    const outside = join(root, 'outside');
    symlinkSync(outside, path);
    expect(errorOf(() => images.create(path, sidecar())).code).toBe('AlreadyExists');
    writeFileSync(`${path}.json`, JSON.stringify(sidecar()));
    expect(errorOf(() => images.create(path, sidecar())).message).toContain('a symlink is there');
    unlinkSync(path);
    renameSync(`${path}.json`, outside);
    symlinkSync(outside, `${path}.json`);
    expect(errorOf(() => images.create(path, sidecar())).message).toContain('is a symlink');
    expect(existsSync(path)).toBe(false);
  });

  describe('after an interruption', () => {
    it.each([
      [
        'before the sidecar was whole',
        () => {
          unlinkSync(path);
          renameSync(`${path}.json`, join(dirname(path), '.data-1234.img.tmp'));
          truncateSync(join(dirname(path), '.data-1234.img.tmp'), 5);
        },
      ],
      ['before the image', () => unlinkSync(path)],
      ['before the size was set', () => truncateSync(path, 0)],
    ])('%s', (_, interrupt) => {
      images.create(path, sidecar());
      interrupt();
      expect(images.create(path, sidecar())).toBe('created');
      expect(statSync(path)).toMatchObject({ size: 8 * MEBI, blocks: 0 });
      expect(sidecarAt(path)).toEqual(sidecar());
      expect(images.create(path, sidecar())).toBe('exists');
      expect(readdirSync(dirname(path)).sort()).toEqual(['data-1234.img', 'data-1234.img.json']);
    });
  });

  it('says what is free when that is too little, and leaves nothing', () => {
    const small = playground.directory(`small-${count}`);
    tool('mount', '-t', 'tmpfs', '-o', 'size=12M', 'small', small);
    const inside = join(small, 'shop', 'a.img');
    mkdirSync(dirname(inside), { mode: 0o700 });
    writeFileSync(join(small, 'filler'), Buffer.alloc(MEBI / 2));
    expect(errorOf(() => imagesIn(small).create(inside, sidecar({ sizeBytes: String(64 * MEBI) })))).toMatchObject({
      code: 'ResourceExhausted',
      progress: 'final',
      message: `Cannot create image "${inside}": 64Mi asked, 11.5Mi free on "${dirname(inside)}"`,
    });
    expect(readdirSync(dirname(inside))).toEqual([]);
    expect(imagesIn(small).create(inside, sidecar())).toBe('created');
    tool('umount', small);
  });

  it('is ResourceExhausted without inodes, and converges when there are some', () => {
    const small = playground.directory(`inodes-${count}`);
    tool('mount', '-t', 'tmpfs', '-o', 'size=32M,nr_inodes=4,mode=0700', 'small', small);
    const inside = join(small, 'a.img');
    writeFileSync(join(small, 'one'), '');
    writeFileSync(join(small, 'two'), '');
    // The sidecar takes the last one.
    expect(errorOf(() => imagesIn(small).create(inside, sidecar())).code).toBe('ResourceExhausted');
    expect(readdirSync(small).sort()).toEqual(['a.img.json', 'one', 'two']);
    unlinkSync(join(small, 'one'));
    expect(imagesIn(small).create(inside, sidecar())).toBe('created');
    tool('umount', small);
  });

  it.each(['0', '-1', '9007199254740993'])('refuses a size of %s bytes', (sizeBytes) => {
    expect(errorOf(() => images.create(path, sidecar({ sizeBytes }))).code).toBe('InvalidArgument');
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it('makes one directory elsewhere, and none above it', () => {
    const elsewhere = join(root, 'big-disk');
    const inside = join(elsewhere, 'shop', 'a.img');
    expect(errorOf(() => images.create(inside, sidecar()))).toMatchObject({
      code: 'NotFound',
      message: `Cannot create image "${inside}": no such directory "${elsewhere}"`,
    });
    expect(existsSync(elsewhere)).toBe(false);
    mkdirSync(elsewhere);
    expect(images.create(inside, sidecar())).toBe('created');
    expect(permissions(dirname(inside))).toBe('700');
  });

  it('trusts no directory that others may write', () => {
    mkdirSync(dirname(path), { recursive: true });
    tool('chmod', '0775', dirname(path));
    expect(errorOf(() => images.create(path, sidecar())).code).toBe('PermissionDenied');
    tool('chmod', '0755', dirname(path));
    tool('chown', '65534', dirname(path));
    expect(errorOf(() => images.create(path, sidecar())).code).toBe('PermissionDenied');
    expect(readdirSync(dirname(path))).toEqual([]);
  });
});

describe('paths', () => {
  it.each(['create', 'moveToTrash', 'remove'] as const)('%s takes plain absolute paths only', (verb) => {
    const call = (file: string) => {
      if (verb === 'create') return images.create(file, sidecar());
      return images[verb](file, 'pvc-1234');
    };
    const bad = [
      '',
      'a.img',
      '/',
      `${root}/images/../a.img`,
      `${root}//a.img`,
      `${root}/a.img/`,
      `${root}/..`,
      `${root}/.hidden`,
      `${root}/a b`,
      `${root}/a\0.img`,
      `${root}/${'x'.repeat(220)}`,
    ];
    for (const file of bad) expect([file, errorOf(() => call(file)).code]).toEqual([file, 'InvalidArgument']);
    expect(readdirSync(root)).toEqual([]);
  });
});

describe('stat', () => {
  it('tells who the image is and that nothing was ever written to it', () => {
    images.create(path, sidecar());
    const { dev, ino } = statSync(path, { bigint: true });
    expect(images.stat(path)).toEqual({ device: dev, inode: ino, sizeBytes: BigInt(8 * MEBI), isAllHole: true });
  });

  it.each([0, 64 * 1024, 4 * MEBI, 8 * MEBI - 1])('sees one byte written at %d', (offset) => {
    images.create(path, sidecar());
    const fd = openSync(path, 'r+');
    writeSync(fd, 'x', offset);
    closeSync(fd);
    expect(images.stat(path)?.isAllHole).toBe(false);
  });

  it('sees zeros that were written', () => {
    images.create(path, sidecar());
    const fd = openSync(path, 'r+');
    writeSync(fd, Buffer.alloc(4096), 0, 4096, 4 * MEBI);
    closeSync(fd);
    expect(images.stat(path)?.isAllHole).toBe(false);
  });

  it('takes an empty file for no proof, and a small or odd one as it is', () => {
    const file = join(root, 'user.img');
    const fd = openSync(file, 'w');
    expect(images.stat(file)).toMatchObject({ sizeBytes: 0n, isAllHole: false });
    ftruncateSync(fd, 700);
    expect(images.stat(file)).toMatchObject({ sizeBytes: 700n, isAllHole: true });
    closeSync(fd);
  });

  it('says absent for ENOENT only', () => {
    expect(images.stat(path)).toBeUndefined();
    writeFileSync(join(root, 'file'), '');
    expect(() => images.stat(join(root, 'file', 'a.img'))).toThrow(StorageError);
    symlinkSync(join(root, 'nowhere'), join(root, 'dangling.img'));
    expect(errorOf(() => images.stat(join(root, 'dangling.img'))).code).toBe('PermissionDenied');
    expect(errorOf(() => images.stat(root)).code).toBe('FailedPrecondition');
  });
});

describe('grow', () => {
  const twice = BigInt(16 * MEBI);

  it('makes the image longer, what is in it stays, and its sidecar says so', () => {
    images.create(path, sidecar());
    writeFileSync(path, 'data', { flag: 'r+' });
    const { ino } = statSync(path);
    expect(images.grow(path, 'pvc-1234', twice)).toBe('grown');
    expect(statSync(path)).toMatchObject({ ino, size: 16 * MEBI });
    expect(readFileSync(path).subarray(0, 4).toString()).toBe('data');
    expect(sidecarAt(path)).toEqual(sidecar({ sizeBytes: `${16 * MEBI}` }));
    expect(permissions(`${path}.json`)).toBe('600');
  });

  it('never makes it shorter', () => {
    images.create(path, sidecar());
    expect(images.grow(path, 'pvc-1234', BigInt(MEBI))).toBe('asLong');
    expect(statSync(path).size).toBe(8 * MEBI);
    expect(sidecarAt(path)).toEqual(sidecar());
  });

  it('completes one that was cut off before the sidecar was written', () => {
    images.create(path, sidecar());
    truncateSync(path, 16 * MEBI);
    expect(images.grow(path, 'pvc-1234', twice)).toBe('asLong');
    expect(sidecarAt(path)).toEqual(sidecar({ sizeBytes: `${16 * MEBI}` }));
  });

  it('refuses what is not ours, is not there, or is no file', () => {
    images.create(path, sidecar());
    expect(errorOf(() => images.grow(path, 'pvc-other', twice)).code).toBe('FailedPrecondition');
    expect(statSync(path).size).toBe(8 * MEBI);
    unlinkSync(path);
    expect(errorOf(() => images.grow(path, 'pvc-1234', twice)).code).toBe('NotFound');
    mkdirSync(path);
    expect(errorOf(() => images.grow(path, 'pvc-1234', twice)).code).toBe('FailedPrecondition');
  });

  it('names the figures when the filesystem has no room for all that may be written', () => {
    tool('mount', '-t', 'tmpfs', '-o', 'size=32m', 'small', root);
    try {
      images.create(path, sidecar());
      const error = errorOf(() => images.grow(path, 'pvc-1234', BigInt(64 * MEBI)));
      expect(error).toMatchObject({ code: 'ResourceExhausted', progress: 'final' });
      expect(error.message).toMatch(/64Mi asked, .*Mi free on/);
      expect(statSync(path).size).toBe(8 * MEBI);
      expect(images.grow(path, 'pvc-1234', twice)).toBe('grown');
      // What is written already has its place: only the rest is asked for.
      writeFileSync(path, Buffer.alloc(16 * MEBI, 'x'), { flag: 'r+' });
      expect(images.grow(path, 'pvc-1234', BigInt(24 * MEBI))).toBe('grown');
    } finally {
      tool('umount', root);
    }
  });
});

describe('moveToTrash', () => {
  it('moves image and sidecar, the same inode', () => {
    images.create(path, sidecar());
    const { ino } = statSync(path);
    const trash = images.moveToTrash(path, 'pvc-1234');
    expect(trash).toBe(join(dirname(path), '.trash', 'data-1234.img.20260102T030405.678Z'));
    expect(statSync(trash).ino).toBe(ino);
    expect(sidecarAt(trash)).toEqual(sidecar());
    expect(permissions(dirname(trash))).toBe('700');
    expect(readdirSync(dirname(path))).toEqual(['.trash']);
    expect(images.stat(path)).toBeUndefined();
  });

  it('replaces nothing that is in the trash', () => {
    images.create(path, sidecar());
    writeFileSync(path, 'first');
    const first = images.moveToTrash(path, 'pvc-1234');
    images.create(path, sidecar());
    const second = images.moveToTrash(path, 'pvc-1234');
    expect(second).not.toBe(first);
    expect(readFileSync(first, 'utf8')).toBe('first');
  });

  it('refuses what is not ours', () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'precious');
    expect(errorOf(() => images.moveToTrash(path, 'pvc-1234'))).toMatchObject({
      code: 'FailedPrecondition',
      message: `Cannot move to trash image "${path}": it has no sidecar "${path}.json"`,
    });
    writeFileSync(`${path}.json`, JSON.stringify(sidecar()));
    expect(errorOf(() => images.moveToTrash(path, 'pvc-other')).message).toContain('wanted "pvc-other"');
    writeFileSync(`${path}.json`, '{}');
    expect(() => images.moveToTrash(path, 'pvc-1234')).toThrow(StorageError);
    expect(readFileSync(path, 'utf8')).toBe('precious');
    expect(readdirSync(dirname(path)).sort()).toEqual(['data-1234.img', 'data-1234.img.json']);
  });

  it('does not leave the filesystem or follow a planted trash', () => {
    images.create(path, sidecar());
    const trash = join(dirname(path), '.trash');
    symlinkSync(root, trash);
    expect(() => images.moveToTrash(path, 'pvc-1234')).toThrow(StorageError);
    unlinkSync(trash);
    mkdirSync(trash);
    tool('mount', '-t', 'tmpfs', 'other', trash);
    expect(errorOf(() => images.moveToTrash(path, 'pvc-1234')).code).toBe('ForeignMount');
    tool('umount', trash);
    expect(images.stat(path)?.sizeBytes).toBe(BigInt(8 * MEBI));
    expect(sidecarAt(path)).toEqual(sidecar());
  });

  it('says that an image is not there', () => {
    expect(errorOf(() => images.moveToTrash(path, 'pvc-1234')).code).toBe('NotFound');
  });
});

describe('replace', () => {
  it('puts a new blank image in the place of the old one, which goes to the trash', () => {
    images.create(path, sidecar());
    writeFileSync(path, 'half a filesystem', { flag: 'r+' });
    images.replace(path, 'pvc-1234');
    expect(images.stat(path)).toMatchObject({ isAllHole: true, sizeBytes: BigInt(sidecar().sizeBytes) });
    expect(sidecarAt(path)).toEqual(sidecar());
    const trash = join(dirname(path), '.trash');
    const [kept = ''] = readdirSync(trash).filter((name) => !name.endsWith('.json'));
    expect(readFileSync(join(trash, kept)).subarray(0, 17).toString()).toBe('half a filesystem');
  });

  it('goes on where it was cut off: the sidecar alone makes the image again', () => {
    images.create(path, sidecar());
    unlinkSync(path);
    images.replace(path, 'pvc-1234');
    expect(images.stat(path)).toMatchObject({ isAllHole: true, sizeBytes: BigInt(sidecar().sizeBytes) });
  });

  it('refuses what is not ours', () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'precious');
    expect(errorOf(() => images.replace(path, 'pvc-1234')).code).toBe('FailedPrecondition');
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });
});

describe('remove', () => {
  it('unlinks image and sidecar, and is content with what is gone', () => {
    images.create(path, sidecar());
    images.remove(path, 'pvc-1234');
    expect(readdirSync(dirname(path))).toEqual([]);
    images.remove(path, 'pvc-1234');
    images.remove(join(root, 'images', 'nowhere', 'a.img'), 'pvc-1234');
  });

  it('goes on after an interruption between image and sidecar', () => {
    images.create(path, sidecar());
    unlinkSync(path);
    images.remove(path, 'pvc-1234');
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it('refuses what is not ours', () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'precious');
    const remove = () => images.remove(path, 'pvc-1234');
    expect(errorOf(remove).code).toBe('FailedPrecondition');
    writeFileSync(`${path}.json`, JSON.stringify(sidecar({ volumeHandle: 'pvc-other' })));
    expect(errorOf(remove).code).toBe('FailedPrecondition');
    writeFileSync(`${path}.json`, 'no json');
    expect(errorOf(remove).code).toBe('FailedPrecondition');
    expect(readFileSync(path, 'utf8')).toBe('precious');
    expect(readdirSync(dirname(path))).toHaveLength(2);
  });

  it('unlinks no directory and no symlink in the image’s place', () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.json`, JSON.stringify(sidecar()));
    mkdirSync(path);
    expect(errorOf(() => images.remove(path, 'pvc-1234')).message).toContain('it is a directory');
    const other = join(dirname(path), 'other.img');
    writeFileSync(`${other}.json`, JSON.stringify(sidecar()));
    writeFileSync(join(root, 'precious'), '');
    symlinkSync(join(root, 'precious'), other);
    expect(errorOf(() => images.remove(other, 'pvc-1234')).message).toContain('it is a symlink');
    expect(existsSync(join(root, 'precious'))).toBe(true);
  });

  it('leaves other names of the same file', () => {
    images.create(path, sidecar());
    linkSync(path, join(root, 'kept.img'));
    images.remove(path, 'pvc-1234');
    expect(statSync(join(root, 'kept.img')).size).toBe(8 * MEBI);
  });
});
