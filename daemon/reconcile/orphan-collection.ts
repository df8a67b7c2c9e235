/**
 * `moorctl orphans` and `moorctl gc`: what is moored's and nobody's, and putting it away when somebody says so. Nothing
 * here runs by itself. A directory is put aside by a rename and only ever removed by rmdir; an image goes to its trash.
 */
import { decideOrphans, type Orphan } from '../plan/orphans.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Host } from '../ports/host.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { StorageInventory } from '../ports/storage-inventory.ts';
import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { DesiredStateOfWorld } from '../world/desired-state-of-world.ts';
import type { DiskLayout } from '../world/disk-layout.ts';
import { StorageError } from '../world/storage-error.ts';
import { accountedFor, imageDirectoriesOf } from './accounted-for.ts';
import { removeEmptyTree } from './empty-tree.ts';

export interface OrphanCollectionOptions {
  readonly asw: ActualStateOfWorld;
  readonly objects: Pick<ObjectStore, 'list'>;
  readonly host: Pick<Host, 'loopDevices' | 'directories' | 'images' | 'mountTable'>;
  readonly inventory: StorageInventory;
  readonly layout: DiskLayout;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly dsw: () => DesiredStateOfWorld;
  /** Why nothing may be called an orphan for certain, or ''. */
  readonly hold: () => string;
}

/** As it is told: what a sidecar says in full is the daemon's own business. */
interface OrphanList extends Omit<FullOrphanList, 'orphans'> {
  readonly orphans: readonly Omit<Orphan, 'sidecar'>[];
}

export interface FullOrphanList {
  readonly orphans: readonly Orphan[];
  readonly held: string;
  readonly incomplete: readonly string[];
}

export interface CollectionRequest {
  /** Paths of orphans; ignored with `all`. */
  readonly names: readonly string[];
  readonly all: boolean;
  /** False: only say what would be done. */
  readonly execute: boolean;
  /** How long trash and quarantine are kept, milliseconds. */
  readonly graceMs: number;
}

export interface CollectionResult {
  readonly path: string;
  readonly action: Orphan['action'];
  readonly state: 'planned' | 'done' | 'kept';
  /** What became of it, or why it is kept. */
  readonly message: string;
}

export interface Collection {
  readonly held: string;
  readonly results: readonly CollectionResult[];
  /** Names that are no orphans. */
  readonly unknown: readonly string[];
}

export class OrphanCollection {
  readonly #options: OrphanCollectionOptions;

  constructor(options: OrphanCollectionOptions) {
    this.#options = options;
  }

  async list(graceMs: number): Promise<OrphanList> {
    const { orphans, ...rest } = await this.look(graceMs);
    return { ...rest, orphans: orphans.map(({ sidecar: _, ...orphan }) => orphan) };
  }

  async look(graceMs: number): Promise<FullOrphanList> {
    await this.#options.host.mountTable.refresh();
    return this.#look(graceMs);
  }

  /** From the look to the last effect nothing else of the daemon runs: what was decided is still so. */
  async collect({ names, all, execute, graceMs }: CollectionRequest): Promise<Collection> {
    await this.#options.host.mountTable.refresh();
    const { orphans, held } = this.#look(graceMs);
    const chosen = all ? orphans : orphans.filter(({ path }) => names.includes(path));
    const unknown = all ? [] : names.filter((name) => orphans.every(({ path }) => path !== name));
    const results = chosen
      .filter(({ action }) => !all || action !== 'none')
      .map((orphan) => this.#one(orphan, execute, held));
    return { held, results, unknown };
  }

  #look(graceMs: number): FullOrphanList {
    const { asw, objects, host, inventory, layout, clock, dsw, hold } = this.#options;
    const mounts = host.mountTable.current();
    const { local, skipped } = imageDirectoriesOf(objects, layout, mounts);
    const listed = inventory.list(local);
    const orphans = decideOrphans({
      inventory: listed,
      loops: host.loopDevices.list(),
      accountedFor: accountedFor({ asw, objects, dsw: dsw() }),
      mounts,
      rootDir: layout.rootDir,
      imageDirectories: local.map((directory) => `${directory}/`),
      now: Date.parse(clock.timestamp()),
      graceMs,
    });
    return { orphans, held: hold(), incomplete: [...skipped, ...listed.incomplete] };
  }

  #one(orphan: Orphan, execute: boolean, held: string): CollectionResult {
    const { path, action, obstacle } = orphan;
    if (action === 'none' || obstacle !== '') return { path, action, state: 'kept', message: obstacle };
    if (held !== '') return { path, action, state: 'kept', message: held };
    if (!execute) return { path, action, state: 'planned', message: orphan.reason };
    const { events, logger } = this.#options;
    try {
      const message = this.#act(orphan);
      logger.info('orphan collected', { path, action, message });
      events.record({ reason: 'OrphanCollected', regarding: `Path/${path}`, message });
      return { path, action, state: 'done', message };
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      logger.warn('orphan kept', { path, action, error: error.message });
      return { path, action, state: 'kept', message: error.message };
    }
  }

  #act(orphan: Orphan): string {
    const { inventory, layout, clock } = this.#options;
    const { path } = orphan;
    switch (orphan.action) {
      case 'quarantine':
        return `moved to "${inventory.quarantine(path, quarantineName(path, layout, clock.timestamp()))}"`;
      case 'detach':
        return this.#detach(path);
      case 'trash':
        return this.#trash(orphan);
      case 'purge':
        return this.#purge(orphan);
      case 'none':
        return '';
    }
  }

  #detach(devicePath: string): string {
    const { loopDevices } = this.#options.host;
    const device = loopDevices.status(devicePath);
    if (device === undefined) return 'it was detached already';
    loopDevices.detach(devicePath, device.backing);
    return `detached from "${device.backing.path}"`;
  }

  #trash({ path, volumeHandle = '' }: Orphan): string {
    const { images } = this.#options.host;
    if (images.stat(path) !== undefined) return `moved to "${images.moveToTrash(path, volumeHandle)}"`;
    images.remove(path, volumeHandle);
    return 'its sidecar was removed';
  }

  #purge({ kind, path }: Orphan): string {
    const { inventory, host } = this.#options;
    if (kind === 'Trashed') inventory.unlinkTrashed(path);
    else if (host.directories.kindOf(path) === 'file') inventory.unlinkTemporary(path);
    else removeEmptyTree(path, host.directories);
    return 'removed';
  }
}

const longestName = 250;

/** "<time>~pods~<uid>": where it was, readable; cut at the front when it is too long, so that the last part stays. */
function quarantineName(path: string, { rootDir }: DiskLayout, timestamp: string): string {
  const stamp = timestamp.replaceAll(/[-:]/g, '');
  const origin = path.slice(rootDir.length).replaceAll('/', '~');
  return `${stamp}${origin.slice(-(longestName - stamp.length))}`;
}
