/** The effects of the snapshot controller: copies beside the images, and what the contents say of them. */
import { keyOf, objectKey } from '../api/meta.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredVolumeSnapshotClass } from '../api/volume-snapshot-class.ts';
import type { StoredVolumeSnapshotContent } from '../api/volume-snapshot-content.ts';
import { annotations } from '../api/well-known.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { ImageSidecar } from '../ports/images.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { SnapshotSupport, VolumePlugin } from '../ports/volume-plugin.ts';
import type { DiskLayout } from '../world/disk-layout.ts';
import { asStorageError, StorageError } from '../world/storage-error.ts';
import type { CopyQueue } from './copy-queue.ts';
import { withContentError } from './snapshot-content-step.ts';
import type { SnapshotEffects } from './snapshot-controller.ts';
import { withAnnotations } from './snapshot-world.ts';
import { copyVolume, type VolumeCopyParts, type VolumeCopyReport } from './volume-copy.ts';

export interface SnapshotTakingOptions extends VolumeCopyParts {
  readonly queue: CopyQueue;
  readonly objects: ObjectStore;
  readonly plugins: readonly VolumePlugin[];
  readonly layout: DiskLayout;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
}

export class SnapshotTaking implements SnapshotEffects {
  readonly #options: SnapshotTakingOptions;
  /** Of each copy under way, by the content's uid. */
  readonly #copies = new Map<string, AbortController>();

  constructor(options: SnapshotTakingOptions) {
    this.#options = options;
  }

  takesSnapshots(driver: string): boolean {
    return this.#supportOf(driver) !== undefined;
  }

  cancel({ metadata }: StoredVolumeSnapshotContent): void {
    this.#copies.get(metadata.uid)?.abort();
  }

  /** The intent (the content, marked as being created) is durable before the copy; the copy is whole before its name. */
  take(
    content: StoredVolumeSnapshotContent,
    volume: StoredPersistentVolume,
    snapshotClass: StoredVolumeSnapshotClass | undefined,
  ): Promise<void> {
    return this.#reportingErrors(content, async (support) => {
      const { objects, layout, imageCopies } = this.#options;
      const { volumeSnapshotRef, sourceVolumeMode = 'Filesystem' } = content.spec;
      const { namespace, name, uid = '' } = volumeSnapshotRef;
      const snapshot = { namespace, name, uid };
      const source = support.sourceOf(volume, layout);
      const handle = support.newHandle(snapshot, source, layout);
      const target = support.pathOf(handle, layout);
      this.#update(content, (current) => withHandle(current, handle));
      await objects.durable();
      const known = imageCopies.published(target, handle);
      if (known !== undefined) return this.#writeTaken(content, known);
      const { limitMs, isFrozen } = support.optionsOf(snapshotClass?.spec.parameters ?? {});
      const request = { source, target, sizeBytes: 0n, limitMs, isFrozen, room: 'written' } as const;
      const key = objectKey('VolumeSnapshot', namespace, name);
      const copy = { key, volume: source.name, source: source.imagePath, target };
      const report = await this.#copying(content, (signal) =>
        this.#options.queue.run(copy, signal, () => copyVolume(request, this.#options, signal)),
      );
      const identity = { ...snapshot, volumeHandle: source.volumeHandle, volumeMode: sourceVolumeMode };
      const sidecar = sidecarOf(report, { driver: content.spec.driver, handle, fsType: source.fsType, identity });
      imageCopies.publish(target, sidecar, { isSealed: true });
      this.#writeTaken(content, sidecar);
      this.#tell(content, report);
    });
  }

  adopt(content: StoredVolumeSnapshotContent): Promise<void> {
    return this.#reportingErrors(content, async (support) => {
      const handle = content.spec.source.snapshotHandle ?? '';
      const path = support.pathOf(handle, this.#options.layout);
      const sidecar = await Promise.resolve(this.#options.imageCopies.published(path, handle));
      if (sidecar === undefined) {
        const message = `Cannot use snapshot "${handle}": there is no "${path}"`;
        throw new StorageError(message, { code: 'NotFound', progress: 'transient' });
      }
      this.#writeTaken(content, sidecar);
    });
  }

  async delete(content: StoredVolumeSnapshotContent): Promise<void> {
    const { objects, layout, imageCopies, events, logger } = this.#options;
    const support = this.#requireSupport(content);
    const handle = this.#handleOf(content, support);
    await objects.durable();
    if (handle !== undefined) {
      const path = support.pathOf(handle, layout);
      imageCopies.discard(path);
      const outcome = imageCopies.moveToTrash(path, handle);
      logger.info('snapshot deleted', { content: content.metadata.name, snapshot: path, outcome });
    }
    const current = objects.get(keyOf(content));
    if (current !== undefined) objects.remove(keyOf(content), current.metadata.resourceVersion);
    const message = handle === undefined ? 'it was never taken' : `snapshot ${handle} is in the trash`;
    events.record({ reason: 'SnapshotDeleted', regarding: keyOf(content), message });
  }

  /** Of one that may have been begun, the status says nothing: its handle follows from its names. */
  #handleOf({ metadata, status, spec }: StoredVolumeSnapshotContent, support: SnapshotSupport): string | undefined {
    const { objects, layout } = this.#options;
    const known =
      status?.snapshotHandle ?? spec.source.snapshotHandle ?? metadata.annotations?.[annotations.snapshotHandle];
    if (known !== undefined) return known;
    const volume = objects
      .list('PersistentVolume')
      .find(({ spec: { csi } }) => csi?.driver === spec.driver && csi.volumeHandle === spec.source.volumeHandle);
    const { namespace, name, uid = '' } = spec.volumeSnapshotRef;
    if (volume === undefined) return undefined;
    return support.newHandle({ namespace, name, uid }, support.sourceOf(volume, layout), layout);
  }

  async #copying<T>({ metadata }: StoredVolumeSnapshotContent, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#copies.set(metadata.uid, controller);
    try {
      return await work(controller.signal);
    } finally {
      this.#copies.delete(metadata.uid);
    }
  }

  async #reportingErrors(
    content: StoredVolumeSnapshotContent,
    work: (support: SnapshotSupport) => Promise<void>,
  ): Promise<void> {
    try {
      await work(this.#requireSupport(content));
    } catch (thrown) {
      const { message } = asStorageError(thrown, `Cannot take snapshot "${content.metadata.name}"`);
      this.#update(content, (current) => withContentError(current, message, this.#options.clock.timestamp()));
      throw thrown;
    }
  }

  #writeTaken(content: StoredVolumeSnapshotContent, sidecar: ImageSidecar): void {
    this.#update(content, (current) => {
      const marks = current.metadata.annotations ?? {};
      const { [annotations.snapshotBeingCreated]: _done, [annotations.snapshotHandle]: _known, ...kept } = marks;
      const { error: _error, ...status } = current.status ?? {};
      return {
        ...current,
        metadata: { ...current.metadata, annotations: { ...kept, ...marksOf(sidecar) } },
        status: {
          ...status,
          snapshotHandle: sidecar.volumeHandle,
          creationTime: Date.parse(sidecar.createdAt) * 1e6,
          restoreSize: Number(sidecar.sizeBytes),
          readyToUse: true,
        },
      };
    });
  }

  #update(
    content: StoredVolumeSnapshotContent,
    change: (current: StoredVolumeSnapshotContent) => StoredVolumeSnapshotContent | undefined,
  ): void {
    const { objects } = this.#options;
    const current = objects.get(keyOf(content));
    if (current?.kind !== 'VolumeSnapshotContent' || current.metadata.uid !== content.metadata.uid) return;
    const changed = change(current);
    if (changed !== undefined) objects.update(changed);
  }

  #tell(content: StoredVolumeSnapshotContent, report: VolumeCopyReport): void {
    const { events, logger } = this.#options;
    const { method, consistency, frozenMs, sizeBytes } = report;
    const { namespace, name } = content.spec.volumeSnapshotRef;
    const frozen = frozenMs === undefined ? 'nobody had to wait' : `writers waited ${frozenMs} ms`;
    const message = `Snapshot ${namespace}/${name} was successfully created by ${method}: ${frozen}`;
    events.record({ reason: 'SnapshotCreated', regarding: `VolumeSnapshot/${namespace}/${name}`, message });
    const fields = { content: content.metadata.name, method, consistency, frozenMs, sizeBytes: sizeBytes.toString() };
    logger.info('snapshot taken', fields);
  }

  #supportOf(driver: string): SnapshotSupport | undefined {
    return this.#options.plugins.find(({ name }) => name === driver)?.snapshots;
  }

  #requireSupport({ spec, metadata }: StoredVolumeSnapshotContent): SnapshotSupport {
    const support = this.#supportOf(spec.driver);
    if (support !== undefined) return support;
    const message = `Cannot take snapshot "${metadata.name}": no driver "${spec.driver}" takes snapshots here`;
    throw new StorageError(message, { code: 'Unimplemented' });
  }
}

/** undefined when it says so already. */
function withHandle(content: StoredVolumeSnapshotContent, handle: string): StoredVolumeSnapshotContent | undefined {
  if (content.metadata.annotations?.[annotations.snapshotHandle] === handle) return undefined;
  return withAnnotations(content, { [annotations.snapshotHandle]: handle });
}

interface Taken {
  readonly driver: string;
  readonly handle: string;
  readonly fsType: string;
  readonly identity: Omit<ImageSidecar['snapshot'] & object, 'method' | 'consistency' | 'frozenMs'>;
}

function sidecarOf(report: VolumeCopyReport, { driver, handle, fsType, identity }: Taken): ImageSidecar {
  const { method, consistency, frozenMs } = report;
  const how = { method, consistency, ...(frozenMs === undefined ? {} : { frozenMs }) };
  return {
    apiVersion: 'moored.dev/v1',
    driver,
    volumeHandle: handle,
    snapshot: { ...identity, ...how },
    sizeBytes: report.sizeBytes.toString(),
    fsType,
    createdAt: report.takenAt,
  };
}

/** For people, and as strings, as annotations are. */
function marksOf({ snapshot }: ImageSidecar): Record<string, string> {
  if (snapshot === undefined) return {};
  const { method, consistency, frozenMs } = snapshot;
  return {
    [annotations.snapshotMethod]: method,
    [annotations.snapshotConsistency]: consistency,
    ...(frozenMs === undefined ? {} : { [annotations.snapshotFrozenMs]: String(frozenMs) }),
  };
}
