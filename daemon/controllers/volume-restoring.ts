/** Images of volumes that are made of a snapshot or of another volume: copied, given an identity, and then their name. */
import { dataSourceOf, isSnapshotSource } from '../api/claim-data-source.ts';
import { keyOf, objectKey } from '../api/meta.ts';
import type { PersistentVolumeSpec, StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { bytesOf, formatBytes, parseQuantity } from '../api/quantity.ts';
import { annotations } from '../api/well-known.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ProvisionedVolume, SnapshotSupport, VolumePlugin } from '../ports/volume-plugin.ts';
import type { DiskLayout } from '../world/disk-layout.ts';
import { StorageError } from '../world/storage-error.ts';
import type { CopyQueue, QueuedCopy } from './copy-queue.ts';
import { copyVolume, type VolumeCopyParts } from './volume-copy.ts';

export interface VolumeRestoringOptions extends VolumeCopyParts {
  readonly objects: ObjectStore;
  readonly layout: DiskLayout;
  readonly queue: CopyQueue;
  readonly logger: Logger;
}

interface RunningCopy {
  readonly claim: StoredPersistentVolumeClaim;
  readonly stop: AbortController;
}

/** What a new volume is made of. */
interface Origin {
  readonly handle: string;
  readonly imagePath: string;
  readonly fsType: string;
  /** Makes the copy under its temporary name. */
  copy(signal: AbortSignal): Promise<unknown>;
  /** Bytes that its filesystem has. */
  readonly sizeBytes: bigint;
}

export interface RestoredVolume {
  readonly spec: PersistentVolumeSpec;
  /** Of a volume that is larger than what it was made of: its filesystem is grown when it is first mounted. */
  readonly annotations: Readonly<Record<string, string>>;
}

export class VolumeRestoring {
  readonly #options: VolumeRestoringOptions;
  /** Of each copy under way, by the claim's uid. */
  readonly #copies = new Map<string, RunningCopy>();
  #isStopped = false;

  constructor(options: VolumeRestoringOptions) {
    this.#options = options;
  }

  /** Done twice it is done once: what has its name is whole. */
  async restore(
    claim: StoredPersistentVolumeClaim,
    provisioned: ProvisionedVolume,
    plugin: VolumePlugin,
  ): Promise<RestoredVolume> {
    const { imageCopies, logger } = this.#options;
    const { path, sidecar } = provisioned.image;
    const origin = this.#originOf(claim, provisioned, plugin);
    const known = imageCopies.published(path, sidecar.volumeHandle);
    if (known === undefined) {
      const copy = { key: keyOf(claim), volume: provisioned.volumeName, source: origin.imagePath, target: path };
      await this.#copying(claim, copy, async (signal) => {
        await origin.copy(signal);
        if (origin.fsType !== '') await imageCopies.renewIdentity(path, signal);
      });
      const { fsType, handle: madeOf } = origin;
      imageCopies.publish(path, { ...sidecar, fsType, madeOf }, { isSealed: false });
      logger.info('volume copied', { volume: provisioned.volumeName, image: path, madeOf });
    }
    return restoredVolume(provisioned, origin);
  }

  /** Copies for claims that are gone are given up. */
  objectsChanged(): void {
    for (const { claim, stop } of this.#copies.values()) {
      const { namespace, name, uid } = claim.metadata;
      const current = this.#options.objects.get(objectKey('PersistentVolumeClaim', namespace, name));
      const isWanted = current?.metadata.uid === uid && current.metadata.deletionTimestamp === undefined;
      if (!isWanted) stop.abort();
    }
  }

  stop(): void {
    this.#isStopped = true;
    for (const { stop } of this.#copies.values()) stop.abort();
  }

  async #copying(
    claim: StoredPersistentVolumeClaim,
    copy: QueuedCopy,
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const stop = new AbortController();
    if (this.#isStopped) stop.abort();
    this.#copies.set(claim.metadata.uid, { claim, stop });
    const { queue, imageCopies } = this.#options;
    try {
      await queue.run(copy, stop.signal, () => work(stop.signal));
    } catch (thrown) {
      imageCopies.discard(copy.target);
      throw thrown;
    } finally {
      this.#copies.delete(claim.metadata.uid);
    }
  }

  #originOf(claim: StoredPersistentVolumeClaim, { image }: ProvisionedVolume, plugin: VolumePlugin): Origin {
    const source = dataSourceOf(claim.spec);
    const support = plugin.snapshots;
    if (source === undefined || support === undefined) {
      throw new StorageError(`Cannot make a volume of "${source?.name}": the driver copies none`, {
        code: 'Unimplemented',
      });
    }
    const target = image.path;
    const sizeBytes = BigInt(image.sidecar.sizeBytes);
    const request = { target, sizeBytes, room: 'all' } as const;
    const { namespace } = claim.metadata;
    return isSnapshotSource(source)
      ? this.#snapshotOrigin(namespace, source.name, support, request)
      : this.#cloneOrigin(namespace, source.name, support, request);
  }

  #snapshotOrigin(namespace: string, name: string, support: SnapshotSupport, request: Request): Origin {
    const { objects, layout, imageCopies } = this.#options;
    const snapshot = objects.get(objectKey('VolumeSnapshot', namespace, name));
    const contentName =
      snapshot?.kind === 'VolumeSnapshot' ? snapshot.status?.boundVolumeSnapshotContentName : undefined;
    const content = objects.get(objectKey('VolumeSnapshotContent', '', contentName ?? ''));
    const handle = content?.kind === 'VolumeSnapshotContent' ? content.status?.snapshotHandle : undefined;
    if (handle === undefined) throw gone(`snapshot "${namespace}/${name}"`, 'it is not there any more');
    const source = support.pathOf(handle, layout);
    const sidecar = imageCopies.published(source, handle);
    if (sidecar === undefined) throw gone(`snapshot "${namespace}/${name}"`, `there is no "${source}"`);
    return {
      handle,
      imagePath: source,
      fsType: sidecar.fsType,
      sizeBytes: BigInt(sidecar.sizeBytes),
      copy: (signal) => imageCopies.copy({ ...request, source, way: { kind: 'atRest' } }, signal),
    };
  }

  #cloneOrigin(namespace: string, name: string, support: SnapshotSupport, request: Request): Origin {
    const { objects, layout } = this.#options;
    const claim = objects.get(objectKey('PersistentVolumeClaim', namespace, name));
    const volumeName = claim?.kind === 'PersistentVolumeClaim' ? claim.spec.volumeName : undefined;
    const volume = objects.get(objectKey('PersistentVolume', '', volumeName ?? '')) as
      | StoredPersistentVolume
      | undefined;
    if (volume === undefined) throw gone(`claim "${namespace}/${name}"`, 'it has no volume any more');
    const source = support.sourceOf(volume, layout);
    return {
      handle: source.volumeHandle,
      imagePath: source.imagePath,
      fsType: source.fsType,
      sizeBytes: capacityOf(volume),
      copy: (signal) => copyVolume({ ...request, ...support.optionsOf({}), source }, this.#options, signal),
    };
  }
}

interface Request {
  readonly target: string;
  readonly sizeBytes: bigint;
  readonly room: 'all';
}

/** The filesystem is that of the source, whatever the class says: it is not made, it is there. */
function restoredVolume({ spec, image }: ProvisionedVolume, { fsType, sizeBytes }: Origin): RestoredVolume {
  const csi = spec.csi === undefined || fsType === '' ? spec.csi : { ...spec.csi, fsType };
  const isLarger = fsType !== '' && BigInt(image.sidecar.sizeBytes) > sizeBytes;
  return {
    spec: { ...spec, ...(csi === undefined ? {} : { csi }) },
    annotations: isLarger ? { [annotations.preResizeCapacity]: formatBytes(sizeBytes) } : {},
  };
}

function capacityOf({ spec }: StoredPersistentVolume): bigint {
  return bytesOf(parseQuantity(spec.capacity.storage));
}

function gone(what: string, cause: string): StorageError {
  return new StorageError(`Cannot make a volume of ${what}: ${cause}`, { code: 'NotFound', progress: 'transient' });
}
