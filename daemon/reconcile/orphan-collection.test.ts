import { describe, expect, it } from 'vitest';
import { MemoryEventRecorder } from '../adapters/memory-event-recorder.ts';
import { MemoryStateStore } from '../adapters/memory-state-store.ts';
import { StateObjectStore } from '../adapters/state-object-store.ts';
import { storageClass } from '../api/testing/storage-objects.ts';
import { FakeClock } from '../ports/testing/fake-clock.ts';
import { FakeHost } from '../ports/testing/fake-host.ts';
import { FakeStorageInventory } from '../ports/testing/fake-storage-inventory.ts';
import { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import { imagePath, layout, worldOf } from '../world/testing/volumes.ts';
import { OrphanCollection } from './orphan-collection.ts';

const changedAt = '2025-01-01T00:00:00.000Z';
const grace = { graceMs: 0 };
const podDir = layout.podDir('uid-old');
const other = layout.podDir('uid-other');
const temporary = `${layout.rootDir}/quarantine/20250101T000000.000Z~images~default~.a.img.tmp`;

function collection(held = '') {
  const host = new FakeHost();
  const objects = new StateObjectStore(new MemoryStateStore());
  const inventory = new FakeStorageInventory();
  const clock = new FakeClock();
  const events = new MemoryEventRecorder(clock);
  const silent = () => undefined;
  const orphans = new OrphanCollection({
    ...{ asw: new ActualStateOfWorld(), objects, host, inventory },
    ...{ layout, clock, events, logger: { info: silent, warn: silent, error: silent, debug: silent } },
    dsw: () => worldOf([]),
    hold: () => held,
  });
  inventory.content = { ...inventory.content, podDirectories: [other, podDir].map((path) => ({ path, changedAt })) };
  const effects = () => inventory.log.filter((line) => !line.startsWith('list'));
  return { orphans, objects, host, inventory, events, effects };
}

describe('list', () => {
  it('looks into the directories of classes, but into none that a server may have taken with it', async () => {
    const { orphans, objects, host, inventory } = collection();
    for (const directory of ['/srv/local', '/mnt/share/images']) {
      objects.create(storageClass(directory.slice(1, 4), { parameters: { directory } }));
    }
    host.mountFromOutside('/mnt/share', { fsType: 'nfs4', source: 'server:/' });
    const { incomplete } = await orphans.list(0);
    expect(inventory.log).toEqual([`list ${layout.imagesDir()} /srv/local`]);
    expect(incomplete).toEqual(['"/mnt/share/images" is on nfs4, whose server may not answer']);
  });
});

describe('collect', () => {
  it('says what it would do, and does nothing', async () => {
    const { orphans, effects } = collection();
    const { results } = await orphans.collect({ names: [], all: true, execute: false, ...grace });
    expect(results.map(({ path, state }) => [path, state])).toEqual([
      [other, 'planned'],
      [podDir, 'planned'],
    ]);
    expect(effects()).toEqual([]);
  });

  it('puts away what was named and nothing else, with an event', async () => {
    const { orphans, effects, events } = collection();
    const { results, unknown } = await orphans.collect({ names: [podDir, '/x'], all: false, execute: true, ...grace });
    expect(effects()).toEqual([`quarantine ${podDir} 20260101T000000.000Z~pods~uid-old`]);
    expect(results).toMatchObject([{ path: podDir, state: 'done' }]);
    expect(unknown).toEqual(['/x']);
    expect(events.list().map(({ reason, regarding }) => [reason, regarding])).toEqual([
      ['OrphanCollected', `Path/${podDir}`],
    ]);
    expect((await orphans.list(0)).orphans.map(({ path }) => path)).toEqual([other]);
  });

  it('holds still while something is not known, and says why', async () => {
    const { orphans, effects } = collection('"a.yaml" is not understood');
    const { held, results } = await orphans.collect({ names: [], all: true, execute: true, ...grace });
    expect(held).toBe('"a.yaml" is not understood');
    expect(results.map(({ state, message }) => [state, message])).toEqual(Array(2).fill(['kept', held]));
    expect(effects()).toEqual([]);
  });

  it('goes on after one that refuses', async () => {
    const { orphans, inventory, effects } = collection();
    inventory.refusing.add(other);
    const { results } = await orphans.collect({ names: [], all: true, execute: true, ...grace });
    expect(results.map(({ state, message }) => [state, message.slice(0, 12)])).toEqual([
      ['kept', 'Cannot touch'],
      ['done', 'moved to "/q'],
    ]);
    expect(effects()).toHaveLength(1);
  });

  it('detaches a loop device by what is on it at that moment', async () => {
    const { orphans, host } = collection();
    host.addImage(imagePath('data'));
    const { devicePath } = host.loopDevices.attach(imagePath('data'), { readOnly: false });
    const request = { names: [devicePath], all: false, execute: true, ...grace };
    expect((await orphans.collect(request)).results).toMatchObject([{ action: 'detach', state: 'done' }]);
    expect(host.loopDevices.status(devicePath)).toBeUndefined();
    expect(host.violations).toEqual([]);
  });

  it('removes from the quarantine by rmdir, the deepest first, and stops at the first file', async () => {
    const { orphans, host, inventory } = collection();
    const empty = `${layout.rootDir}/quarantine/20250101T000000.000Z~pods~uid-1`;
    const full = `${layout.rootDir}/quarantine/20250101T000000.000Z~pods~uid-2`;
    host.directories.ensureDirectory(`${empty}/volumes/x/mount`);
    host.directories.ensureDirectory(`${full}/volumes/x`);
    host.directories.ensureFile(`${full}/volumes/x/precious`);
    host.directories.ensureFile(temporary);
    const quarantine = [empty, full, temporary].map((path) => ({ path, changedAt }));
    inventory.content = { ...inventory.content, podDirectories: [], quarantine };
    const { results } = await orphans.collect({ names: [], all: true, execute: true, ...grace });
    expect(results.map(({ state }) => state)).toEqual(['done', 'kept', 'done']);
    expect(results[1]?.message).toContain(`Cannot remove "${full}/volumes/x/precious": it is a file`);
    expect(host.directories.kindOf(empty)).toBe('absent');
    expect(host.directories.kindOf(`${full}/volumes/x/precious`)).toBe('file');
    expect(inventory.log).toContain(`unlinkTemporary ${temporary}`);
  });
});
