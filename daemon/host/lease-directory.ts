import {
  type FSWatcher,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import type { PodLeases } from '../ports/pod-leases.ts';
import type { PodLease } from '../world/pod-lease.ts';

/**
 * One file a lease, named after its unit, below /run: a reboot ends them all, as it ends the units. The unit itself
 * removes its file when it has stopped (ExecStopPost=), so that a lease ends while the daemon is down, too. inotify only
 * wakes: `current` looks at the directory, which is on a tmpfs and cannot hang.
 */
export class LeaseDirectory implements PodLeases, Disposable {
  readonly #directory: string;
  readonly #onProblem: (message: string) => void;
  readonly #listeners = new Set<() => void>();
  readonly #watcher: FSWatcher;
  #known: ReadonlyMap<string, PodLease> = new Map();

  /** @param directory is made, with its parents, when it is not there */
  constructor(directory: string, onProblem: (message: string) => void) {
    this.#directory = directory;
    this.#onProblem = onProblem;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#watcher = watch(directory, () => {
      for (const listener of this.#listeners) listener();
    });
    this.#watcher.on('error', (error) => onProblem(`Cannot watch "${directory}": ${error.message}`));
  }

  current(): readonly PodLease[] {
    const names = this.#names();
    const leases = names.map((name) => [name, this.#known.get(name) ?? this.#read(name)] as const);
    this.#known = new Map(leases.flatMap(([name, lease]) => (lease === undefined ? [] : [[name, lease]])));
    return [...this.#known.values()];
  }

  grant(lease: PodLease): void {
    const path = `${this.#directory}/${lease.unit}`;
    writeFileSync(`${path}.new`, `${JSON.stringify(lease)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    this.#known = new Map(this.#known).set(lease.unit, lease);
  }

  revoke(unit: string): void {
    try {
      unlinkSync(`${this.#directory}/${unit}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }

  /** A directory that cannot be read is not an empty one: then every lease lasts. */
  #names(): readonly string[] {
    try {
      return readdirSync(this.#directory).filter((name) => !name.endsWith('.new'));
    } catch (error) {
      this.#onProblem(`Cannot read "${this.#directory}": ${String(error)}`);
      return [...this.#known.keys()];
    }
  }

  /** Written by rename, so whole or absent; one that is neither was put there by hand. */
  #read(name: string): PodLease | undefined {
    try {
      return JSON.parse(readFileSync(`${this.#directory}/${name}`, 'utf8')) as PodLease;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      this.#onProblem(`Cannot read lease "${this.#directory}/${name}": ${String(error)}`);
      return undefined;
    }
  }
}
