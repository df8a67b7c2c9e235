import { describe, expect, it } from 'vitest';
import { MountTable } from './mount-table.ts';
import { mountAt } from './testing/volumes.ts';

const root = mountAt('/', { device: '8:1', source: '/dev/sda1' });
const srv = mountAt('/srv');
const nested = mountAt('/srv/data/deep', { device: '0:40', fsType: 'tmpfs' });
const sibling = mountAt('/srv-old', { device: '8:2' });
const cover = mountAt('/srv', { device: '0:41', fsType: 'tmpfs' });
const table = new MountTable([root, srv, nested, sibling, cover]);

describe('MountTable', () => {
  it('lists what is stacked on one path, the visible mount last', () => {
    expect(table.at('/srv')).toEqual([srv, cover]);
    expect(table.top('/srv')).toBe(cover);
  });

  it('answers for exactly the path that is asked for', () => {
    expect(table.at('/srv/')).toEqual([]);
    expect(table.at('/srv/data')).toEqual([]);
    expect(table.top('/absent')).toBeUndefined();
  });

  it('finds every mount of a superblock', () => {
    expect(table.ofDevice('7:3')).toEqual([srv]);
    expect(table.ofDevice('9:9')).toEqual([]);
  });

  it('finds what is at or below a path, without siblings that begin alike', () => {
    expect(table.under('/srv')).toEqual([srv, nested, cover]);
    expect(table.under('/srv/data')).toEqual([nested]);
    expect(table.under('/')).toHaveLength(5);
  });

  it('tells the mount that a path lies on', () => {
    expect(table.holding('/srv/data/deep/file')).toBe(nested);
    expect(table.holding('/srv/data/deep')).toBe(nested);
    expect(table.holding('/srv/data')).toBe(cover);
    expect(table.holding('/srv-old/file')).toBe(sibling);
    expect(table.holding('/srv-older')).toBe(root);
    expect(table.holding('/')).toBe(root);
    expect(new MountTable([srv]).holding('/elsewhere')).toBeUndefined();
  });
});
