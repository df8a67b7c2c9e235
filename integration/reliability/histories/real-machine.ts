/**
 * What a random history is played on: the built daemon in a directory of its own, and what was done to it from outside.
 * Everything here is real: files, mounts, loop devices and processes.
 */
import { chmodSync, closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Declaration, foundation, keyOfDeclaration } from '../../model/declarations.ts';
import { Random } from '../../model/random.ts';
import { dist } from '../../support/daemon-client.ts';
import { mounts, run } from '../../support/kernel-facts.ts';
import { CrashingDaemon } from '../crashing-daemon.ts';
import { makeBroughtImages } from './brought-images.ts';

const mount = '/usr/bin/mount';
const umount = '/usr/bin/umount';

interface ForeignMount {
  readonly id: string;
  readonly target: string;
}

interface WrittenData {
  readonly data: string;
  /** Ends with its pod. */
  readonly isInline: boolean;
}

export class RealMachine {
  readonly daemon: CrashingDaemon;
  readonly imageDirectory: string;
  /** What is declared in each file; nothing in one that is half written or garbage. */
  readonly files = new Map<string, readonly Declaration[]>();
  readonly halfWritten = new Set<string>();
  /** Mounts of somebody else, who alone may take them away. */
  readonly foreign: ForeignMount[] = [];
  /** Images that an admin moved away, and from where. */
  readonly aside: { readonly path: string; readonly kept: string }[] = [];
  /** Paths of images that are not what they were: a volume on them may be refused for good. */
  readonly tampered = new Set<string>();
  /** What workloads wrote last, by the inode of the image. */
  readonly written = new Map<bigint, WrittenData>();
  /** The image that was brought with data on it. */
  readonly fullImage: bigint;
  readonly journal: string[] = [];
  random = new Random(1);
  isDraining = false;
  #directoryState: 'readable' | 'unreadable' | 'swapped' = 'readable';
  /** The directory itself, whatever lies over it. */
  readonly #directory: number;
  readonly #onTrace: (line: string) => void;
  readonly #startedAt = performance.now();
  #names = 0;

  constructor(name: string, onTrace: (line: string) => void) {
    this.#onTrace = onTrace;
    this.daemon = new CrashingDaemon(join(dist, 'moored.js'), name);
    const { base, manifestDir } = this.daemon;
    this.imageDirectory = join(base, 'brought');
    makeBroughtImages(this.imageDirectory);
    this.fullImage = statSync(join(this.imageDirectory, 'full.img'), { bigint: true }).ino;
    for (const directory of ['aside', 'another']) mkdirSync(join(base, directory), { mode: 0o755 });
    this.#directory = openSync(manifestDir, 'r');
    this.write('foundation.yaml', foundation(this.imageDirectory), [], true);
  }

  trace(line: string): void {
    const timed = `${String(Math.round(performance.now() - this.#startedAt)).padStart(7)} ${line}`;
    this.journal.push(timed);
    this.#onTrace(timed);
  }

  /** A number that was not given before. */
  next(): number {
    this.#names++;
    return this.#names;
  }

  // --- the manifest directory -------------------------------------------------------------------------------------------

  /** @param isWhole put in place by rename; else written in place, where the daemon may read it half */
  write(name: string, text: string, declarations: readonly Declaration[], isWhole: boolean): void {
    if (isWhole) {
      const temporary = join(this.daemon.base, 'new.yaml');
      writeFileSync(temporary, text, { mode: 0o644 });
      renameSync(temporary, this.#fileAt(name));
    } else writeFileSync(this.#fileAt(name), text, { mode: 0o644 });
    this.files.set(name, isWhole ? declarations : []);
    if (isWhole) this.halfWritten.delete(name);
    else this.halfWritten.add(name);
  }

  remove(name: string): void {
    this.halfWritten.delete(name);
    if (this.files.delete(name)) rmSync(this.#fileAt(name));
  }

  rename(from: string, to: string): void {
    const declarations = this.files.get(from);
    if (declarations === undefined || from === to) return;
    renameSync(this.#fileAt(from), this.#fileAt(to));
    this.files.delete(from);
    this.files.set(to, declarations);
    if (this.halfWritten.delete(from)) this.halfWritten.add(to);
    else this.halfWritten.delete(to);
  }

  /** swapped: another directory lies over it; unreadable: anybody may write there, so what is in it counts as unknown. */
  set directoryState(state: 'readable' | 'unreadable' | 'swapped') {
    if (state === this.#directoryState) return;
    const { base, manifestDir } = this.daemon;
    if (this.#directoryState === 'swapped') run(umount, manifestDir);
    if (this.#directoryState === 'unreadable') chmodSync(manifestDir, 0o755);
    if (state === 'swapped') run(mount, '--bind', join(base, 'another'), manifestDir);
    if (state === 'unreadable') chmodSync(manifestDir, 0o777);
    this.#directoryState = state;
  }

  get declared(): ReadonlyMap<string, Declaration> {
    const all = [...this.files.values()].flat();
    return new Map(all.map((one) => [keyOfDeclaration(one), one]));
  }

  #fileAt(name: string): string {
    return `/proc/self/fd/${this.#directory}/${name}`;
  }

  // --- other people's mounts --------------------------------------------------------------------------------------------

  mountForeign(target: string): void {
    run(mount, '-t', 'tmpfs', '-o', 'size=64k', `theirs-${this.next()}`, target);
    const made = mounts().findLast((one) => one.target === target);
    if (made !== undefined) this.foreign.push({ id: made.id, target });
  }

  /** umount(8) as an admin does it: by path, whatever lies on top. */
  unmountTop(target: string): void {
    const top = mounts().findLast((one) => one.target === target);
    run(umount, target);
    const index = this.foreign.findIndex(({ id }) => id === top?.id);
    if (index >= 0) this.foreign.splice(index, 1);
  }

  // --- images -----------------------------------------------------------------------------------------------------------

  takeImageAside(path: string, isReplaced: boolean): void {
    const kept = join(this.daemon.base, 'aside', String(this.next()));
    const { size } = statSync(path);
    renameSync(path, kept);
    this.aside.push({ path, kept });
    this.tampered.add(path);
    if (isReplaced) run('/usr/bin/truncate', '--size', String(size), path);
  }

  /** Puts back what was moved away last, if nothing has taken its place. */
  restoreImage(): void {
    const last = this.aside.pop();
    if (last === undefined) return;
    const { path, kept } = last;
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) this.aside.unshift(last);
    else {
      renameSync(kept, path);
      if (!this.aside.some((other) => other.path === path)) this.tampered.delete(path);
    }
  }

  dispose(): void {
    closeSync(this.#directory);
    rmSync(this.daemon.base, { recursive: true });
  }
}
