import type { Operation } from '../../plan/operation.ts';
import type { ActualVolume } from '../../world/actual-state-of-world.ts';
import { expectedPodMount } from '../../world/expected-mounts.ts';
import { type ExpectedMount, observedOf } from '../../world/recorded-mount.ts';
import type { ObservedMount, PodVolumeRecord } from '../../world/volume-record.ts';
import { identityOfDirectory } from './local-directory.ts';
import { makePodMount } from './make-pod-mount.ts';
import { isTakenAwayAsStale } from './mount-nfs.ts';
import { lookAt, verify } from './mount-verification.ts';
import type { OperationContext } from './operation-context.ts';
import { flagsOf } from './pod-mount-flags.ts';
import { unmountIfThere } from './unmount-volume.ts';

/** Gives one pod its volume at its target path (CSI: NodePublish). */
export async function mountVolume(operation: Operation<'mountVolume'>, context: OperationContext): Promise<void> {
  const { volumeName, pod } = operation;
  const { asw } = context;
  const { mount, pod: wanted } = pod;
  const before = asw.get(volumeName)?.record.pods[wanted.uid];
  const directory = mount.kind === 'local' ? await identityOfDirectory(mount, before?.directory, context) : undefined;
  const actual = recordIntent(operation, directory, context);
  await context.durable();
  const record = actual.record.pods[pod.pod.uid];
  if (record === undefined) return;
  const expected = expectedPodMount(actual, record);
  const observed =
    expected === undefined ? makeDirectory(record, context) : await mountAndVerify(actual, record, expected, context);
  asw.markVolumeAsMounted(volumeName, pod.pod.uid, { observed, at: context.clock.timestamp() });
  context.saveRecord(volumeName);
}

function recordIntent(
  operation: Operation<'mountVolume'>,
  directory: ObservedMount | undefined,
  context: OperationContext,
): ActualVolume {
  const { volume, volumeName, pod } = operation;
  const { asw } = context;
  const known = asw.get(volumeName)?.record;
  if (known === undefined) {
    asw.addVolume({ name: volumeName, plugin: volume.plugin, recipe: volume.recipe, pods: {} });
  }
  // What an earlier try saw of its own mount still tells ours from a stranger's.
  const { observed, mountedAt } = known?.pods[pod.pod.uid] ?? {};
  const earlier = {
    ...(observed === undefined ? {} : { observed }),
    ...(mountedAt === undefined ? {} : { mountedAt }),
    ...(directory === undefined ? {} : { directory }),
  };
  asw.addPodToVolume(volumeName, { ...pod, ...earlier });
  const actual = asw.markVolumeMountAs(volumeName, pod.pod.uid, 'VolumeMountUncertain');
  context.saveRecord(volumeName);
  return actual;
}

/** An emptyDir on the root dir's own filesystem, open to every user of the pod (kubelet: 0777) until the pod says else. */
function makeDirectory({ targetPath, mountedAt }: PodVolumeRecord, { host }: OperationContext): undefined {
  if (mountedAt !== undefined && host.directories.kindOf(targetPath) === 'directory') return;
  host.directories.ensureDirectory(targetPath);
  host.directories.setMode(targetPath, 0o777);
}

async function mountAndVerify(
  actual: ActualVolume,
  record: PodVolumeRecord,
  expected: ExpectedMount,
  context: OperationContext,
): Promise<ObservedMount> {
  if (isOfEarlierDevice(actual, record)) await unmountIfThere(expected, { mayHang: false }, context);
  const found = await lookAt(expected, context);
  const isKept = found.kind !== 'absent' && !(await isTakenAwayAsStale(record, expected, context));
  if (isKept && found.kind === 'asExpected') return observedOf(found.mount);
  if (isKept) {
    await repairFlags(record, context);
    return observedOf(await verify(expected, context));
  }
  // What an earlier mount looked like (before a reboot, say) says nothing of this one, and would make it a stranger's if we
  // ended before its own look is recorded.
  const { observed: earlier, ...fresh } = record;
  if (earlier !== undefined) {
    context.asw.addPodToVolume(actual.record.name, fresh);
    context.saveRecord(actual.record.name);
    await context.durable();
  }
  await makePodMount(actual, fresh, context);
  return observedOf(await verify(expectedPodMount(actual, fresh) ?? expected, context));
}

/** Our own bind of a loop device that somebody detached: the volume has another one since. */
function isOfEarlierDevice({ record: { attached } }: ActualVolume, { mount, observed }: PodVolumeRecord): boolean {
  if (mount.kind !== 'deviceBind' || attached?.loopBacking === undefined || observed === undefined) return false;
  return observed.root !== attached.devicePath.slice('/dev'.length);
}

/** A call on an NFS mount may wait for its server, even one that only concerns the mount itself: that is a child's. */
async function repairFlags({ mount, targetPath }: PodVolumeRecord, { host, signal }: OperationContext): Promise<void> {
  if (mount.kind === 'nfs') await host.nfs.setFlags(targetPath, flagsOf(mount), signal);
  else host.mounter.setFlags(targetPath, flagsOf(mount));
}
