import type { Operation } from '../../plan/operation.ts';
import { expectedPodMount } from '../../world/expected-mounts.ts';
import type { ExpectedMount } from '../../world/recorded-mount.ts';
import type { PodVolumeRecord } from '../../world/volume-record.ts';
import { nameHolders } from './busy-mount.ts';
import { parentOf } from './mount-device.ts';
import { assertGone, lookAt } from './mount-verification.ts';
import type { OperationContext } from './operation-context.ts';
import { unmountNfs } from './unmount-nfs.ts';

/** Takes one pod's mount away, and its directories after it (CSI: NodeUnpublish). */
export async function unmountVolume(operation: Operation<'unmountVolume'>, context: OperationContext): Promise<void> {
  const { volumeName, podUid } = operation;
  const { asw, host } = context;
  const actual = asw.get(volumeName);
  const record = actual?.record.pods[podUid];
  if (actual === undefined || record === undefined) return;
  const expected = expectedPodMount(actual, record);
  asw.markVolumeMountAs(volumeName, podUid, 'VolumeMountUncertain');
  if (expected === undefined) {
    await host.directories.removeTree(record.targetPath, context.signal);
  } else {
    const { mount } = record;
    if (mount.kind === 'nfs') {
      await unmountNfs({ ...record, mount }, expected, context);
      context.servers.renewed(record.targetPath);
    } else await unmountIfThere(expected, { mayHang: false }, context);
    host.directories.remove(record.targetPath);
  }
  removeEmptyParents(record, context);
  asw.removePodFromVolume(volumeName, podUid);
  context.saveRecord(volumeName);
}

/** Unmounts what is ours, once; the table must then show nothing there. */
export async function unmountIfThere(
  expected: ExpectedMount,
  options: { readonly mayHang: boolean },
  context: OperationContext,
): Promise<void> {
  const found = await lookAt(expected, context);
  if (found.kind === 'absent') return;
  await context.host.mounter.unmount(expected.path, options, context.signal).catch(async (thrown: unknown) => {
    const held = { kind: 'mount', deviceNumber: found.mount.device, mountPoint: expected.path } as const;
    throw await nameHolders(thrown, held, context);
  });
  await assertGone(expected, context);
}

/** The directories between the pod's and the target's, while they are empty: pods/<uid> itself goes with the pod. */
function removeEmptyParents({ targetPath, pod }: PodVolumeRecord, { host, layout }: OperationContext): void {
  const podDir = layout.podDir(pod.uid);
  for (let path = parentOf(targetPath); path.length > podDir.length; path = parentOf(path)) {
    if (host.directories.list(path).length > 0) return;
    host.directories.remove(path);
  }
}
