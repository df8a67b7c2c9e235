/**
 * Taking an NFS mount away, also from a server that does not answer:
 * 1. umount(2). The kernel drops the mount from its table first and writes back after, so a deadline may end it when the
 *    table is clear already: then it is done, and the kernel goes on writing behind it.
 * 2. Busy, and the server does not answer: its users hang in the kernel. MNT_FORCE fails what they wait for, so that they
 *    can end; writes that the server had not confirmed are lost, and an event says so. Never while another mount has
 *    the same superblock, whose writes would be lost too.
 * 3. Never MNT_DETACH: what is detached writes on, out of everybody's sight. That is for a person to decide.
 */
import type { MountInfo } from '../../world/mount-info.ts';
import type { ReasonCode } from '../../world/reasons/reason-table.ts';
import type { ExpectedMount } from '../../world/recorded-mount.ts';
import { asStorageError, StorageError } from '../../world/storage-error.ts';
import type { NfsPodMount } from '../../world/volume-recipe.ts';
import type { PodVolumeRecord } from '../../world/volume-record.ts';
import { nameHolders } from './busy-mount.ts';
import { assertGone, lookAt } from './mount-verification.ts';
import type { OperationContext } from './operation-context.ts';

/** For a pod that wants the volume no more. */
export async function unmountNfs(
  { pod, mount }: PodVolumeRecord & { readonly mount: NfsPodMount },
  expected: ExpectedMount,
  context: OperationContext,
): Promise<void> {
  const { path } = expected;
  const { servers } = context;
  const report = (reason: ReasonCode, message: string) =>
    context.events.record({ reason, regarding: `Pod/${pod.namespace}/${pod.name}`, message });
  const failure = await unmount(expected, mount, context);
  if (failure === undefined) return;
  const found = await lookAt(expected, context);
  if (found.kind === 'absent') {
    const lastWrites =
      'what it had not confirmed is written when it comes back, and lost if this machine restarts first';
    report('UnmountedUnconfirmed', `Unmounted "${path}" while server "${mount.server}" does not answer: ${lastWrites}`);
    return;
  }
  if (failure.code !== 'DeadlineExceeded' && !servers.stalled.has(mount.server)) throw failure;
  assertNotShared(found.mount, mount, context);
  report(
    'ForcedUnmount',
    `Unmounting "${path}" by force, server "${mount.server}" does not answer: writes that it had not confirmed are lost`,
  );
  await unmountByForce(path, context);
  await assertGone(expected, context);
}

/** What the users of the mount wait for fails at once; then they need a moment to end, and may wait for more meanwhile. */
const forceAttempts = 4;
const betweenAttemptsMs = 1_000;

async function unmountByForce(path: string, { host, clock, signal }: OperationContext): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await host.nfs.unmount(path, { force: true }, signal);
    } catch (thrown) {
      const isBusy = thrown instanceof StorageError && thrown.code === 'Busy';
      if (!isBusy || attempt === forceAttempts || signal.aborted) throw thrown;
      await new Promise<void>((resolve) => clock.after(betweenAttemptsMs, resolve));
    }
  }
}

/** For a mount that is to be made anew: never by force. @throws StorageError Busy (transient) */
export async function unmountIdleNfs(
  expected: ExpectedMount,
  mount: NfsPodMount,
  context: OperationContext,
): Promise<void> {
  const failure = await unmount(expected, mount, context);
  if (failure === undefined) return;
  if (failure.code !== 'Busy') throw failure;
  const { path } = expected;
  throw new StorageError(`Cannot renew the stale mount at "${path}": it is in use`, {
    code: 'Busy',
    progress: 'transient',
    operation: 'unmount',
    target: path,
    hint: findUsers(path),
    cause: failure,
  });
}

/** Undefined when nothing is mounted there now. */
async function unmount(
  expected: ExpectedMount,
  { server }: NfsPodMount,
  context: OperationContext,
): Promise<StorageError | undefined> {
  const found = await lookAt(expected, context);
  if (found.kind === 'absent') return undefined;
  try {
    await context.host.nfs.unmount(expected.path, { force: false }, context.signal);
  } catch (thrown) {
    const error = asStorageError(thrown, `Cannot unmount "${expected.path}"`);
    if (error.code === 'DeadlineExceeded') context.servers.failed(server, error.message);
    const held = { kind: 'mount', deviceNumber: found.mount.device, mountPoint: expected.path } as const;
    return asStorageError(await nameHolders(error, held, context), error.message);
  }
  await assertGone(expected, context);
  return undefined;
}

/** The kernel gives mounts of one export with equal options one superblock, and with it one queue of requests. */
function assertNotShared({ device, mountPoint }: MountInfo, { server }: NfsPodMount, context: OperationContext): void {
  const others = context.host.mountTable.current().ofDevice(device);
  const places = others.filter((other) => other.mountPoint !== mountPoint).map((other) => `"${other.mountPoint}"`);
  if (places.length === 0) return;
  const cause = `server "${server}" does not answer, and force would lose the writes of ${places.join(', ')} too`;
  throw new StorageError(`Cannot unmount "${mountPoint}": it is in use, ${cause}`, {
    code: 'Busy',
    progress: 'transient',
    operation: 'unmount',
    target: mountPoint,
    hint: `${findUsers(mountPoint)}; umount -l ${mountPoint}`,
  });
}

/** fuser(1) would look at the mount itself, and hang there. */
function findUsers(path: string): string {
  return `ls -l /proc/[0-9]*/cwd /proc/[0-9]*/fd | grep ${path}`;
}
