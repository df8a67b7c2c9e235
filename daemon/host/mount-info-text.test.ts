import { describe, expect, it } from 'vitest';
import { parseMountInfo, unescapeOctal } from './mount-info-text.ts';

const only = (line: string) => parseMountInfo(`${line}\n`)[0];

describe('parseMountInfo', () => {
  it('reads the example of proc_pid_mountinfo(5)', () => {
    expect(only('36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue')).toEqual({
      id: 36n,
      parentId: 35n,
      device: '98:0',
      root: '/mnt1',
      mountPoint: '/mnt2',
      options: ['rw', 'noatime'],
      fsType: 'ext3',
      source: '/dev/root',
      superOptions: ['rw', 'errors=continue'],
    });
  });

  it.each([
    ['none', ''],
    ['shared', ' shared:7'],
    ['several', ' shared:7 master:3 propagate_from:2'],
    ['unbindable', ' unbindable'],
    ['one of a later kernel', ' novel:tag=1'],
  ])('skips optional fields: %s', (_, optional) => {
    const mount = only(`60 27 7:0 / /mnt/a rw,nosuid${optional} - ext4 /dev/loop0 rw`);
    expect(mount).toMatchObject({
      mountPoint: '/mnt/a',
      options: ['rw', 'nosuid'],
      fsType: 'ext4',
      source: '/dev/loop0',
    });
  });

  it('takes blanks, tabs, newlines and backslashes out of their escapes', () => {
    const mount = only('60 27 0:9 /a\\040b /mnt/c\\011d\\012e\\134f rw - tmpfs my\\040disk rw,label=x\\040y');
    expect(mount).toMatchObject({
      root: '/a b',
      mountPoint: '/mnt/c\td\ne\\f',
      source: 'my disk',
      superOptions: ['rw', 'label=x y'],
    });
  });

  it('keeps an escaped backslash before digits from being read twice', () => {
    expect(unescapeOctal('a\\134040')).toBe('a\\040');
  });

  it('keeps a hyphen in fields that are not the separator', () => {
    const mount = only('60 27 7:0 /- /mnt/- rw - ext4 - rw');
    expect(mount).toMatchObject({ root: '/-', mountPoint: '/mnt/-', fsType: 'ext4', source: '-' });
  });

  it('takes an empty source', () => {
    expect(only('60 27 0:50 / /mnt/a rw,relatime - tmpfs  rw,size=4k')).toMatchObject({
      source: '',
      superOptions: ['rw', 'size=4k'],
    });
  });

  it('tells the root of a bind and a type with a subtype', () => {
    expect(only('71 27 0:60 /sub/dir /mnt/b ro - fuse.sshfs me@host:/x rw')).toMatchObject({
      root: '/sub/dir',
      fsType: 'fuse.sshfs',
    });
  });

  it('keeps the order of the lines, and takes text without a last newline', () => {
    const text = '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:5 / /proc rw - proc proc rw';
    expect(parseMountInfo(text).map((mount) => mount.id)).toEqual([1n, 2n]);
  });

  it('takes an empty table', () => {
    expect(parseMountInfo('')).toEqual([]);
  });

  it.each([
    ['an empty line between two', '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n\n2 1 0:5 / /proc rw - proc proc rw\n'],
    ['no separator', '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 ext3 /dev/root rw\n'],
    ['a line cut off after the separator', '36 35 98:0 / /mnt2 rw - ext3\n'],
    ['a line cut off before the options', '36 35 98:0 / /mnt2\n'],
    ['an id that is no number', 'x 35 98:0 / /mnt2 rw - ext3 /dev/root rw\n'],
    ['a device without a minor', '36 35 98 / /mnt2 rw - ext3 /dev/root rw\n'],
    ['a relative mount point', '36 35 98:0 / mnt2 rw - ext3 /dev/root rw\n'],
    ['a field too many', '36 35 98:0 / /mnt2 rw - ext3 /dev/root rw more\n'],
  ])('refuses the whole table for %s', (_, text) => {
    expect(() => parseMountInfo(text)).toThrow(/^Cannot parse mountinfo line "/);
  });
});
