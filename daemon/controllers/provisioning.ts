import { dataSourceOf } from '../api/claim-data-source.ts';
import { keyOf, objectKey } from '../api/meta.ts';
import { dataPathOf, type StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import { annotations } from '../api/well-known.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Images } from '../ports/images.ts';
import type { Logger } from '../ports/logger.ts';
import type { MountTableSource } from '../ports/mount-table-source.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ProvisionedImage, ProvisionedVolume, VolumePlugin } from '../ports/volume-plugin.ts';
import type { VolumeRecycler } from '../ports/volume-recycler.ts';
import type { DiskLayout } from '../world/disk-layout.ts';
import { StorageError } from '../world/storage-error.ts';
import type { ProvisionEffects } from './claim-controller.ts';
import type { NodeExpansion } from './claim-world.ts';
import { newPersistentVolume } from './new-persistent-volume.ts';
import { removeDeletedVolume } from './removed-volume.ts';
import { expandableImage, expandVolumeImage } from './volume-expansion.ts';
import { recyclableDirectory, recycleVolume } from './volume-recycling.ts';
import type { VolumeRestoring } from './volume-restoring.ts';

export interface ProvisioningOptions {
  readonly objects: ObjectStore;
  readonly plugins: readonly VolumePlugin[];
  readonly images: Images;
  readonly recycler: VolumeRecycler;
  readonly mountTable: Pick<MountTableSource, 'refresh'>;
  readonly layout: DiskLayout;
  readonly clock: Clock;
  readonly events: EventRecorder;
  readonly logger: Logger;
  readonly newUid: () => string;
  /** Label kubernetes.io/hostname of this node. */
  readonly hostname: string;
  /** Whether a directory is on a filesystem that answers at once, by the mount table. */
  readonly isLocal: (directory: string) => boolean;
  readonly restoring: Pick<VolumeRestoring, 'restore'>;
  /** An image went to the trash with its volume. */
  readonly onTrashed: (trashed: string, volumeHandle: string) => void;
  /** Whether an image is attached or may be, by the actual state of world. */
  readonly isImageInUse: (path: string) => boolean;
  /** The same of a volume of this name in a pod's directory. */
  readonly isVolumeInUse: (volumeName: string) => boolean;
  /** How far the growth of a volume of this name is, by the actual state of world and its operations. */
  readonly nodeExpansion: (volumeName: string) => NodeExpansion;
}

/** The in-process provisioner: makes the image and the volume of a claim, and puts both away again. */
export class Provisioning implements ProvisionEffects {
  readonly #options: ProvisioningOptions;

  constructor(options: ProvisioningOptions) {
    this.#options = options;
  }

  canProvision(provisioner: string): boolean {
    return this.#pluginOf(provisioner) !== undefined;
  }

  /** What cannot be seen says nothing: the image's creation looks again, and its failure is the claim's. */
  freeBytes({ spec }: StoredStorageClass): bigint | undefined {
    const { images, layout, isLocal, logger } = this.#options;
    const directory = this.#pluginOf(spec.provisioner)?.provisionDirectory?.(spec, layout);
    if (directory === undefined || !isLocal(directory)) return undefined;
    try {
      return images.space(directory)?.freeBytes;
    } catch (error) {
      logger.warn('room for images not seen', { directory, error: String(error) });
      return undefined;
    }
  }

  isInUse(volume: StoredPersistentVolume): boolean {
    const image = this.#imageOf(volume);
    const { isImageInUse, isVolumeInUse } = this.#options;
    // A directory is attached nowhere: only who has it bound uses it.
    const isAttached = image !== undefined && volume.spec.local === undefined;
    return isAttached ? isImageInUse(image.path) : isVolumeInUse(volume.metadata.name);
  }

  /**
   * Claim uid durable, then sidecar and image, then the volume: the name follows from the claim, so that any of it done
   * twice is done once.
   */
  async provision(claim: StoredPersistentVolumeClaim, storageClass: StoredStorageClass): Promise<void> {
    const { objects, layout, clock, events, logger, newUid, hostname } = this.#options;
    const plugin = this.#pluginOf(storageClass.spec.provisioner);
    if (plugin?.provision === undefined) return;
    const now = clock.timestamp();
    const provisioned = plugin.provision({ claim, storageClass, now, hostname }, layout);
    const { volumeName, image } = provisioned;
    if (objects.get(objectKey('PersistentVolume', '', volumeName)) !== undefined) return;
    this.#requireLocal(image.path);
    this.#requireNoDataOfBefore(claim, image.path);
    await objects.durable();
    const { spec, annotations: marks } = await this.#makeImage(claim, provisioned, plugin);
    const birth = { uid: newUid(), now, provisioner: plugin.name, annotations: marks };
    objects.create(newPersistentVolume(claim, { ...provisioned, spec }, birth));
    const { namespace, name } = claim.metadata;
    logger.info('volume provisioned', { volume: volumeName, claim: `${namespace}/${name}`, image: image.path });
    const regarding = `PersistentVolumeClaim/${namespace}/${name}`;
    const limits = provisioned.isCapacityEnforced === false ? '; nothing limits it to its capacity' : '';
    const message = `Successfully provisioned volume ${volumeName}${limits}`;
    events.record({ reason: 'ProvisioningSucceeded', regarding, message });
  }

  canRecycle(volume: StoredPersistentVolume): boolean {
    return recyclableDirectory(volume) !== undefined;
  }

  recycle(volume: StoredPersistentVolume, isWanted: () => boolean): Promise<void> {
    return recycleVolume(volume, isWanted, this.#options);
  }

  /** Without room on this node the claim is no longer this node's: its pod is scheduled anew (ProvisioningReschedule). */
  #createImage(claim: StoredPersistentVolumeClaim, { path, sidecar }: ProvisionedVolume['image']): void {
    const { images, objects } = this.#options;
    try {
      images.create(path, sidecar);
    } catch (thrown) {
      const current = objects.get(keyOf(claim));
      if (thrown instanceof StorageError && thrown.code === 'ResourceExhausted' && current !== undefined) {
        const { [annotations.selectedNode]: selected, ...rest } = current.metadata.annotations ?? {};
        if (selected !== undefined) {
          objects.update({ ...current, metadata: { ...current.metadata, annotations: rest } });
        }
      }
      throw thrown;
    }
  }

  /** Blank, or a copy of what the claim names. */
  async #makeImage(
    claim: StoredPersistentVolumeClaim,
    provisioned: ProvisionedVolume,
    plugin: VolumePlugin,
  ): Promise<Pick<ProvisionedVolume, 'spec'> & { readonly annotations: Readonly<Record<string, string>> }> {
    const { restoring } = this.#options;
    if (dataSourceOf(claim.spec) !== undefined) return restoring.restore(claim, provisioned, plugin);
    this.#createImage(claim, provisioned.image);
    const marks = provisioned.isCapacityEnforced === false ? { [annotations.capacity]: 'not-enforced' } : {};
    return { spec: provisioned.spec, annotations: marks };
  }

  canExpand(volume: StoredPersistentVolume): boolean {
    return expandableImage(volume, this.#options.plugins) !== undefined;
  }

  nodeExpansion(volume: StoredPersistentVolume): NodeExpansion {
    return this.#options.nodeExpansion(volume.metadata.name);
  }

  expand(claim: StoredPersistentVolumeClaim, volume: StoredPersistentVolume, storage: string): Promise<void> {
    return expandVolumeImage({ claim, volume, storage }, this.#options);
  }

  /** Policy Delete: the image goes to the trash, then the volume's object. */
  async delete(volume: StoredPersistentVolume, isWanted: () => boolean): Promise<void> {
    const { objects, images, events, logger, clock } = this.#options;
    const { name } = volume.metadata;
    const image = this.#imageOf(volume);
    if (image === undefined) {
      throw new StorageError(`Cannot delete volume "${name}": moored did not provision it`, {
        code: 'FailedPrecondition',
        hint: 'set persistentVolumeReclaimPolicy to Retain, or remove the volume by hand',
      });
    }
    const { path, volumeHandle: handle } = image;
    await objects.durable();
    if (!isWanted()) return;
    const trash = images.stat(path) === undefined ? undefined : images.moveToTrash(path, handle);
    if (trash !== undefined) this.#options.onTrashed(trash, handle);
    // What a move that was cut off left behind: the sidecar of an image that is in the trash already.
    if (trash === undefined) images.remove(path, handle);
    removeDeletedVolume(objects, name, clock.timestamp());
    const message = trash === undefined ? 'its data was gone already' : `its data is now "${trash}"`;
    logger.info('volume reclaimed', { volume: name, trash });
    events.record({ reason: 'VolumeDeleted', regarding: `PersistentVolume/${name}`, message });
  }

  /** What is served from elsewhere may hang, and is refused at the attach or bind anyway. */
  #requireLocal(path: string): void {
    if (this.#options.isLocal(path)) return;
    throw new StorageError(`Cannot provision "${path}": it is on a filesystem that is served from elsewhere`, {
      code: 'FailedPrecondition',
      hint: 'a class with a directory on a disk of this machine',
    });
  }

  /**
   * A claim of this name had data here, and no volume knows it: the state was lost. An empty volume in its place would look
   * like lost data, and be written to.
   */
  #requireNoDataOfBefore({ metadata: { namespace, name, uid } }: StoredPersistentVolumeClaim, path: string): void {
    const { objects, images } = this.#options;
    const others = images.ofSameClaim(path, { namespace, name, uid });
    if (others.length === 0) return;
    const known = new Set(objects.list('PersistentVolume').map(({ spec }) => dataPathOf(spec)));
    const [lost] = others.filter((other) => !known.has(other));
    if (lost === undefined) return;
    throw new StorageError(`Cannot provision for claim "${namespace}/${name}": no volume knows the data in "${lost}"`, {
      code: 'FailedPrecondition',
      hint: `moorctl recover --from-data finds it again; moorctl gc ${lost} puts it into the trash`,
    });
  }

  #pluginOf(provisioner: string): VolumePlugin | undefined {
    return this.#options.plugins.find((plugin) => plugin.name === provisioner && plugin.provision !== undefined);
  }

  #imageOf(volume: StoredPersistentVolume): ProvisionedImage | undefined {
    const driver = volume.metadata.annotations?.[annotations.provisionedBy];
    return this.#options.plugins.find((plugin) => plugin.name === driver)?.provisionedImage?.(volume);
  }
}
