/** The manifest directory in memory, and a source that looks at it as the real one does, on the virtual clock. */
import { ManifestCollection } from '../../daemon/adapters/manifest-collection.ts';
import type { ManifestState } from '../../daemon/ports/manifest-source.ts';
import type { FakeClock } from '../../daemon/ports/testing/fake-clock.ts';
import { type Declaration, keyOfDeclaration } from './declarations.ts';

interface ManifestText {
  readonly text: string;
  /** What a person would read in it. */
  readonly declarations: readonly Declaration[];
  /** Keys of objects that may not go while the file is there. Of a file that is cut off nobody can say any. */
  readonly declares: ReadonlySet<string>;
  /** Keys of objects that were of this file when it became garbage: a file that is not understood keeps what it declared. */
  readonly keeps: ReadonlySet<string>;
  readonly isWhole: boolean;
  /** Monotonic, ms; the wall clock of the simulation goes with it. */
  readonly changedAt: number;
  readonly inode: number;
}

export class ManifestDirectory {
  readonly files = new Map<string, ManifestText>();
  readonly #clock: FakeClock;
  #state: 'readable' | 'unreadable' | 'swapped' = 'readable';
  #lastInode = 0;
  onChange: () => void = () => {};

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  get state(): 'readable' | 'unreadable' | 'swapped' {
    return this.#state;
  }

  /** swapped: another, empty directory lies over it, such as an /etc that is not mounted yet. */
  set state(state) {
    this.#state = state;
    this.onChange();
  }

  get id(): string {
    return this.#state === 'swapped' ? 'another' : 'ours';
  }

  get visible(): ReadonlyMap<string, ManifestText> {
    return this.#state === 'swapped' ? new Map<string, ManifestText>() : this.files;
  }

  /** @param keeps keys of objects that are of this file now */
  write(
    name: string,
    text: string,
    declarations: readonly Declaration[],
    how: 'whole' | 'half' | 'garbage',
    keeps: readonly string[] = [],
  ): void {
    this.#lastInode++;
    const isWhole = how === 'whole';
    const declares = new Set(how === 'half' ? [] : declarations.map(keyOfDeclaration));
    const stamp = { changedAt: this.#clock.monotonic(), inode: this.#lastInode };
    // Of what is cut off nobody can say that it is not good, and means less.
    const kept = new Set(how === 'garbage' ? keeps : []);
    this.files.set(name, { text, isWhole, declares, keeps: kept, declarations: isWhole ? declarations : [], ...stamp });
    this.onChange();
  }

  remove(name: string): void {
    if (this.files.delete(name)) this.onChange();
  }

  rename(from: string, to: string): void {
    const file = this.files.get(from);
    if (file === undefined || from === to) return;
    this.files.delete(from);
    this.files.set(to, { ...file, keeps: new Set(), changedAt: this.#clock.monotonic() });
    this.onChange();
  }
}

const debounceMs = 10;
const unreadableRetryMs = 1_000;
const longestIncompleteMs = 2_000;
const settleTimes = { quietMs: 200, goneMs: 300 };

/** What ChokidarManifestSource does with its looks, without the watch: here every change is told. */
export class ModelManifestSource {
  readonly #directory: ManifestDirectory;
  readonly #clock: FakeClock;
  readonly #listener: (state: ManifestState) => void;
  readonly #collection: ManifestCollection;
  #incompleteSince: number | undefined;
  #last: ManifestState | undefined;
  #directoryId = '';
  #cancel: () => void = () => {};
  #dueAt = Number.POSITIVE_INFINITY;

  constructor(directory: ManifestDirectory, clock: FakeClock, listener: (state: ManifestState) => void) {
    this.#directory = directory;
    this.#clock = clock;
    this.#listener = listener;
    this.#collection = new ManifestCollection((name) => {
      const file = directory.visible.get(name);
      if (file === undefined) return { kind: 'gone' };
      return { kind: 'text', text: file.text, stamp: stampOf(file), changedAt: file.changedAt };
    }, settleTimes);
    directory.onChange = () => this.#lookWithin(debounceMs);
    this.#look();
  }

  stop(): void {
    this.#cancel();
    this.#directory.onChange = () => {};
  }

  #look(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    const { state, id, visible } = this.#directory;
    if (state === 'unreadable') {
      this.#lookWithin(unreadableRetryMs);
      this.#publish({ kind: 'unreadable', problem: { file: 'manifests', message: 'Cannot read: EIO' } });
      return;
    }
    const now = this.#clock.monotonic();
    const stamps = new Map([...visible].map(([name, file]) => [name, stampOf(file)]));
    const wait = this.#collection.look(stamps, { monotonic: now, wall: now });
    if (wait !== undefined) this.#lookWithin(wait);
    if (wait === undefined) this.#incompleteSince = undefined;
    else if (id !== this.#directoryId) {
      this.#incompleteSince ??= now;
      if (now - this.#incompleteSince < longestIncompleteMs) return;
      this.#collection.stopWaiting();
    }
    if (wait === undefined || this.#directoryId === '') this.#directoryId = id;
    this.#publish({ kind: 'listing', listing: { files: this.#collection.files, directoryId: this.#directoryId } });
  }

  #lookWithin(ms: number): void {
    const dueAt = this.#clock.monotonic() + ms;
    if (dueAt >= this.#dueAt) return;
    this.#cancel();
    this.#dueAt = dueAt;
    this.#cancel = this.#clock.after(ms, () => this.#look());
  }

  #publish(state: ManifestState): void {
    if (this.#last !== undefined && isSame(this.#last, state)) return;
    this.#last = state;
    this.#listener(state);
  }
}

const stampOf = ({ inode, changedAt }: ManifestText): string => `${inode}:${changedAt}`;

function isSame(a: ManifestState, b: ManifestState): boolean {
  if (a.kind === 'unreadable' || b.kind === 'unreadable') return a.kind === b.kind;
  const [files, others] = [a.listing.files, b.listing.files];
  if (a.listing.directoryId !== b.listing.directoryId || files.length !== others.length) return false;
  return files.every((file, index) => file === others[index]);
}
