import { isRemote } from '../../world/remote-filesystem.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { LocalPodMount } from '../../world/volume-recipe.ts';
import type { ObservedMount } from '../../world/volume-record.ts';
import type { OperationContext } from './operation-context.ts';

/**
 * What the mount table must show for a bind of a user's directory: the filesystem that holds it and its place in there.
 * Taken from the table and not from the directory, and durable before the bind, so that ours is known from a stranger's
 * whatever comes between.
 * @param before the same of an earlier bind of this pod
 */
export async function identityOfDirectory(
  { source }: LocalPodMount,
  before: ObservedMount | undefined,
  { host }: OperationContext,
): Promise<ObservedMount> {
  const holder = (await host.mountTable.refresh()).holding(source);
  if (holder === undefined) throw refused(source, 'no mount holds it', 'Unavailable');
  const { device, fsType, mountPoint } = holder;
  if (isRemote(fsType)) throw refused(source, `it is on ${fsType}, want a local filesystem`, 'InvalidArgument');
  const inside = source.slice(mountPoint === '/' ? 0 : mountPoint.length);
  const root = `${holder.root === '/' ? '' : holder.root}${inside}` || '/';
  // The root of a disk that is a plain directory now: the disk is not mounted, and what is there is not the data.
  if (before?.root === '/' && root !== '/') {
    throw refused(
      source,
      `a whole ${before.fsType} filesystem was mounted there before, and none is now`,
      'Unavailable',
    );
  }
  return { device, root, fsType };
}

function refused(source: string, cause: string, code: StorageError['code']): StorageError {
  return new StorageError(`Cannot bind "${source}": ${cause}`, {
    code,
    operation: 'mountVolume',
    source,
    ...(code === 'Unavailable' ? { hint: `findmnt -T ${source}` } : {}),
  });
}
