import type { WatchedAs } from '../ports/attachment-observer.ts';
import type { VolumeRecord } from '../world/volume-record.ts';

export interface WatchedPath {
  readonly path: string;
  /** The path that an event about this volume has: of an image its own, where its directory is what is watched. */
  readonly told: string;
  readonly as: WatchedAs;
  /** Of a directory that may be made anew: when it was. */
  readonly madeAt?: string;
}

/** What other people may do something to without a word in the mount table. An iSCSI disk has a watch of its own. */
export function watchedPaths(record: VolumeRecord | undefined): readonly WatchedPath[] {
  if (record === undefined) return [];
  const paths: WatchedPath[] = [];
  const { attached, recipe } = record;
  if (attached !== undefined && recipe.attachment?.kind === 'image') {
    const { devicePath, loopBacking } = attached;
    paths.push({ path: devicePath, told: devicePath, as: 'device' });
    if (loopBacking !== undefined) {
      const { path } = loopBacking;
      paths.push({ path: path.slice(0, path.lastIndexOf('/')) || '/', told: path, as: 'entries' });
    }
  }
  for (const { mount, targetPath, mountedAt } of Object.values(record.pods)) {
    if (mount.kind !== 'directory' || mountedAt === undefined) continue;
    paths.push({ path: targetPath, told: targetPath, as: 'self', madeAt: mountedAt });
  }
  return paths;
}
