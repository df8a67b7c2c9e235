import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LinuxManagedDirectories } from '../../daemon/host/linux-managed-directories.ts';
import { Playground, tool } from './real-mounts.ts';

let playground: Playground;
beforeAll(() => {
  playground = new Playground();
});
afterAll(() => playground[Symbol.dispose]());

const never = new AbortController().signal;
const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);
const isImmutable = (path: string) => tool('lsattr', '-d', path).slice(0, 20).includes('i');

describe.each([{ openat2: true }, { openat2: false }])('LinuxManagedDirectories, openat2: $openat2', (features) => {
  let root: string;
  let outside: string;
  let directories: LinuxManagedDirectories;
  let count = 0;

  beforeEach(() => {
    count += 1;
    root = playground.directory(`root-${features.openat2}-${count}`);
    outside = playground.directory(`outside-${features.openat2}-${count}`);
    directories = new LinuxManagedDirectories(root, features);
  });

  it('makes each missing level with 0750, and keeps a directory that is there as it is', () => {
    mkdirSync(join(root, 'pods'));
    chmodSync(join(root, 'pods'), 0o711);
    directories.ensureDirectory(join(root, 'pods/uid/volumes/x'));
    directories.ensureDirectory(join(root, 'pods/uid/volumes/x'));
    expect(['pods', 'pods/uid', 'pods/uid/volumes/x'].map((path) => modeOf(join(root, path)))).toEqual([
      '711',
      '750',
      '750',
    ]);
  });

  it('refuses a file where a directory is wanted', () => {
    writeFileSync(join(root, 'file'), '');
    expect(() => directories.ensureDirectory(join(root, 'file'))).toThrow(
      /Cannot make directory ".*\/file": a file is there/,
    );
    expect(() => directories.ensureDirectory(join(root, 'file/below'))).toThrow(
      expect.objectContaining({ code: 'FailedPrecondition' }),
    );
  });

  it.each(['', '/..', '/../outside', '-beside', '/a/../../b', '/a//b', '/a/./b', '/a/'])(
    'refuses to change "root%s"',
    (suffix) => {
      const path = `${root}${suffix}`;
      for (const change of [
        () => directories.seal(path),
        () => directories.remove(path),
        () => directories.ensureFile(path),
      ]) {
        expect(change).toThrow(expect.objectContaining({ code: 'PermissionDenied' }));
      }
      expect(readdirSync(root)).toEqual([]);
    },
  );

  it('follows no symlink, neither in the middle nor at the end', async () => {
    writeFileSync(join(outside, 'precious'), 'x');
    mkdirSync(join(outside, 'empty'));
    symlinkSync(outside, join(root, 'link'));
    const through = join(root, 'link/empty');
    expect(() => directories.ensureDirectory(join(root, 'link/new'))).toThrow(
      expect.objectContaining({ code: 'FailedPrecondition' }),
    );
    expect(() => directories.seal(through)).toThrow();
    expect(() => directories.remove(through)).toThrow();
    expect(() => directories.setMode(join(root, 'link'), 0o777)).toThrow();
    expect(() => directories.list(join(root, 'link'))).toThrow();
    expect(() => directories.remove(join(root, 'link'))).toThrow('a symlink is there');
    await expect(directories.removeTree(join(root, 'link'), never)).rejects.toThrow();
    expect(directories.kindOf(join(root, 'link'))).toBe('symlink');
    expect(readdirSync(outside).sort()).toEqual(['empty', 'precious']);
    expect(modeOf(join(outside, 'empty'))).toBe('755');
    expect(lstatSync(join(root, 'link')).isSymbolicLink()).toBe(true);
  });

  it('seals a new directory with its parents, so that even root cannot write into it', () => {
    const target = join(root, 'pods/uid/target');
    directories.seal(target);
    expect(modeOf(target)).toBe('0');
    expect(isImmutable(target)).toBe(true);
    expect(() => writeFileSync(join(target, 'early'), '')).toThrow(/EPERM/);
    directories.seal(target);
    expect(isImmutable(target)).toBe(true);
  });

  it('seals an empty directory that is there, also one that is immutable with another mode', () => {
    const target = join(root, 'target');
    mkdirSync(target);
    tool('chattr', '+i', target);
    directories.seal(target);
    expect([modeOf(target), isImmutable(target)]).toEqual(['0', true]);
  });

  it('does not seal a directory with entries', () => {
    mkdirSync(join(root, 'full'));
    writeFileSync(join(root, 'full/data'), 'x');
    expect(() => directories.seal(join(root, 'full'))).toThrow(expect.objectContaining({ code: 'TargetNotEmpty' }));
    expect(modeOf(join(root, 'full'))).toBe('755');
  });

  it('neither seals nor removes what something is mounted on', () => {
    const target = join(root, 'target');
    directories.seal(target);
    tool('mount', '-t', 'tmpfs', 'tmpfs', target);
    expect(() => directories.seal(target)).toThrow(expect.objectContaining({ code: 'Busy' }));
    expect(() => directories.remove(target)).toThrow(expect.objectContaining({ code: 'Busy' }));
    expect(modeOf(target)).toBe('1777');
    tool('umount', target);
    expect(isImmutable(target)).toBe(true);
  });

  it('seals on a filesystem where tmpfs may lack flags', () => {
    const scratch = join(root, 'scratch');
    mkdirSync(scratch);
    tool('mount', '-t', 'tmpfs', 'tmpfs', scratch);
    directories.seal(join(scratch, 'target'));
    expect(modeOf(join(scratch, 'target'))).toBe('0');
    expect(directories.remove(join(scratch, 'target'))).toBe('removed');
  });

  it('removes sealed directories and empty files, and says when nothing is there', () => {
    directories.seal(join(root, 'a/target'));
    directories.ensureFile(join(root, 'a/device'));
    directories.ensureFile(join(root, 'a/device'));
    expect(directories.remove(join(root, 'a/target'))).toBe('removed');
    expect(directories.remove(join(root, 'a/device'))).toBe('removed');
    expect(directories.remove(join(root, 'a/target'))).toBe('absent');
    expect(directories.remove(join(root, 'no/such/parent'))).toBe('absent');
  });

  it('removes nothing that has something in it', () => {
    mkdirSync(join(root, 'full'));
    writeFileSync(join(root, 'full/data'), 'x');
    expect(() => directories.remove(join(root, 'full'))).toThrow(expect.objectContaining({ code: 'TargetNotEmpty' }));
    expect(() => directories.remove(join(root, 'full/data'))).toThrow('a file of 1 bytes is there');
    expect(() => directories.ensureFile(join(root, 'full/data'))).toThrow('a file of 1 bytes is there');
    expect(existsSync(join(root, 'full/data'))).toBe(true);
  });

  it('lists names, an absent directory as none, and a file as an error', () => {
    directories.ensureDirectory(join(root, 'b'));
    directories.ensureFile(join(root, 'a'));
    expect([...directories.list(root)].sort()).toEqual(['a', 'b']);
    expect(directories.list(join(root, 'absent/too'))).toEqual([]);
    expect(() => directories.list(join(root, 'a'))).toThrow();
  });

  it('tells what is at a path', () => {
    directories.ensureDirectory(join(root, 'd'));
    directories.ensureFile(join(root, 'f'));
    tool('mknod', join(root, 'b'), 'b', '7', '0');
    tool('mkfifo', join(root, 'p'));
    const kinds = ['d', 'f', 'b', 'p', 'absent'].map((name) => directories.kindOf(join(root, name)));
    expect(kinds).toEqual(['directory', 'file', 'blockDevice', 'other', 'absent']);
    expect(directories.kindOf(root)).toBe('directory');
  });

  it('sets the mode of a directory', () => {
    directories.ensureDirectory(join(root, 'd'));
    directories.setMode(join(root, 'd'), 0o777);
    expect(modeOf(join(root, 'd'))).toBe('777');
  });

  it('removes a tree: many entries, deep, strange names, symlinks as such', async () => {
    const tree = join(root, 'tree');
    let deep = tree;
    for (let level = 0; level < 300; level += 1) deep = `${deep}/d`;
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, 'bottom'), '');
    for (let index = 0; index < 1000; index += 1) writeFileSync(join(tree, `file-${index}`), '');
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe, 0x0a])]), '');
    writeFileSync(join(outside, 'precious'), 'x');
    symlinkSync(outside, join(tree, 'link'));
    tool('mkfifo', join(tree, 'fifo'));
    await directories.removeTree(tree, never);
    expect(existsSync(tree)).toBe(false);
    expect(existsSync(join(outside, 'precious'))).toBe(true);
    await directories.removeTree(tree, never);
  });

  it.each(['tmpfs', 'bind', 'file'])('stops at a %s that is mounted in the tree', async (kind) => {
    const inner = join(root, 'tree/a/mounted');
    writeFileSync(join(outside, 'precious'), 'x');
    mkdirSync(join(root, 'tree/a'), { recursive: true });
    if (kind === 'file') writeFileSync(inner, '');
    else mkdirSync(inner);
    if (kind === 'tmpfs') tool('mount', '-t', 'tmpfs', 'tmpfs', inner);
    if (kind === 'bind') tool('mount', '--bind', outside, inner);
    if (kind === 'file') tool('mount', '--bind', join(outside, 'precious'), inner);
    await expect(directories.removeTree(join(root, 'tree'), never)).rejects.toMatchObject({ code: 'ForeignMount' });
    expect(existsSync(join(outside, 'precious'))).toBe(true);
    expect(existsSync(inner)).toBe(true);
    tool('umount', inner);
    await directories.removeTree(join(root, 'tree'), never);
    expect(readdirSync(root)).toEqual([]);
  });

  it('does not remove a tree that is a mount itself', async () => {
    const target = join(root, 'mounted');
    mkdirSync(target);
    tool('mount', '-t', 'tmpfs', 'tmpfs', target);
    writeFileSync(join(target, 'data'), '');
    await expect(directories.removeTree(target, never)).rejects.toMatchObject({ code: 'ForeignMount' });
    expect(existsSync(join(target, 'data'))).toBe(true);
  });

  it('stops when it is told to, between two portions', async () => {
    const tree = join(root, 'tree');
    mkdirSync(tree);
    for (let index = 0; index < 500; index += 1) writeFileSync(join(tree, `file-${index}`), '');
    const stop = new AbortController();
    const removing = directories.removeTree(tree, stop.signal);
    stop.abort();
    await expect(removing).rejects.toMatchObject({ code: 'Aborted', progress: 'uncertain' });
    expect(readdirSync(tree).length).toBeGreaterThan(0);
  });
});

describe('a root dir', () => {
  it('must be a real path', () => {
    const real = playground.directory('real');
    symlinkSync(real, join(playground.root, 'alias'));
    const alias = join(playground.root, 'alias');
    expect(() => new LinuxManagedDirectories(alias, { openat2: true })).toThrow(`its real path is "${real}"`);
  });
});
