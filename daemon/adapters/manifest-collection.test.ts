import { beforeEach, describe, expect, it } from 'vitest';
import { ManifestCollection } from './manifest-collection.ts';

const times = { quietMs: 200, goneMs: 300 };

function pods(...names: string[]): string {
  return names
    .map((name) => `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n  volumes: []\n`)
    .join('---\n');
}

/** A directory in memory with a clock: each write gives a new stamp and the time of now. */
class Scene {
  readonly collection: ManifestCollection;
  readonly #files = new Map<string, { text: string; stamp: string; changedAt: number }>();
  #now = 1_000_000;
  #writes = 0;
  reads = 0;

  constructor() {
    this.collection = new ManifestCollection((name) => {
      this.reads += 1;
      const file = this.#files.get(name);
      return file === undefined ? { kind: 'gone' } : { kind: 'text', ...file };
    }, times);
  }

  write(name: string, text: string): void {
    this.#writes += 1;
    this.#files.set(name, { text, stamp: `${this.#writes}`, changedAt: this.#now });
  }

  /** New content, and times that do not tell: the kernel's clock did not tick in between. */
  writeWithinTick(name: string, text: string): void {
    const file = this.#files.get(name);
    if (file !== undefined) this.#files.set(name, { ...file, text });
  }

  remove(name: string): void {
    this.#files.delete(name);
  }

  pass(ms: number): void {
    this.#now += ms;
  }

  look(): number | undefined {
    const stamps = new Map([...this.#files].map(([name, { stamp }]) => [name, stamp]));
    return this.collection.look(stamps, { monotonic: this.#now - 5000, wall: this.#now });
  }

  readAhead(...names: readonly string[]): void {
    for (const name of names) this.collection.readAhead(name, { monotonic: this.#now - 5000, wall: this.#now });
  }

  /** "file: state object object". */
  listing(): string[] {
    return this.collection.files.map(({ name, state, objects }) =>
      [`${name}:`, state, ...objects.map(({ metadata }) => metadata.name)].join(' '),
    );
  }
}

describe('ManifestCollection', () => {
  it('sees a Secret of which only the value changed', () => {
    const scene = new Scene();
    const secret = (word: string) =>
      `apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  word: ${word}\n`;
    const word = () => scene.collection.files[0]?.secrets?.[0]?.data.get('word')?.reveal();
    scene.write('a.yaml', secret('one'));
    scene.pass(1000);
    scene.look();
    expect(word()).toBe('one');
    scene.write('a.yaml', secret('two'));
    scene.pass(1000);
    scene.look();
    expect(word()).toBe('two');
  });

  let scene: Scene;

  beforeEach(() => {
    scene = new Scene();
    scene.write('a.yaml', pods('one', 'two'));
    scene.pass(1000);
    expect(scene.look()).toBeUndefined();
    expect(scene.listing()).toEqual(['a.yaml: good one two']);
  });

  it('takes what is added at once', () => {
    scene.write('a.yaml', pods('one', 'two', 'three'));
    scene.write('b.yaml', pods('four'));
    expect(scene.look()).toBeUndefined();
    expect(scene.listing()).toEqual(['a.yaml: good one two three', 'b.yaml: good four']);
  });

  it('reads only what changed, and keeps the same object for the same meaning', () => {
    const before = scene.collection.files;
    scene.pass(1000);
    scene.reads = 0;
    scene.look();
    expect(scene.reads).toBe(0);
    scene.write('a.yaml', `# a comment\n${pods('one', 'two')}`);
    scene.look();
    expect(scene.reads).toBe(1);
    expect(scene.collection.files[0]).toBe(before[0]);
  });

  it('does not believe a file that was truncated until it is quiet', () => {
    scene.write('a.yaml', '');
    expect(scene.look()).toBe(200);
    expect(scene.listing()).toEqual(['a.yaml: good one two']);
    scene.pass(150);
    expect(scene.look()).toBe(50);
    scene.write('a.yaml', pods('one'));
    expect(scene.look()).toBe(200);
    expect(scene.listing()).toEqual(['a.yaml: good one two']);
    scene.pass(200);
    expect(scene.look()).toBeUndefined();
    expect(scene.listing()).toEqual(['a.yaml: good one']);
  });

  it('reports a file that does not parse when it is quiet, with the objects of its last good version', () => {
    scene.write('a.yaml', 'apiVersion: v1\nkind: [\n');
    expect(scene.look()).toBe(200);
    expect(scene.listing()).toEqual(['a.yaml: good one two']);
    scene.pass(200);
    expect(scene.look()).toBeUndefined();
    expect(scene.listing()).toEqual(['a.yaml: bad one two']);
    expect(scene.collection.files[0]?.problems).toMatchObject([{ file: 'a.yaml', document: 1 }]);
  });

  it('never reports a file that was half written for a moment', () => {
    scene.write('a.yaml', 'apiVersion: v1\nkind: [');
    scene.look();
    scene.pass(100);
    scene.write('a.yaml', pods('one', 'two', 'three'));
    expect(scene.look()).toBeUndefined();
    expect(scene.listing()).toEqual(['a.yaml: good one two three']);
  });

  it('waits for the rest of a file that ends in the middle of a line', () => {
    scene.write('b.yaml', pods('three').replace('volumes: []\n', 'nodeName: here'));
    expect(scene.look()).toBe(200);
    expect(scene.listing()).toEqual(['a.yaml: good one two']);
    scene.pass(200);
    scene.look();
    expect(scene.listing()).toEqual(['a.yaml: good one two', 'b.yaml: good three']);
  });

  it('keeps a file that is gone for a while, and for good when it comes back', () => {
    scene.remove('a.yaml');
    expect(scene.look()).toBe(300);
    scene.pass(299);
    expect(scene.look()).toBe(1);
    expect(scene.listing()).toEqual(['a.yaml: good one two']);
    scene.write('a.yaml', pods('one', 'two'));
    expect(scene.look()).toBeUndefined();
    scene.pass(10_000);
    expect(scene.look()).toBeUndefined();
    expect(scene.listing()).toEqual(['a.yaml: good one two']);
  });

  it('drops a file that stays gone', () => {
    scene.remove('a.yaml');
    scene.look();
    scene.pass(300);
    expect(scene.look()).toBeUndefined();
    expect(scene.listing()).toEqual([]);
  });

  it('drops a file at once when all that it declared is in others: it was renamed', () => {
    scene.remove('a.yaml');
    scene.write('b.yaml', pods('two', 'one'));
    expect(scene.look()).toBeUndefined();
    expect(scene.listing()).toEqual(['b.yaml: good two one']);
  });

  it('reads a file again that could have been written in the same tick', () => {
    scene.write('a.yaml', pods('one', 'two', 'three'));
    scene.look();
    scene.writeWithinTick('a.yaml', pods('one', 'two', 'four', 'three'));
    scene.pass(5);
    scene.look();
    expect(scene.listing()).toEqual(['a.yaml: good one two four three']);
  });

  it('settles by its own clock when the times of the file are in the future', () => {
    scene.pass(3_600_000);
    scene.write('a.yaml', pods('one'));
    scene.pass(-3_600_000);
    scene.look();
    expect(scene.listing()).toEqual(['a.yaml: good one two']);
    scene.pass(200);
    scene.look();
    expect(scene.listing()).toEqual(['a.yaml: good one']);
  });

  it('waits at the first look for every file that was just written', () => {
    const fresh = new Scene();
    fresh.write('a.yaml', pods('one'));
    fresh.pass(50);
    expect(fresh.look()).toBe(150);
    fresh.pass(150);
    expect(fresh.look()).toBeUndefined();
    expect(fresh.listing()).toEqual(['a.yaml: good one']);
  });

  it('lists as bad what is written all the time, when told to wait no longer', () => {
    const fresh = new Scene();
    fresh.write('a.yaml', pods('one'));
    fresh.look();
    fresh.collection.stopWaiting();
    expect(fresh.listing()).toEqual(['a.yaml: bad']);
    fresh.pass(200);
    fresh.look();
    expect(fresh.listing()).toEqual(['a.yaml: good one']);
  });
});

describe('ManifestCollection, while another file is in doubt', () => {
  let scene: Scene;

  beforeEach(() => {
    scene = new Scene();
    scene.write('a.yaml', pods('a'));
    scene.write('b.yaml', pods('b'));
    scene.pass(1000);
    scene.look();
  });

  it('keeps what is gone: it may have moved to the file that is still being written', () => {
    scene.remove('a.yaml');
    scene.look();
    scene.pass(250);
    // Takes b away, and so waits to be quiet.
    scene.write('b.yaml', pods('a'));
    scene.look();
    scene.pass(100);
    expect(scene.look()).toBeGreaterThan(0);
    expect(scene.listing()).toEqual(['a.yaml: good a', 'b.yaml: good b']);
    scene.pass(100);
    expect(scene.look()).toBeUndefined();
    expect(scene.listing()).toEqual(['b.yaml: good a']);
  });

  it('keeps what a quiet file has lost, also when the other turns out to be bad', () => {
    scene.write('a.yaml', pods());
    scene.look();
    scene.pass(100);
    scene.write('c.yaml', `{{{ ${pods('a')}`);
    scene.look();
    scene.pass(100);
    scene.look();
    expect(scene.listing()).toEqual(['a.yaml: good a', 'b.yaml: good b']);
    scene.pass(100);
    expect(scene.look()).toBeUndefined();
    expect(scene.listing()).toEqual(['a.yaml: good', 'b.yaml: good b', 'c.yaml: bad']);
  });

  it('keeps the words of a bad file that names other things now', () => {
    scene.write('a.yaml', `{{{ ${pods('x')}`);
    scene.pass(1000);
    scene.look();
    scene.write('a.yaml', `{{{ ${pods('y')}`);
    scene.look();
    scene.pass(100);
    scene.write('b.yaml', `{{{ ${pods('x')}`);
    scene.look();
    scene.pass(100);
    scene.look();
    expect(scene.collection.files[0]?.words).toContain('x');
  });

  it('believes at last that a bad file is gone which never was good here, but not at once', () => {
    const later = new Scene();
    later.write('a.yaml', '{{{');
    later.pass(1000);
    later.look();
    later.remove('a.yaml');
    expect(later.look()).toBe(300);
    expect(later.listing()).toEqual(['a.yaml: bad']);
    later.pass(300);
    expect(later.look()).toBeUndefined();
    expect(later.listing()).toEqual([]);
  });

  it('names what an unsettled file declares when it cannot be waited for', () => {
    const first = new Scene();
    first.write('a.yaml', pods('a'));
    first.look();
    first.collection.stopWaiting();
    expect(first.collection.files[0]).toMatchObject({ state: 'bad', words: ['a'] });
  });

  it('waits for a file whose objects are declared only in one that is gone as well', () => {
    scene.write('c.yaml', pods('a'));
    scene.pass(1000);
    scene.look();
    scene.remove('a.yaml');
    scene.look();
    scene.remove('c.yaml');
    scene.pass(100);
    scene.look();
    expect(scene.listing()).toContain('c.yaml: good a');
  });

  it('lets files that are gone go together: the last may have held, unsettled, what the first declared', () => {
    scene.remove('a.yaml');
    scene.write('b.yaml', pods('a'));
    scene.look();
    scene.pass(100);
    scene.remove('b.yaml');
    scene.look();
    scene.pass(200);
    expect(scene.look()).toBe(100);
    expect(scene.listing()).toEqual(['a.yaml: good a', 'b.yaml: good b']);
    scene.pass(100);
    expect(scene.look()).toBeUndefined();
    expect(scene.listing()).toEqual([]);
  });
});

describe('reading ahead', () => {
  let scene: Scene;

  beforeEach(() => {
    scene = new Scene();
    scene.write('a.yaml', pods('one', 'two'));
    scene.pass(1000);
    scene.look();
  });

  it('leaves nothing to read to the look, and lists nothing itself', () => {
    scene.write('b.yaml', pods('three'));
    scene.pass(1000);
    scene.reads = 0;
    scene.readAhead('b.yaml');
    expect(scene.listing()).not.toContain('b.yaml: good three');
    scene.look();
    expect(scene.reads).toBe(1);
    expect(scene.listing()).toContain('b.yaml: good three');
  });

  it('knows what is unread by its stamp', () => {
    const { collection } = scene;
    const stamps = new Map([
      ['b.yaml', '2'],
      ['c.yaml', '3'],
    ]);
    scene.write('b.yaml', pods('three'));
    expect(collection.unread(stamps)).toEqual(['b.yaml', 'c.yaml']);
    scene.pass(1000);
    scene.readAhead('b.yaml', 'c.yaml');
    expect(collection.unread(stamps)).toEqual(['c.yaml']);
  });

  it('is no substitute for what changed or went before the look', () => {
    scene.write('b.yaml', pods('three'));
    scene.write('c.yaml', pods('four'));
    scene.pass(1000);
    scene.readAhead('b.yaml', 'c.yaml');
    scene.write('b.yaml', pods('three', 'five'));
    scene.remove('c.yaml');
    scene.pass(1000);
    scene.look();
    expect(scene.listing().slice(1)).toEqual(['b.yaml: good three five']);
  });

  it('makes no haste: what takes an object away is still to be quiet', () => {
    scene.write('a.yaml', pods('one'));
    scene.readAhead('a.yaml');
    expect(scene.look()).toBeGreaterThan(0);
    expect(scene.listing()).toEqual(['a.yaml: good one two']);
    scene.pass(1000);
    scene.look();
    expect(scene.listing()).toEqual(['a.yaml: good one']);
  });
});
