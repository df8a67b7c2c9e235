import type { StoredPod } from '../api/pod.ts';
import { isTerminated } from '../api/pod.ts';
import { claimOfVolume } from '../api/pod-claims.ts';
import { volumeUsesOf } from '../api/volume-uses.ts';
import type { Condition, PodStatusView, PodView, PodVolumeStatus } from '../control/protocol.ts';
import type { ControlWait } from '../controllers/control-waits.ts';
import { operationKey, podUidOf } from '../plan/operation.ts';
import type { FailedOperation } from '../reconcile/operation-executor.ts';
import type { PodToMount, PodVolumeError, VolumeToMount } from '../world/desired-state-of-world.ts';
import type { DaemonSnapshot } from './daemon-snapshot.ts';
import { abnormalObstacle, failedObstacle, stalledObstacle, unresolvedObstacle } from './obstacle.ts';
import { stalledServerOf } from './stalled-view.ts';
import { driftedKeys } from './world-views.ts';

/** A pod's volume, found by the pod's uid and the volume's name in the pod. */
export interface PodVolumeEntry {
  readonly volume: VolumeToMount;
  readonly pod: PodToMount;
}

export type PodVolumeIndex = ReadonlyMap<string, ReadonlyMap<string, PodVolumeEntry>>;

function indexPodVolumes({ dsw }: DaemonSnapshot, pods: readonly StoredPod[]): PodVolumeIndex {
  const index = new Map<string, Map<string, PodVolumeEntry>>();
  const uids = new Set(pods.map(({ metadata }) => metadata.uid));
  for (const volume of dsw.volumes.values()) {
    for (const [uid, pod] of volume.pods) {
      if (!uids.has(uid)) continue;
      const entries = index.get(uid) ?? new Map<string, PodVolumeEntry>();
      for (const name of pod.outerNames) entries.set(name, { volume, pod });
      index.set(uid, entries);
    }
  }
  return index;
}

/** @param isAsked which pods; the others cost nothing but a look at their names */
export function podViews(
  snapshot: DaemonSnapshot,
  isAsked: (pod: StoredPod) => boolean = () => true,
): readonly PodView[] {
  const pods = snapshot.objects.list('Pod').filter(isAsked);
  if (pods.length === 0) return [];
  const context = contextOf(snapshot, pods);
  return pods.map((pod) => ({ ...pod, status: podStatus(pod, context) }));
}

/** Whether all that a pod uses is mounted, of pods as they are in the store by now. */
export function podReadiness(snapshot: DaemonSnapshot): (pod: StoredPod) => boolean {
  const context = contextOf(snapshot, snapshot.objects.list('Pod'));
  return (pod) => podStatus(pod, context).phase === 'Ready';
}

function contextOf(snapshot: DaemonSnapshot, pods: readonly StoredPod[]): ViewContext {
  const index = indexPodVolumes(snapshot, pods);
  const names = new Set(
    [...index.values()].flatMap((entries) => [...entries.values()].map(({ volume }) => volume.name)),
  );
  return { snapshot, index, drifted: driftedKeys(snapshot, names) };
}

interface ViewContext {
  readonly snapshot: DaemonSnapshot;
  readonly index: PodVolumeIndex;
  readonly drifted: ReadonlySet<string>;
}

function podStatus(pod: StoredPod, context: ViewContext): PodStatusView {
  const volumes = volumeUsesOf(pod).map((use) => volumeStatus(pod, use.volume.name, context));
  const isReady = !isTerminated(pod) && volumes.every(({ state }) => state === 'Mounted');
  const conditions = [volumesReady(pod, volumes, isReady, context), podScheduled(pod, isReady, context)];
  return { phase: phaseOf(pod, isReady, volumes), conditions, volumes };
}

function phaseOf(pod: StoredPod, isReady: boolean, volumes: readonly PodVolumeStatus[]): PodStatusView['phase'] {
  if (pod.metadata.deletionTimestamp !== undefined) return 'Terminating';
  const declared = pod.status?.phase;
  if (declared === 'Succeeded' || declared === 'Failed') return declared;
  if (volumes.some(({ state }) => state === 'Stalled')) return 'Stalled';
  return isReady ? 'Ready' : 'Pending';
}

function volumeStatus(pod: StoredPod, name: string, { snapshot, index, drifted }: ViewContext): PodVolumeStatus {
  const { uid } = pod.metadata;
  const entry = index.get(uid)?.get(name);
  if (entry === undefined) return unwantedStatus(pod, name, snapshot);
  const { volume, pod: wanted } = entry;
  const base = { name, path: wanted.targetPath, volume: volume.name };
  const stalled = stalledServerOf(wanted.mount, snapshot);
  if (stalled !== undefined) return { ...base, state: 'Stalled', ...stalledObstacle(stalled) };
  const state = snapshot.asw.get(volume.name)?.podStates.get(uid);
  if (state === 'VolumeMounted' && !drifted.has(operationKey(volume.name, uid))) {
    const condition = snapshot.conditions.get(volume.name);
    return condition === undefined
      ? { ...base, state: 'Mounted' }
      : { ...base, state: 'Abnormal', ...abnormalObstacle(condition) };
  }
  const failed = failureOf(snapshot, volume.name, uid);
  if (failed !== undefined) return { ...base, state: 'Failed', ...failedObstacle(failed) };
  return { ...base, state: state === undefined || state === 'VolumeNotMounted' ? 'Pending' : 'Uncertain' };
}

/** Of a volume that is not in the desired state of world: not resolved, or on its way down. */
function unwantedStatus(pod: StoredPod, name: string, snapshot: DaemonSnapshot): PodVolumeStatus {
  const base = { name, path: '', state: 'Pending', volume: '' } as const;
  const unresolved = unresolvedVolume(pod, name, snapshot);
  if (unresolved !== undefined) {
    return { ...base, ...unresolvedObstacle(unresolved, claimWaitOf(pod, name, snapshot)) };
  }
  for (const failed of snapshot.failed.values()) {
    const { kind, volumeName: volume } = failed.operation;
    if (kind !== 'unmountVolume' || podUidOf(failed.operation) !== pod.metadata.uid) continue;
    const left = snapshot.asw.get(volume)?.record.pods[pod.metadata.uid];
    if (left?.outerNames.includes(name) !== true) continue;
    return { ...base, path: left.targetPath, volume, state: 'Failed', ...failedObstacle(failed) };
  }
  return { ...base, message: isTerminated(pod) ? 'the pod has ended' : 'not processed yet' };
}

export function unresolvedVolume(
  { metadata }: StoredPod,
  name: string,
  { dsw }: DaemonSnapshot,
): PodVolumeError | undefined {
  return dsw.errors.get(metadata.uid)?.find(({ volume }) => volume === name);
}

/** Why the claim of a pod's volume waits. */
function claimWaitOf(pod: StoredPod, name: string, { waits }: DaemonSnapshot): ControlWait | undefined {
  const used = volumeUsesOf(pod).find(({ volume }) => volume.name === name)?.volume;
  const source = used && claimOfVolume(pod.metadata.name, used);
  return source && waits.get(`PersistentVolumeClaim/${pod.metadata.namespace}/${source.claimName}`);
}

/** The failure that stands in this pod's way: its own, or the volume's. */
export function failureOf(
  { failed }: DaemonSnapshot,
  volumeName: VolumeToMount['name'],
  podUid: string,
): FailedOperation | undefined {
  return failed.get(operationKey(volumeName, podUid)) ?? failed.get(volumeName);
}

function volumesReady(
  pod: StoredPod,
  volumes: readonly PodVolumeStatus[],
  isReady: boolean,
  context: ViewContext,
): Condition {
  const type = 'VolumesReady';
  if (isReady) {
    const count = volumes.length;
    return {
      type,
      status: 'True',
      reason: 'AllMounted',
      message: `${count} of ${count} volumes are mounted`,
      lastTransitionTime: lastMountedAt(pod, context),
    };
  }
  const waiting = volumes.filter(({ state }) => state !== 'Mounted');
  const why = waiting.map(({ name, state, message }) => `${name}: ${message ?? state.toLowerCase()}`).join('; ');
  return {
    type,
    status: 'False',
    reason: reasonOf(pod, waiting),
    message: isTerminated(pod) ? 'the pod has ended' : why,
    lastTransitionTime: pod.metadata.deletionTimestamp ?? failingSince(pod, context),
  };
}

/** As upstream's condition of this name; a pod that has all it asked for had a node, whatever became of its claims since. */
function podScheduled({ metadata }: StoredPod, isReady: boolean, { snapshot }: ViewContext): Condition {
  const type = 'PodScheduled';
  const wait = isReady ? undefined : schedulingWait(metadata, snapshot);
  if (wait === undefined) {
    const lastTransitionTime = metadata.creationTimestamp;
    return {
      type,
      status: 'True',
      reason: 'Scheduled',
      message: `on node ${snapshot.nodes.own.name}`,
      lastTransitionTime,
    };
  }
  const reason = wait.reason === 'FailedScheduling' ? 'Unschedulable' : wait.reason;
  return { type, status: 'False', reason, message: wait.message, lastTransitionTime: wait.since };
}

/** Why the pod has no node, if it has none. */
export function schedulingWait(
  { namespace, name }: StoredPod['metadata'],
  { waits }: DaemonSnapshot,
): ControlWait | undefined {
  return waits.get(`Pod/${namespace}/${name}`);
}

function reasonOf(pod: StoredPod, waiting: readonly PodVolumeStatus[]): string {
  if (isTerminated(pod)) return 'PodTerminated';
  const [worst] = waiting
    .filter(({ reason }) => reason !== undefined)
    .sort((a, b) => severity.indexOf(a.state) - severity.indexOf(b.state));
  return worst?.reason ?? 'Mounting';
}

/** Of several volumes that are not mounted, whose reason is the pod's. */
const severity: readonly PodVolumeStatus['state'][] = ['Stalled', 'Failed', 'Abnormal', 'Uncertain', 'Pending'];

function lastMountedAt(pod: StoredPod, context: ViewContext): string {
  const { uid, creationTimestamp } = pod.metadata;
  const times = volumesOf(pod, context).map(
    (name) => context.snapshot.asw.get(name)?.record.pods[uid]?.mountedAt ?? '',
  );
  return [creationTimestamp, ...times].sort().at(-1) ?? '';
}

function failingSince(pod: StoredPod, context: ViewContext): string {
  const { uid, creationTimestamp } = pod.metadata;
  const { snapshot } = context;
  const failures = volumesOf(pod, context).flatMap(
    (name) => failureOf(snapshot, name, uid)?.since ?? snapshot.conditions.get(name)?.since ?? [],
  );
  return failures.sort()[0] ?? creationTimestamp;
}

/** Names of the volumes that the pod wants. */
function volumesOf({ metadata }: StoredPod, { index }: ViewContext): readonly VolumeToMount['name'][] {
  return [...(index.get(metadata.uid)?.values() ?? [])].map(({ volume }) => volume.name);
}
