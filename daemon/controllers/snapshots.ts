/** All that makes copies of volumes, as one part of the core: snapshots, restores and clones, and the freezes around them. */
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { ImageCopies } from '../ports/image-copies.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { StateStore } from '../ports/state-store.ts';
import type { VolumePlugin } from '../ports/volume-plugin.ts';
import type { VolumesInUse } from '../ports/volumes-in-use.ts';
import type { DiskLayout } from '../world/disk-layout.ts';
import type { ControlWait } from './control-waits.ts';
import { CopyQueue, type CopyState } from './copy-queue.ts';
import { FreezeRecords } from './freeze-records.ts';
import { SnapshotController } from './snapshot-controller.ts';
import { SnapshotTaking } from './snapshot-taking.ts';
import { VolumeRestoring } from './volume-restoring.ts';

export interface SnapshotsOptions {
  readonly objects: ObjectStore;
  readonly state: StateStore;
  readonly plugins: readonly VolumePlugin[];
  readonly layout: DiskLayout;
  readonly imageCopies: ImageCopies;
  readonly volumesInUse: VolumesInUse;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly random: () => number;
  /** How many copies run at once. */
  readonly copyLimit: number;
}

export class Snapshots {
  /** What provisioning makes volumes with that have a data source. */
  readonly restoring: VolumeRestoring;
  readonly #queue: CopyQueue;
  readonly #freezes: FreezeRecords;
  readonly #controller: SnapshotController;

  constructor(options: SnapshotsOptions) {
    this.#freezes = new FreezeRecords(options);
    this.#queue = new CopyQueue(options);
    const parts = { ...options, freezes: this.#freezes, queue: this.#queue };
    this.restoring = new VolumeRestoring(parts);
    this.#controller = new SnapshotController({ ...options, effects: new SnapshotTaking(parts) });
  }

  /** By the key of a snapshot, a content, or a claim whose volume is being copied. */
  get waits(): ReadonlyMap<string, ControlWait> {
    const copies = this.copies.flatMap(({ key, message, since }): readonly [string, ControlWait][] =>
      key.startsWith('PersistentVolumeClaim/') ? [[key, { reason: 'Provisioning', message, since }]] : [],
    );
    return new Map([...this.#controller.waits, ...copies]);
  }

  /** What is copied, and what waits for its turn. */
  get copies(): readonly CopyState[] {
    return this.#queue.all;
  }

  /** Before anything else looks: whoever looks into a frozen filesystem may wait for ever. */
  thawAll(): Promise<void> {
    return this.#freezes.thawAll();
  }

  /** To be called whenever objects changed. */
  sync(): void {
    this.#controller.sync();
    this.restoring.objectsChanged();
  }

  /** Copies under way are given up; they have no name yet, and are begun anew at the next start. */
  async stop(): Promise<void> {
    this.restoring.stop();
    await this.#controller.stop();
    this.#freezes.stop();
  }
}
