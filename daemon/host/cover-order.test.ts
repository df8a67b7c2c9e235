import { describe, expect, it } from 'vitest';
import type { MountInfo } from '../world/mount-info.ts';
import { inCoverOrder } from './cover-order.ts';

function mount(id: number, parentId: number, mountPoint: string): MountInfo {
  return {
    id: BigInt(id),
    parentId: BigInt(parentId),
    device: `0:${id}`,
    root: '/',
    mountPoint,
    options: ['rw'],
    fsType: 'tmpfs',
    source: 'tmpfs',
    superOptions: ['rw'],
  };
}

const idsAt = (mounts: readonly MountInfo[], path: string) =>
  inCoverOrder(mounts)
    .filter((at) => at.mountPoint === path)
    .map((at) => Number(at.id));

describe('inCoverOrder', () => {
  it('leaves a table without shared paths as it is', () => {
    const mounts = [mount(1, 0, '/'), mount(2, 1, '/b'), mount(3, 1, '/a')];
    expect(inCoverOrder(mounts)).toBe(mounts);
  });

  it('puts a mount after the one it is stacked on, whatever their ages', () => {
    expect(idsAt([mount(1, 0, '/'), mount(5, 9, '/a'), mount(9, 1, '/a')], '/a')).toEqual([9, 5]);
  });

  it('orders a stack of three', () => {
    expect(idsAt([mount(1, 0, '/'), mount(3, 7, '/a'), mount(5, 1, '/a'), mount(7, 5, '/a')], '/a')).toEqual([5, 7, 3]);
  });

  it('puts what lies on a covering parent after what the parent hides', () => {
    const mounts = [mount(1, 0, '/'), mount(2, 4, '/x/y'), mount(3, 1, '/x/y'), mount(4, 1, '/x')];
    expect(idsAt(mounts, '/x/y')).toEqual([3, 2]);
  });

  it('finds a deep hidden branch below a shallow visible one', () => {
    const hidden = [mount(2, 1, '/a'), mount(8, 2, '/a/b'), mount(9, 8, '/a/b/c')];
    const visible = [mount(4, 2, '/a'), mount(5, 4, '/a/b/c')];
    expect(idsAt([mount(1, 0, '/'), ...hidden, ...visible], '/a/b/c')).toEqual([9, 5]);
  });

  it('keeps all mounts, and the places of those that share no path', () => {
    const mounts = [mount(1, 0, '/'), mount(5, 9, '/a'), mount(6, 1, '/z'), mount(9, 1, '/a')];
    expect(inCoverOrder(mounts).map((at) => Number(at.id))).toEqual([1, 9, 6, 5]);
  });

  it('ends on parents that point at each other', () => {
    expect(idsAt([mount(1, 2, '/a'), mount(2, 1, '/a')], '/a')).toHaveLength(2);
  });
});
