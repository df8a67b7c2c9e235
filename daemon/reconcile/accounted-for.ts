import { dataPathOf } from '../api/persistent-volume.ts';
import type { AccountedFor } from '../plan/orphans.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { DesiredStateOfWorld } from '../world/desired-state-of-world.ts';
import type { DiskLayout } from '../world/disk-layout.ts';
import type { MountTable } from '../world/mount-table.ts';
import { isRemote } from '../world/remote-filesystem.ts';
import { imagePathOf } from '../world/volume-recipe.ts';

interface Accounts {
  readonly asw: ActualStateOfWorld;
  readonly objects: Pick<ObjectStore, 'list'>;
  readonly dsw: DesiredStateOfWorld;
}

/** The actual state of world has every record that is in use; objects and wishes account for what is not made yet. */
export function accountedFor({ asw, objects, dsw }: Accounts): AccountedFor {
  const records = [...asw.volumes.values()].map(({ record }) => record);
  const wanted = [...dsw.volumes.values()];
  const volumes = objects.list('PersistentVolume');
  const owners = [...objects.list('Pod'), ...objects.list('PersistentVolumeClaim'), ...objects.list('VolumeSnapshot')];
  const contents = objects.list('VolumeSnapshotContent');
  return {
    records,
    uids: new Set(owners.map(({ metadata }) => metadata.uid)),
    globalMountPaths: new Set(wanted.map(({ recipe }) => recipe.globalMountPath)),
    attachmentPaths: new Set([...records, ...wanted].flatMap(({ recipe }) => imagePathOf(recipe) ?? [])),
    volumePaths: new Set(volumes.flatMap(({ spec }) => dataPathOf(spec) ?? [])),
    volumeHandles: new Set([
      ...volumes.flatMap(({ spec }) => spec.csi?.volumeHandle ?? []),
      ...contents.flatMap(({ spec, status }) => status?.snapshotHandle ?? spec.source.snapshotHandle ?? []),
    ]),
  };
}

export interface ImageDirectories {
  /** The root dir's own, and those that classes name. */
  readonly local: readonly string[];
  /** What is not looked at, as a sentence each. */
  readonly skipped: readonly string[];
}

export function imageDirectoriesOf(
  objects: Pick<ObjectStore, 'list'>,
  layout: DiskLayout,
  mounts: MountTable,
): ImageDirectories {
  const named = objects.list('StorageClass').flatMap(({ spec }) => spec.parameters?.['directory'] ?? []);
  const all = [...new Set([layout.imagesDir(), ...named])];
  const typeOf = (directory: string) => mounts.holding(directory)?.fsType ?? '';
  return {
    local: all.filter((directory) => !isRemote(typeOf(directory))),
    skipped: all
      .filter((directory) => isRemote(typeOf(directory)))
      .map((directory) => `"${directory}" is on ${typeOf(directory)}, whose server may not answer`),
  };
}
