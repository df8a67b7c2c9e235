/** Policy Recycle: what is in the directory of a local volume is removed, then the volume is nobody's. */
import { objectKey } from '../api/meta.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Logger } from '../ports/logger.ts';
import type { MountTableSource } from '../ports/mount-table-source.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { VolumeRecycler } from '../ports/volume-recycler.ts';
import type { MountTable } from '../world/mount-table.ts';
import { isRemote } from '../world/remote-filesystem.ts';
import { StorageError } from '../world/storage-error.ts';
import { withoutClaim } from './unbind.ts';

interface RecyclingOptions {
  readonly objects: ObjectStore;
  readonly recycler: VolumeRecycler;
  readonly mountTable: Pick<MountTableSource, 'refresh'>;
  readonly events: EventRecorder;
  readonly logger: Logger;
}

/** As long as upstream's recycler pod may take. */
const deadlineMs = 60_000;

/** Upstream recycles hostPath and NFS: a hostPath has no plugin here, and what is remote may hang. */
export function recyclableDirectory({ spec }: StoredPersistentVolume): string | undefined {
  const path = spec.local?.path.replaceAll(/\/+/g, '/').replace(/(.)\/$/, '$1');
  return path === undefined || path.startsWith('/dev/') || path === '/' ? undefined : path;
}

export async function recycleVolume(
  volume: StoredPersistentVolume,
  isWanted: () => boolean,
  { objects, recycler, mountTable, events, logger }: RecyclingOptions,
): Promise<void> {
  const { name } = volume.metadata;
  const path = recyclableDirectory(volume);
  if (path === undefined) throw refused(name, 'it has no directory of its own');
  const sharer = objects
    .list('PersistentVolume')
    .find((other) => other.metadata.name !== name && overlaps(path, recyclableDirectory(other)));
  if (sharer !== undefined) throw refused(name, `volume "${sharer.metadata.name}" is in the same directory`);
  await objects.durable();
  const obstacle = obstacleAt(path, await mountTable.refresh());
  if (obstacle !== undefined) throw refused(name, obstacle);
  if (!isWanted()) return;
  await recycler.empty(path, AbortSignal.timeout(deadlineMs));
  const current = objects.get(objectKey('PersistentVolume', '', name));
  if (current?.kind !== 'PersistentVolume') return;
  objects.update(withoutClaim(current));
  logger.info('volume recycled', { volume: name, path });
  events.record({ reason: 'VolumeRecycled', regarding: `PersistentVolume/${name}`, message: 'Volume recycled' });
}

/** A bind of the directory or of a part of it, by whomever, is a use that no record of ours has. */
function obstacleAt(path: string, table: MountTable): string | undefined {
  const mount = table.holding(path);
  if (mount === undefined || isRemote(mount.fsType)) return `"${path}" is on no filesystem of this machine`;
  const inside = `${mount.root}/${path.slice(mount.mountPoint.length)}`.replaceAll(/\/+/g, '/').replace(/\/$/, '');
  const bind = table
    .ofDevice(mount.device)
    .find(({ root, mountPoint }) => mountPoint !== mount.mountPoint && `${root}/`.startsWith(`${inside}/`));
  return bind && `"${path}" is mounted at "${bind.mountPoint}"`;
}

function overlaps(path: string, other: string | undefined): boolean {
  return other !== undefined && (`${path}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${path}/`));
}

function refused(name: string, why: string): StorageError {
  return new StorageError(`Cannot recycle volume "${name}": ${why}`, { code: 'FailedPrecondition' });
}
