/** The machine as the core sees it when moored.yaml limits what may be promised of its filesystems and its memory. */
import { bytesOf, parseQuantity } from './api/quantity.ts';
import { annotations } from './api/well-known.ts';
import { ImagePool } from './controllers/image-pool.ts';
import { pooledImageCopies, pooledImages } from './controllers/pooled-images.ts';
import type { PoolLimits } from './plan/pool-capacity.ts';
import type { Host } from './ports/host.ts';
import type { ObjectStore } from './ports/object-store.ts';
import type { VolumePlugin } from './ports/volume-plugin.ts';
import { limitedMounter } from './reconcile/limited-mounter.ts';
import type { MemoryLimit } from './reconcile/memory-use.ts';
import type { ActualStateOfWorld } from './world/actual-state-of-world.ts';

export interface Limits {
  /** Of filesystems that have images; where it is empty only an image larger than what is free is refused. */
  readonly pool: PoolLimits;
  /** Of all tmpfs together; without it each has its own size only. */
  readonly memory?: MemoryLimit;
}

interface Given {
  readonly host: Host;
  readonly limits: Limits;
  readonly plugins: readonly VolumePlugin[];
}

type Objects = Pick<ObjectStore, 'list'>;
type Volumes = Pick<ActualStateOfWorld, 'volumes'>;

export function limitedHost({ host, limits, plugins }: Given, objects: Objects, asw: Volumes): Host {
  const promises = () => new Map([...promisedToVolumes(objects, plugins), ...promisedToPods(asw)]);
  return {
    ...host,
    ...(limits.pool.overcommit === undefined && limits.pool.reserve === undefined
      ? {}
      : pooled(host, limits.pool, promises)),
    ...(limits.memory === undefined ? {} : { mounter: limitedMounter(host.mounter, asw, limits.memory) }),
  };
}

function pooled(
  { images, imageCopies, mountTable }: Host,
  limits: PoolLimits,
  promises: () => ReadonlyMap<string, bigint>,
): Pick<Host, 'images' | 'imageCopies'> {
  const filesystemOf = (path: string) => mountTable.current().holding(path)?.device;
  const pool = new ImagePool({ limits, images, promises, filesystemOf });
  return { images: pooledImages(images, pool), imageCopies: pooledImageCopies(imageCopies, pool) };
}

/** Of volumes that moored made, whoever has them: a released one that is kept may be written again. */
function* promisedToVolumes(objects: Objects, plugins: readonly VolumePlugin[]): Iterable<readonly [string, bigint]> {
  for (const volume of objects.list('PersistentVolume')) {
    const driver = volume.metadata.annotations?.[annotations.provisionedBy];
    const image = plugins.find(({ name }) => name === driver)?.provisionedImage?.(volume);
    if (image !== undefined) yield [image.path, bytesOf(parseQuantity(volume.spec.capacity.storage))];
  }
}

/** Of inline volumes whose image is there: an attach that is only under way was promised nothing yet. */
function* promisedToPods(asw: Volumes): Iterable<readonly [string, bigint]> {
  for (const { record } of asw.volumes.values()) {
    const { attachment } = record.recipe;
    const isMade = record.attached !== undefined || record.backingToAttach !== undefined;
    if (attachment?.kind !== 'image' || attachment.create === undefined || !isMade) continue;
    yield [attachment.path, BigInt(attachment.create.sizeBytes)];
  }
}
