/** The effects of a growth on a claim's backing data and on the two objects. */
import { keyOf } from '../api/meta.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { bytesOf, parseQuantity } from '../api/quantity.ts';
import { annotations } from '../api/well-known.ts';
import type { Clock } from '../ports/clock.ts';
import type { Images } from '../ports/images.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ProvisionedImage, VolumePlugin } from '../ports/volume-plugin.ts';
import { asStorageError, StorageError } from '../world/storage-error.ts';
import { sameStatus, withExpansionError } from './expansion-status.ts';

export interface Growth {
  readonly claim: StoredPersistentVolumeClaim;
  readonly volume: StoredPersistentVolume;
  /** The new capacity, a quantity. */
  readonly storage: string;
}

/** The image that a plugin here made for the volume, undefined when none did: a directory has no size to grow. */
export function expandableImage(
  volume: StoredPersistentVolume,
  plugins: readonly VolumePlugin[],
): ProvisionedImage | undefined {
  const driver = volume.metadata.annotations?.[annotations.provisionedBy];
  if (volume.spec.csi === undefined) return undefined;
  return plugins.find((plugin) => plugin.name === driver)?.provisionedImage?.(volume);
}

interface ExpansionOptions {
  readonly objects: ObjectStore;
  readonly plugins: readonly VolumePlugin[];
  readonly images: Images;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Intent (the claim's status) durable, then image and sidecar, then the volume's capacity: whatever cuts this off, the
 * capacity never says more than is there, and the same step is done again.
 */
export async function expandVolumeImage(growth: Growth, options: ExpansionOptions): Promise<void> {
  const { objects, images, clock, logger } = options;
  const { name } = growth.volume.metadata;
  try {
    const image = expandableImage(growth.volume, options.plugins);
    if (image === undefined) {
      throw new StorageError(`Cannot grow volume "${name}": moored did not provision it`, {
        code: 'FailedPrecondition',
      });
    }
    await objects.durable();
    const grown = images.grow(image.path, image.volumeHandle, bytesOf(parseQuantity(growth.storage)));
    writeGrownCapacity(objects, growth);
    logger.info('image grown', { volume: name, image: image.path, storage: growth.storage, grown });
  } catch (thrown) {
    const { message } = asStorageError(thrown, `Cannot grow volume "${name}"`);
    writeControllerError(objects, growth.claim, message, clock.timestamp());
    throw thrown;
  }
}

/** What the claim had before stays known until the filesystem has followed (upstream: pre-resize-capacity). */
export function writeGrownCapacity(objects: ObjectStore, { claim, volume, storage }: Growth): void {
  const current = objects.get(keyOf(volume));
  if (current?.kind !== 'PersistentVolume') return;
  const before = claim.status?.capacity?.storage ?? current.spec.capacity.storage;
  const metadata = {
    ...current.metadata,
    annotations: { [annotations.preResizeCapacity]: before, ...current.metadata.annotations },
  };
  objects.update({ ...current, metadata, spec: { ...current.spec, capacity: { storage } } });
}

function writeControllerError(
  objects: ObjectStore,
  claim: StoredPersistentVolumeClaim,
  message: string,
  now: string,
): void {
  const current = objects.get(keyOf(claim));
  if (current?.kind !== 'PersistentVolumeClaim' || current.status === undefined) return;
  const status = withExpansionError(current.status, { status: current.status, now }, 'ControllerResizeError', message);
  if (!sameStatus(status, current.status)) objects.update({ ...current, status });
}
