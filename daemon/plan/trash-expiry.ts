import type { Orphan } from './orphans.ts';

interface Trashed {
  readonly path: string;
  readonly volumeHandle: string;
  readonly trashedAt: string;
}

/**
 * Of what moored itself put into the trash, what has been there for the whole grace and is as it was put there: the file is
 * found, its sidecar says the same, and nothing is in the way. Of a time in the future, or none, nothing follows. Pure.
 */
export function expiredTrash<T extends Trashed>(
  records: readonly T[],
  found: readonly Orphan[],
  { now, graceMs }: { readonly now: number; readonly graceMs: number },
): readonly T[] {
  return records.filter(({ path, volumeHandle, trashedAt }) => {
    const until = Date.parse(trashedAt) + graceMs;
    if (!(until <= now)) return false;
    return found.some(
      (orphan) =>
        orphan.kind === 'Trashed' &&
        orphan.path === path &&
        orphan.volumeHandle === volumeHandle &&
        orphan.action === 'purge' &&
        orphan.obstacle === '',
    );
  });
}
