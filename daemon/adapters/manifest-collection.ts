import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { keyOf, type ObjectKey } from '../api/meta.ts';
import { sameSecret } from '../api/secret.ts';
import type { ManifestFile } from '../ports/manifest-source.ts';
import type { ManifestRead } from './manifest-file-reader.ts';
import { badManifest, parseManifest } from './manifest-parser.ts';

/** Both in ms: `monotonic` for durations, `wall` to compare with the times of files. */
export interface Moment {
  readonly monotonic: number;
  readonly wall: number;
}

export interface SettleTimes {
  /** A file that would take something away or is wrong is believed when it was left alone for so long, ms. */
  readonly quietMs: number;
  /** A file that is gone is believed to be gone after so long, ms: editors delete and create. */
  readonly goneMs: number;
}

/** A file written within one tick of the kernel's clock after it was read has the same times: read it again, ms. */
const clockTick = 20;

/**
 * The files of the manifest directory, and what is believed of them. A change that adds is taken at once; one that is
 * an error, or takes an object away, only when the file has been quiet: it may be half written, truncated a moment
 * before its new content, or deleted a moment before its successor appears.
 */
export class ManifestCollection {
  readonly #read: (name: string) => ManifestRead;
  readonly #times: SettleTimes;
  readonly #tracked = new Map<string, TrackedFile>();
  #isFirstLook = true;

  constructor(read: (name: string) => ManifestRead, times: SettleTimes) {
    this.#read = read;
    this.#times = times;
  }

  /** What is believed now, by name. */
  get files(): readonly ManifestFile[] {
    const listed = [...this.#tracked.values()].flatMap((tracked) => tracked.listed ?? []);
    return listed.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Which of these files the next look would have to read. */
  unread(stamps: ReadonlyMap<string, string>): readonly string[] {
    const isUnread = ([name, stamp]: readonly [string, string]) => this.#tracked.get(name)?.latest?.stamp !== stamp;
    return [...stamps].filter(isUnread).map(([name]) => name);
  }

  /** Reads a file before the look that judges it: that look reads it again only if it has changed since. */
  readAhead(name: string, now: Moment): void {
    const tracked = this.#tracked.get(name) ?? {};
    const read = this.#read(name);
    if (read.kind === 'gone') return;
    tracked.latest = this.#versionOf(name, read, tracked, now);
    this.#tracked.set(name, tracked);
  }

  /**
   * Takes a look at the directory: stamps by file name. Reads what changed.
   *
   * What takes an object away is believed only when no other file is in doubt: the object may have moved there.
   * @returns ms until another look is wanted for something to settle; undefined when all is settled.
   */
  look(stamps: ReadonlyMap<string, string>, now: Moment): number | undefined {
    const gone = new Set(this.#tracked.keys());
    const settled: { readonly tracked: TrackedFile; readonly latest: Version }[] = [];
    const waits: number[] = [];
    for (const [name, stamp] of stamps) {
      const present = this.#present(name, stamp, now);
      if (present === 'gone') continue;
      gone.delete(name);
      const wait = this.#unsettledFor(present.latest, now);
      if (wait > 0) waits.push(wait);
      else settled.push(present);
    }
    const isInDoubt = waits.length > 0;
    for (const { tracked, latest } of settled) {
      if (!isInDoubt || !takesAway(tracked.listed, latest.manifest)) accept(tracked, latest);
    }
    // Those that are gone go together: one may have held, unsettled, what another declared.
    const lefts = [...gone].map((name) => this.#leftOf(name, now));
    const doubtMs = Math.max(isInDoubt ? this.#times.quietMs : 0, ...lefts);
    const elsewhere = gone.size === 0 || doubtMs <= 0 ? new Set<ObjectKey>() : this.#declaredKeys();
    for (const name of gone) {
      const wait = this.#absent(name, doubtMs, elsewhere);
      if (wait > 0) waits.push(wait);
    }
    this.#isFirstLook = this.#isFirstLook && waits.length > 0;
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  /**
   * Lists what has not settled as bad: the directory is busy, and the first listing cannot wait for ever. What it names as
   * of now is held.
   */
  stopWaiting(): void {
    for (const [name, tracked] of this.#tracked) {
      if (tracked.listed !== undefined) continue;
      const { objects = [], words = [] } = tracked.latest?.manifest ?? {};
      const names = objects.map(({ metadata }) => metadata.name);
      const problem = { file: name, message: 'is being written all the time' };
      tracked.listed = { ...badManifest(name, [problem]), words: [...new Set([...words, ...names])].sort() };
    }
    this.#isFirstLook = false;
  }

  #present(name: string, stamp: string, now: Moment): { tracked: TrackedFile; latest: Version } | 'gone' {
    const tracked = this.#tracked.get(name) ?? {};
    let { latest } = tracked;
    if (latest === undefined || latest.stamp !== stamp || latest.isRacy) {
      const read = this.#read(name);
      if (read.kind === 'gone') return 'gone';
      latest = this.#versionOf(name, read, tracked, now);
      tracked.latest = latest;
    }
    delete tracked.goneSince;
    this.#tracked.set(name, tracked);
    return { tracked, latest };
  }

  #versionOf(
    name: string,
    read: Exclude<ManifestRead, { kind: 'gone' }>,
    { listed, latest }: TrackedFile,
    now: Moment,
  ): Version {
    const { stamp, changedAt } = read;
    const digest = read.kind === 'text' ? hash('sha256', read.text) : read.message;
    const isRacy = now.wall - changedAt < clockTick;
    if (latest?.digest === digest) return { ...latest, stamp, isRacy };
    const manifest =
      read.kind === 'text'
        ? parseManifest(name, read.text, listed)
        : badManifest(name, [{ file: name, message: read.message }], listed);
    const needsQuiet =
      manifest.state === 'bad' ||
      this.#isFirstLook ||
      takesAway(listed, manifest) ||
      (read.kind === 'text' && endsOpen(read.text));
    return { stamp, digest, isRacy, manifest, needsQuiet, changedAt, firstSeen: now.monotonic };
  }

  /** Quiet by the file's own time, or by ours when the clock was set: ms that are missing. */
  #unsettledFor({ needsQuiet, changedAt, firstSeen }: Version, now: Moment): number {
    if (!needsQuiet) return 0;
    return this.#times.quietMs - Math.max(now.wall - changedAt, now.monotonic - firstSeen);
  }

  /** Until a file that is gone is believed to be, by itself, ms. */
  #leftOf(name: string, now: Moment): number {
    const tracked = this.#tracked.get(name);
    if (tracked === undefined) return 0;
    tracked.goneSince ??= now.monotonic;
    delete tracked.latest;
    return this.#times.goneMs - (now.monotonic - tracked.goneSince);
  }

  /**
   * @param wait ms until nothing else is in doubt; its end brings the next look
   * @param elsewhere what other files declare
   */
  #absent(name: string, wait: number, elsewhere: ReadonlySet<ObjectKey>): number {
    const tracked = this.#tracked.get(name);
    if (tracked === undefined) return 0;
    if (wait > 0 && tracked.listed !== undefined && !isDeclaredIn(elsewhere, tracked.listed)) return wait;
    this.#tracked.delete(name);
    return 0;
  }

  /** What the good files declare that are there. One that is gone as well is no place to have gone to. */
  #declaredKeys(): ReadonlySet<ObjectKey> {
    const there = [...this.#tracked.values()].filter(({ goneSince }) => goneSince === undefined);
    const good = there.flatMap(({ listed }) => (listed?.state === 'good' ? listed : []));
    return new Set(good.flatMap(({ objects }) => objects.map(keyOf)));
  }
}

interface TrackedFile {
  /** The version that is believed. */
  listed?: ManifestFile;
  /** The version that was read last. */
  latest?: Version;
  goneSince?: number;
}

interface Version {
  readonly stamp: string;
  readonly digest: string;
  readonly isRacy: boolean;
  readonly manifest: ManifestFile;
  readonly needsQuiet: boolean;
  readonly changedAt: number;
  readonly firstSeen: number;
}

/** A renamed file: all that it declared is in others, so nothing is lost with it. Of a bad one nobody knows what it declared. */
function isDeclaredIn(elsewhere: ReadonlySet<ObjectKey>, file: ManifestFile): boolean {
  return file.state === 'good' && file.objects.every((object) => elsewhere.has(keyOf(object)));
}

/** Equal content stays the same object: who compares by identity sees no change. */
function accept(tracked: TrackedFile, version: Version): void {
  const isSame = isDeepStrictEqual(tracked.listed, version.manifest) && sameSecrets(tracked.listed, version.manifest);
  if (!isSame) tracked.listed = version.manifest;
}

/** A secret's value is hidden from isDeepStrictEqual as from everybody. */
function sameSecrets(a: ManifestFile | undefined, b: ManifestFile): boolean {
  return (b.secrets ?? []).every((secret, index) => {
    const before = a?.secrets?.[index];
    return before !== undefined && sameSecret(before, secret);
  });
}

/** A bad file also holds what it only names: whatever comes after it may let that go. */
function takesAway(before: ManifestFile | undefined, after: ManifestFile): boolean {
  if (before?.state === 'bad') return true;
  const kept = new Set(after.objects.map(keyOf));
  return before?.objects.some((object) => !kept.has(keyOf(object))) ?? false;
}

/** A text file ends with a newline, JSON with its last bracket; another end may be the middle of `storage: 64Mi`. */
function endsOpen(text: string): boolean {
  return text !== '' && !/[\n\]}]$/.test(text);
}
