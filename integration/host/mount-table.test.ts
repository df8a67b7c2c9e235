import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { probeKernelFeatures } from '../../daemon/host/kernel-features.ts';
import { LinuxMountTable } from '../../daemon/host/linux-mount-table.ts';
import { MountInfoReader } from '../../daemon/host/mount-info-reader.ts';
import { StatmountReader } from '../../daemon/host/statmount-reader.ts';
import type { MountInfo } from '../../daemon/world/mount-info.ts';
import type { MountTable } from '../../daemon/world/mount-table.ts';
import { Playground, tool, untilTable } from './real-mounts.ts';

let playground: Playground;
beforeAll(() => {
  playground = new Playground();
});
afterAll(() => playground[Symbol.dispose]());

const features = probeKernelFeatures();
const readers = [
  { name: 'text with recycled ids', listmount: false, statmount: false },
  ...(features.listmount ? [{ name: 'text with unique ids', listmount: true, statmount: false }] : []),
  ...(features.statmount ? [{ name: 'statmount', listmount: true, statmount: true }] : []),
];

describe.each(readers)('LinuxMountTable by $name', (reader) => {
  let table: LinuxMountTable;
  let target: string;
  let count = 0;
  const failures: unknown[] = [];

  beforeEach(() => {
    count += 1;
    target = playground.directory(`${reader.name.replaceAll(' ', '-')}-${count}`);
    failures.length = 0;
    table = new LinuxMountTable({
      features: reader,
      managedRoot: playground.root,
      many: 0,
      onFailure: (error) => failures.push(error),
    });
  });
  afterEach(async () => {
    await table[Symbol.asyncDispose]();
    expect(failures).toEqual([]);
  });

  it("reports somebody else's mount and unmount", async () => {
    const mounted = untilTable(table, (now) => now.top(target) !== undefined);
    tool('mount', '-t', 'tmpfs', '-o', 'size=64k', 'outside', target);
    expect((await mounted).top(target)).toMatchObject({ fsType: 'tmpfs', source: 'outside', root: '/' });
    const unmounted = untilTable(table, (now) => now.top(target) === undefined);
    tool('umount', target);
    await unmounted;
    expect(table.current().at(target)).toEqual([]);
  });

  it('reports a remount, which keeps the id of the mount', async () => {
    tool('mount', '-t', 'tmpfs', 'outside', target);
    const before = (await table.refresh()).top(target);
    const remounted = untilTable(table, (now) => now.top(target)?.options.includes('ro') === true);
    tool('mount', '-o', 'remount,bind,ro', target);
    expect((await remounted).top(target)?.id).toBe(before?.id);
    const superblock = untilTable(table, (now) => now.top(target)?.superOptions.includes('ro') === true);
    tool('mount', '-o', 'remount,ro', target);
    await superblock;
  });

  it('reports a lazy unmount of a busy mount', async () => {
    tool('mount', '-t', 'tmpfs', 'outside', target);
    await table.refresh();
    const cwd = process.cwd();
    process.chdir(target);
    try {
      const gone = untilTable(table, (now) => now.top(target) === undefined);
      tool('umount', '--lazy', target);
      await gone;
    } finally {
      process.chdir(cwd);
    }
  });

  it('reports a move into the managed root and back out, which keeps the id of the mount', async () => {
    const inside = playground.directory(`${target.slice(playground.root.length + 1)}/inside`);
    const outside = join(playground.root, '..', `outside-${target.slice(playground.root.length + 1)}`);
    tool('mkdir', outside);
    tool('mount', '-t', 'tmpfs', 'outside', outside);
    const before = (await table.refresh()).top(join(outside));
    expect(before).toBeDefined();
    const moved = untilTable(table, (now) => now.top(inside) !== undefined);
    tool('mount', '--move', outside, inside);
    expect((await moved).top(inside)?.id).toBe(before?.id);
    expect(table.current().top(outside)).toBeUndefined();
    const back = untilTable(table, (now) => now.top(outside) !== undefined);
    tool('mount', '--move', inside, outside);
    expect((await back).top(inside)).toBeUndefined();
  });

  it('reports an unmount and a mount that leave the same text in mountinfo', async () => {
    const device = playground.ext4();
    tool('mount', device, target);
    const before = await table.refresh();
    const changes: MountTable[] = [];
    table.onChange((now) => changes.push(now));
    const changed = untilTable(table, (now) => now !== before && now.top(target) !== undefined);
    tool('umount', target);
    tool('mount', device, target);
    const after = await changed;
    expect(after).not.toBe(before);
    if (reader.listmount) expect(after.top(target)?.id).not.toBe(before.top(target)?.id);
    expect(changes.length).toBeGreaterThan(0);
    tool('umount', target);
  });

  it('shares one reading among the callers of one turn, and begins another for a later caller', async () => {
    const [first, second] = [table.refresh(), table.refresh()];
    expect(first).toBe(second);
    await first;
    tool('mount', '-t', 'tmpfs', 'outside', target);
    expect((await table.refresh()).top(target)).toBeDefined();
  });

  it('puts the covering mount last, also when it is older or was moved there', async () => {
    const other = playground.directory(`${target.slice(playground.root.length + 1)}-other`);
    tool('mount', '-t', 'tmpfs', 'older', other);
    tool('mount', '-t', 'tmpfs', 'younger', target);
    tool('mount', '--move', other, target);
    const marker = join(target, 'in-the-visible-one');
    writeFileSync(marker, '');
    const stack = (await table.refresh()).at(target);
    expect(stack.map((mount) => mount.source)).toEqual(['younger', 'older']);
    tool('umount', target);
    expect(existsSync(marker)).toBe(false);
    expect((await table.refresh()).top(target)?.source).toBe('younger');
  });

  it('hears of nothing while nothing happens, and lets its thread go when it is closed', async () => {
    const before = await table.refresh();
    expect(await table.refresh()).toBe(before);
    await table[Symbol.asyncDispose]();
    const heard: MountTable[] = [];
    table.onChange((now) => heard.push(now));
    tool('mount', '-t', 'tmpfs', 'outside', target);
    expect((await table.refresh()).top(target)).toBeDefined();
  });

  it('finds a remount and a move among many mounts outside the managed root', async () => {
    const many = join(playground.root, '..', `many-${target.slice(playground.root.length + 1)}`);
    tool('mkdir', many);
    tool('mount', '-t', 'tmpfs', 'many', many);
    const points = Array.from({ length: 200 }, (_, index) => join(many, `m${index}`));
    tool('mkdir', ...points);
    for (const point of points) tool('mount', '--no-mtab', '-t', 'tmpfs', 'many', point);
    await table.refresh();
    const [first = ''] = points;
    const remounted = untilTable(table, (now) => now.top(first)?.options.includes('ro') === true);
    tool('mount', '-o', 'remount,bind,ro', first);
    await remounted;
    tool('umount', '--recursive', many);
    await untilGone(table, many);
  });
});

async function untilGone(table: LinuxMountTable, path: string): Promise<void> {
  expect((await table.refresh()).under(path)).toEqual([]);
}

describe.runIf(features.statmount)('statmount and mountinfo', () => {
  it('tell the same of real mounts', () => {
    const device = playground.ext4();
    const [global, bind, roBind, scratch, covered, blank] = [
      'global',
      'bind',
      'ro-bind',
      'scratch',
      'covered',
      'a b',
    ].map((name) => playground.directory(`same/${name}`)) as [string, string, string, string, string, string];
    tool('mount', '-o', 'nosuid,nodev,discard,noatime', device, global);
    tool('mkdir', join(global, 'part'));
    tool('mount', '--bind', join(global, 'part'), bind);
    tool('mount', '--bind', global, roBind);
    tool('mount', '-o', 'remount,bind,ro,noexec,nodiratime', roBind);
    tool('mount', '-t', 'tmpfs', '-o', 'size=64k,mode=711,nosymfollow,strictatime', 'a source', scratch);
    tool('mount', '-t', 'tmpfs', '', covered);
    tool('mount', '-t', 'tmpfs', '-o', 'ro,lazytime,sync', 'top', covered);
    tool('mount', '-t', 'tmpfs', 'blank', blank);
    const lower = playground.directory('same/lower');
    tool('mount', '-t', 'overlay', '-o', `ro,lowerdir=${lower}:${bind}`, 'overlay', lower);
    const byStatmount = new StatmountReader(playground.root).read();
    const byText = new MountInfoReader(features.listmount).read(false);
    expect(withIds(byStatmount)).toEqual(withIds(byText));
    const recycled = new MountInfoReader(false).read(false);
    expect(comparable(recycled)).toEqual(comparable(byText));
    expect(byText.top(covered)?.source).toBe('top');
    expect(byText.top(blank)?.mountPoint).toBe(blank);
    expect(byText.top(roBind)?.options).toEqual(['ro', 'nosuid', 'nodev', 'noexec', 'noatime', 'nodiratime']);
  });
});

/** The parent of the root mount cannot be reached, and mountinfo has only its recycled id. */
function withIds(table: MountTable): readonly MountInfo[] {
  const ids = new Set(table.mounts.map((mount) => mount.id));
  return table.mounts.map((mount) => (ids.has(mount.parentId) ? mount : { ...mount, parentId: 0n }));
}

/** All but the ids, which differ by nature; the parent by its path instead. */
function comparable(table: MountTable): readonly unknown[] {
  const byId = new Map(table.mounts.map((mount) => [mount.id, mount]));
  return table.mounts.map((mount) => ({
    ...mount,
    id: 0n,
    parentId: 0n,
    parent: byId.get(mount.parentId)?.mountPoint,
  }));
}
