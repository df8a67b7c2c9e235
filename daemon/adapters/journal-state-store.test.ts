import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StateCollection } from '../ports/state-store.ts';
import { StorageError } from '../world/storage-error.ts';
import { CheckpointDirectory } from './checkpoint-directory.ts';
import { encodeEntry, type JournalEntry } from './journal-entry.ts';
import { JournalStateStore } from './journal-state-store.ts';

const collections: readonly StateCollection[] = ['objects', 'volumes', 'daemon'];
/** On tmpfs fsync costs nothing, so that every offset of a journal can be tried. */
const base = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

let root: string;
let counter: number;
const opened: JournalStateStore[] = [];

beforeEach(() => {
  root = mkdtempSync(`${base}/moored-state-`);
  counter = 0;
});

afterEach(async () => {
  vi.useRealTimers();
  for (const store of opened.splice(0)) await store.close().catch(() => undefined);
  rmSync(root, { recursive: true, force: true });
});

async function open(directory = `${root}/state`): Promise<JournalStateStore> {
  const store = await JournalStateStore.open(directory);
  opened.push(store);
  return store;
}

/** A copy of the directory as a crash would leave it, opened. */
async function crashAndOpen(directory = `${root}/state`): Promise<JournalStateStore> {
  const copy = `${root}/copy-${counter++}`;
  cpSync(directory, copy, { recursive: true });
  return open(copy);
}

type Contents = Readonly<Record<StateCollection, Readonly<Record<string, unknown>>>>;

/** Long values as their length, so that a failure can be read. */
function contents(store: JournalStateStore): Contents {
  const short = (value: unknown) => (typeof value === 'string' && value.length > 99 ? value.length : value);
  const of = (collection: StateCollection) =>
    Object.fromEntries(
      [...store.entries(collection)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, short(value)]),
    );
  return { objects: of('objects'), volumes: of('volumes'), daemon: of('daemon') };
}

function write(store: JournalStateStore, entry: JournalEntry): void {
  if ('value' in entry) store.put(entry.collection, entry.key, entry.value);
  else store.remove(entry.collection, entry.key);
}

const writes: readonly JournalEntry[] = [
  { collection: 'objects', key: 'Pod/default/web', value: { name: 'web', note: 'größer' } },
  { collection: 'volumes', key: 'a/b', value: [1, 2, { three: 3 }] },
  { collection: 'objects', key: 'Pod/default/web', value: { name: 'web', version: 2 } },
  { collection: 'daemon', key: 'x', value: '\n "quoted" \u{1f4be}' },
  { collection: 'objects', key: 'Pod/default/web' },
  { collection: 'volumes', key: 'a/b', value: null },
];

/** The contents after none, one, two … of the writes. */
function prefixes(entries: readonly JournalEntry[]): Contents[] {
  const state: Record<StateCollection, Record<string, unknown>> = { objects: {}, volumes: {}, daemon: {} };
  const after = [structuredClone(state)];
  for (const entry of entries) {
    if ('value' in entry) state[entry.collection][entry.key] = entry.value;
    else delete state[entry.collection][entry.key];
    after.push(structuredClone(state));
  }
  return after;
}

function directoryWith(files: Readonly<Record<string, string | Buffer>>): string {
  const directory = `${root}/made-${counter++}`;
  mkdirSync(directory);
  for (const [name, text] of Object.entries(files)) writeFileSync(`${directory}/${name}`, text);
  return directory;
}

const journalOf = (entries: readonly JournalEntry[]) => entries.map(encodeEntry).join('');
const journals = (directory = `${root}/state`) =>
  readdirSync(directory)
    .filter((name) => name.startsWith('journal-'))
    .sort();

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('the condition does not come true');
    await new Promise(setImmediate);
  }
}

describe('reading back', () => {
  it('gives what was written, in a closed and in a crashed store', async () => {
    const store = await open();
    for (const entry of writes) write(store, entry);
    await store.durable();
    expect(contents(await crashAndOpen())).toEqual(prefixes(writes).at(-1));
    await store.close();
    expect(contents(await open())).toEqual(prefixes(writes).at(-1));
  });

  it('is the same after any number of openings, with one journal left', async () => {
    const store = await open();
    for (const entry of writes) write(store, entry);
    await store.close();
    for (let round = 0; round < 3; round++) {
      const again = await open();
      expect(contents(again)).toEqual(prefixes(writes).at(-1));
      await again.close();
      expect(journals()).toHaveLength(1);
    }
  });

  it('finds, with the journal cut at any byte, a prefix of the writes: as many as are whole', async () => {
    const journal = Buffer.from(journalOf(writes));
    const after = prefixes(writes);
    for (let length = 0; length <= journal.length; length++) {
      const cut = journal.subarray(0, length);
      const whole = cut.toString('latin1').split('\n').length - 1;
      const store = await JournalStateStore.open(directoryWith({ 'journal-1': cut }));
      expect(contents(store), `cut at ${length}`).toEqual(after[whole]);
      await store.close();
    }
  });

  it('refuses a damaged line that others follow, whichever byte it is', async () => {
    const journal = Buffer.from(journalOf(writes));
    const lastTwo = Buffer.from(journalOf(writes.slice(0, -2))).length;
    for (let at = 0; at < lastTwo; at += 3) {
      const damaged = Buffer.from(journal);
      damaged[at] = damaged[at]! ^ 0x01;
      await expect(JournalStateStore.open(directoryWith({ 'journal-1': damaged })), `byte ${at}`).rejects.toMatchObject(
        {
          code: 'DataLoss',
        },
      );
    }
  });

  it('finds a prefix or refuses, wherever a journal is damaged near its end', async () => {
    const journal = Buffer.from(journalOf(writes));
    const lastTwo = Buffer.from(journalOf(writes.slice(0, -2))).length;
    const after = prefixes(writes);
    for (let at = lastTwo; at < journal.length; at++) {
      const damaged = Buffer.from(journal);
      damaged[at] = damaged[at]! ^ 0x01;
      const store = await JournalStateStore.open(directoryWith({ 'journal-1': damaged })).catch(() => undefined);
      if (store === undefined) continue;
      expect(after).toContainEqual(contents(store));
      await store.close();
    }
  });

  it('refuses a damaged checkpoint file, and ignores and removes one that was never finished', async () => {
    const store = await open();
    for (const entry of writes) write(store, entry);
    await store.close();
    await (await open()).close();
    const [name] = readdirSync(`${root}/state/daemon`);
    const path = `${root}/state/daemon/${name}`;
    writeFileSync(`${path}.tmp`, '{"half');
    expect(contents(await open())).toEqual(prefixes(writes).at(-1));
    expect(existsSync(`${path}.tmp`)).toBe(false);
    writeFileSync(path, readFileSync(path, 'utf8').replace('quoted', 'altered'));
    await expect(JournalStateStore.open(`${root}/state`)).rejects.toMatchObject({ code: 'DataLoss' });
  });

  it('keeps keys apart that look alike as file names, and keys of any length', async () => {
    const keys = [
      'a/b',
      'a_b',
      'a b',
      '../../etc/passwd',
      'x'.repeat(300),
      `${'x'.repeat(299)}y`,
      'PersistentVolumeClaim/default/data',
    ];
    const store = await open();
    for (const key of keys) store.put('objects', key, { key });
    await store.close();
    await (await open()).close();
    expect(readdirSync(`${root}/state/objects`)).toHaveLength(keys.length);
    const again = await open();
    expect(new Set(again.entries('objects').keys())).toEqual(new Set(keys));
  });
});

describe('crash points of a start and of a checkpoint', () => {
  const earlier = writes.slice(0, 4);
  const later: readonly JournalEntry[] = [
    { collection: 'objects', key: 'Pod/default/web', value: { name: 'web', version: 3 } },
    { collection: 'daemon', key: 'x' },
    { collection: 'volumes', key: 'new', value: true },
  ];
  const newest = prefixes([...earlier, ...later]).at(-1);

  it('reads both journals in order when the checkpoint had not begun', async () => {
    const directory = directoryWith({ 'journal-1': journalOf(earlier), 'journal-2': journalOf(later) });
    expect(contents(await open(directory))).toEqual(newest);
  });

  it('reads journals by number, not by name', async () => {
    const directory = directoryWith({ 'journal-9': journalOf(earlier), 'journal-10': journalOf(later) });
    expect(contents(await open(directory))).toEqual(newest);
  });

  it('comes to the same from any part of the files of a checkpoint, with the old journal still there', async () => {
    const last = new Map(earlier.map((entry) => [`${entry.collection} ${entry.key}`, entry]));
    for (let written = 0; written <= last.size; written++) {
      const directory = directoryWith({ 'journal-1': journalOf(earlier), 'journal-2': journalOf(later) });
      for (const collection of collections) mkdirSync(`${directory}/${collection}`);
      await new CheckpointDirectory(directory, collections).write([...last.values()].slice(0, written));
      expect(contents(await open(directory)), `${written} files`).toEqual(newest);
    }
  });

  it('starts although the last start was cut off after its journal was made, over a torn line', async () => {
    const torn = journalOf(writes).slice(0, -7);
    const directory = directoryWith({ 'journal-1': torn, 'journal-2': '' });
    expect(contents(await open(directory))).toEqual(prefixes(writes).at(-2));
  });

  it('refuses a torn line in a journal that another with writes follows', async () => {
    const directory = directoryWith({ 'journal-1': journalOf(earlier).slice(0, -7), 'journal-2': journalOf(later) });
    await expect(JournalStateStore.open(directory)).rejects.toMatchObject({ code: 'DataLoss' });
  });

  async function idleCheckpoint(done: () => boolean): Promise<void> {
    await new Promise(setImmediate);
    vi.advanceTimersByTime(5_000);
    await until(done);
  }

  it('begins a new journal after a while without writes, and removes the old one', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const store = await open();
    const [first] = journals();
    for (const entry of earlier) write(store, entry);
    await store.durable();
    await idleCheckpoint(() => !journals().includes(first!));
    expect(journals()).toHaveLength(1);
    expect(readFileSync(`${root}/state/${journals()[0]}`, 'utf8')).toBe('');
    for (const entry of later) write(store, entry);
    await store.durable();
    expect(contents(await crashAndOpen())).toEqual(newest);
  });

  it('never lets an old journal undo newer files, when a checkpoint failed and a later one worked', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const store = await open();
    store.put('daemon', 'x', 'old');
    await store.durable();
    // The file of the first checkpoint cannot be written: a directory is in the way of its temporary.
    await (await crashAndOpen()).close();
    const [name] = readdirSync(`${root}/copy-0/daemon`);
    mkdirSync(`${root}/state/daemon/${name}.tmp`);
    const before = journals();
    await idleCheckpoint(() => journals().length > before.length);
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    rmSync(`${root}/state/daemon/${name}.tmp`, { recursive: true });
    store.put('daemon', 'x', 'new');
    await store.durable();
    const middle = journals().at(-1)!;
    // The failed one may still be under way; then the next one waits for another time.
    await idleCheckpoint(() => {
      vi.advanceTimersByTime(5_000);
      return !journals().includes(middle);
    });
    expect(contents(await crashAndOpen()).daemon).toEqual({ x: 'new' });
    expect(journals()).toHaveLength(1);
  });
});

describe('durable', () => {
  it('means on disk: everything that was written before the call is there after a crash', async () => {
    const store = await open();
    for (let round = 0; round < 20; round++) {
      for (let index = 0; index < 5; index++) store.put('volumes', `v${index}`, { round, index });
      await store.durable();
      const reopened = await crashAndOpen();
      expect(contents(reopened)).toEqual(contents(store));
    }
  });

  it('resolves for a hundred callers of one turn, in the order of their calls', async () => {
    const store = await open();
    const order: number[] = [];
    const all = Array.from({ length: 100 }, (_unused, index) => {
      store.put('volumes', `v${index}`, index);
      return store.durable().then(() => order.push(index));
    });
    await Promise.all(all);
    expect(order).toEqual(Array.from({ length: 100 }, (_unused, index) => index));
    expect((await crashAndOpen()).entries('volumes').size).toBe(100);
  });

  it('covers what was written while an earlier group was on its way', async () => {
    const store = await open();
    store.put('volumes', 'a', 1);
    const first = store.durable();
    await Promise.resolve();
    await Promise.resolve();
    store.put('volumes', 'b', 2);
    await store.durable();
    await first;
    expect((await crashAndOpen()).entries('volumes')).toEqual(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
  });

  it('is not needed for a write to come to the disk, also one that came while another was on its way', async () => {
    const store = await open();
    store.put('volumes', 'a', 1);
    const path = `${root}/state/${journals()[0]}`;
    await Promise.resolve();
    await Promise.resolve();
    store.put('volumes', 'b', 2);
    await until(() => readFileSync(path, 'utf8').includes('"b"'));
    expect((await crashAndOpen()).entries('volumes').size).toBe(2);
  });

  it('resolves at once when nothing is outstanding', async () => {
    const store = await open();
    await store.durable();
    store.remove('volumes', 'never there');
    await store.durable();
    expect(readFileSync(`${root}/state/${journals()[0]}`, 'utf8')).toBe('');
  });

  it('shows a write in memory before it is on disk', async () => {
    const store = await open();
    store.put('volumes', 'a', 1);
    expect(store.entries('volumes').get('a')).toBe(1);
    store.remove('volumes', 'a');
    expect(store.entries('volumes').has('a')).toBe(false);
  });
});

describe.skipIf(process.getuid?.() !== 0)('on a full disk (a tmpfs of its own: needs root)', () => {
  let mountPoint: string;

  beforeEach((context) => {
    mountPoint = `${root}/full`;
    mkdirSync(mountPoint);
    try {
      execFileSync('/usr/bin/mount', ['-t', 'tmpfs', '-o', 'size=64k', 'moored-test', mountPoint], { stdio: 'pipe' });
    } catch (error) {
      context.skip(`mount is not allowed here: ${String(error)}`);
    }
  });

  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close().catch(() => undefined);
    execFileSync('/usr/bin/umount', [mountPoint]);
  });

  /** Leaves a few pages, so that a larger write is cut short by the kernel rather than refused. */
  function fill(): void {
    writeFileSync(`${mountPoint}/filler`, Buffer.alloc(32 * 1024));
  }

  it.each([9_000, 34_000, 60_000])(
    'is honest about %i bytes, and has them on disk when there is space',
    async (size) => {
      const store = await open(`${mountPoint}/state`);
      store.put('volumes', 'before', 1);
      await store.durable();
      fill();
      store.put('volumes', 'large', 'x'.repeat(size));
      store.put('volumes', 'after', 2);
      const outcome = await store.durable().then(
        () => 'durable',
        (error: unknown) => (error instanceof StorageError ? `${error.code} ${error.progress}` : String(error)),
      );
      const crashed = contents(await crashAndOpen(`${mountPoint}/state`));
      expect(outcome).toBe(size < 10_000 ? 'durable' : 'Unavailable transient');
      expect(crashed.volumes).toEqual(outcome === 'durable' ? { before: 1, large: size, after: 2 } : { before: 1 });
      expect(contents(store).volumes).toEqual({ before: 1, large: size, after: 2 });
      rmSync(`${mountPoint}/filler`);
      await store.durable();
      expect(contents(await crashAndOpen(`${mountPoint}/state`))).toEqual(contents(store));
    },
  );

  it('tries by itself again when there is space, without another write', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const store = await open(`${mountPoint}/state`);
    fill();
    store.put('volumes', 'large', 'x'.repeat(40_000));
    expect(contents(store).volumes).toEqual({ large: 40_000 });
    await expect(store.durable()).rejects.toMatchObject({ code: 'Unavailable' });
    rmSync(`${mountPoint}/filler`);
    vi.advanceTimersByTime(1_000);
    const path = `${mountPoint}/state/${journals(`${mountPoint}/state`).at(-1)}`;
    await until(() => readFileSync(path, 'utf8').endsWith('\n'));
    await store.durable();
    expect(contents(await crashAndOpen(`${mountPoint}/state`))).toEqual(contents(store));
  });
});
