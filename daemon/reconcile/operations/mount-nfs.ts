import type { ExpectedMount } from '../../world/recorded-mount.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { NfsPodMount } from '../../world/volume-recipe.ts';
import type { PodVolumeRecord } from '../../world/volume-record.ts';
import type { OperationContext } from './operation-context.ts';
import { filesystemOptions, flagsOf } from './pod-mount-flags.ts';
import { unmountIdleNfs } from './unmount-nfs.ts';

/** Mounts the export on a sealed target, and tells what was learnt of the server. */
export async function mountNfs(mount: NfsPodMount, target: string, context: OperationContext): Promise<void> {
  const { host, servers, signal } = context;
  const options = filesystemOptions(mount.options);
  try {
    await host.nfs.mount({ source: mount.source, target, flags: flagsOf(mount), options }, signal);
  } catch (thrown) {
    if (isNoAnswer(thrown)) servers.failed(mount.server, thrown.message);
    // A refusal is an answer.
    else if (isRefusal(thrown)) servers.answered(mount.server);
    throw thrown;
  }
  servers.answered(mount.server);
  servers.renewed(target);
}

/**
 * True when the mount was stale and is unmounted now. A server may know the handle again by now, so it is asked; a mount
 * in use stays, because only its users can close what they have open.
 * @throws StorageError Busy (transient) when it is stale and in use
 */
export async function isTakenAwayAsStale(
  { mount, targetPath }: PodVolumeRecord,
  expected: ExpectedMount,
  context: OperationContext,
): Promise<boolean> {
  if (mount.kind !== 'nfs' || !context.servers.isStale(targetPath)) return false;
  const { stale } = await context.host.nfs.probe(mount.server, [targetPath], context.signal);
  if (stale.length > 0) await unmountIdleNfs(expected, mount, context);
  context.servers.renewed(targetPath);
  return stale.length > 0;
}

function isNoAnswer(thrown: unknown): thrown is StorageError {
  return thrown instanceof StorageError && (thrown.code === 'DeadlineExceeded' || thrown.code === 'Unavailable');
}

function isRefusal(thrown: unknown): boolean {
  return thrown instanceof StorageError && (thrown.code === 'NotFound' || thrown.code === 'PermissionDenied');
}
