import { formatBytes } from '../api/quantity.ts';
import type { TrashView } from '../control/protocol.ts';
import type { Orphan } from '../plan/orphans.ts';
import type { TrashRecord } from '../reconcile/trash-records.ts';

/** What is in the trash, the last deleted first. Only what has a record of moored's is ever removed by itself. */
export function trashViews(
  orphans: readonly Orphan[],
  records: readonly TrashRecord[],
  graceMs: number | undefined,
): readonly TrashView[] {
  return orphans
    .flatMap(({ kind, path, since, sidecar }): readonly TrashView[] => {
      if (kind !== 'Trashed' || sidecar === undefined) return [];
      const record = records.find((one) => one.path === path && one.volumeHandle === sidecar.volumeHandle);
      const keptUntil = record === undefined ? '' : endOf(record.trashedAt, graceMs);
      const size = formatBytes(sidecar.sizeBytes);
      return [{ name: sidecar.volumeHandle, owner: sidecar.owner, size, deletedAt: since, keptUntil, path }];
    })
    .sort((a, b) => b.deletedAt.localeCompare(a.deletedAt));
}

function endOf(trashedAt: string, graceMs: number | undefined): string {
  const until = graceMs === undefined ? Number.NaN : Date.parse(trashedAt) + graceMs;
  return Number.isFinite(until) ? new Date(until).toISOString() : '';
}
