import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { MountTable } from '../world/mount-table.ts';
import { isNfsMountOf } from '../world/nfs-source.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import type { PodReference } from '../world/volume-record.ts';

/** One pod's use of one server, as the records and the mount table have it. */
export interface NfsUse {
  readonly server: string;
  readonly volumeName: UniqueVolumeName;
  readonly pod: PodReference;
  readonly targetPath: string;
  /** The table shows this export there. */
  readonly isMounted: boolean;
}

export function nfsUses(asw: ActualStateOfWorld, table: MountTable): readonly NfsUse[] {
  const uses: NfsUse[] = [];
  for (const { record } of asw.volumes.values()) {
    for (const uid in record.pods) {
      const entry = record.pods[uid];
      if (entry?.mount.kind !== 'nfs') continue;
      const { mount, pod, targetPath } = entry;
      const shown = table.top(targetPath);
      const isMounted = shown !== undefined && isNfsMountOf(shown, mount.source);
      uses.push({ server: mount.server, volumeName: record.name, pod, targetPath, isMounted });
    }
  }
  return uses;
}

export function usesByServer(uses: readonly NfsUse[]): ReadonlyMap<string, readonly NfsUse[]> {
  return Map.groupBy(uses, ({ server }) => server);
}
