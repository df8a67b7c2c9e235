import type { StoredPod } from '../api/pod.ts';
import { isTerminated } from '../api/pod.ts';
import { volumeUsesOf } from '../api/volume-uses.ts';
import type { Condition, PodStatusView, PodView, PodVolumeStatus } from '../control/protocol.ts';
import { operationKey } from '../plan/operation.ts';
import type { FailedOperation } from '../reconcile/operation-executor.ts';
import type { PodToMount, VolumeToMount } from '../world/desired-state-of-world.ts';
import type { DaemonSnapshot } from './daemon-snapshot.ts';
import { stalledMessage, stalledServerOf } from './stalled-view.ts';
import { driftedKeys } from './world-views.ts';

/** A pod's volume, found by the pod's uid and the volume's name in the pod. */
export interface PodVolumeEntry {
  readonly volume: VolumeToMount;
  readonly pod: PodToMount;
}

export type PodVolumeIndex = ReadonlyMap<string, ReadonlyMap<string, PodVolumeEntry>>;

function indexPodVolumes({ dsw }: DaemonSnapshot): PodVolumeIndex {
  const index = new Map<string, Map<string, PodVolumeEntry>>();
  for (const volume of dsw.volumes.values()) {
    for (const [uid, pod] of volume.pods) {
      const entries = index.get(uid) ?? new Map<string, PodVolumeEntry>();
      for (const name of pod.outerNames) entries.set(name, { volume, pod });
      index.set(uid, entries);
    }
  }
  return index;
}

export function podViews(snapshot: DaemonSnapshot): readonly PodView[] {
  const index = indexPodVolumes(snapshot);
  const drifted = driftedKeys(snapshot);
  return snapshot.objects.list('Pod').map((pod) => ({ ...pod, status: podStatus(pod, { snapshot, index, drifted }) }));
}

interface ViewContext {
  readonly snapshot: DaemonSnapshot;
  readonly index: PodVolumeIndex;
  readonly drifted: ReadonlySet<string>;
}

function podStatus(pod: StoredPod, context: ViewContext): PodStatusView {
  const volumes = volumeUsesOf(pod).map((use) => volumeStatus(pod, use.volume.name, context));
  const isReady = !isTerminated(pod) && volumes.every(({ state }) => state === 'Mounted');
  return { phase: phaseOf(pod, isReady, volumes), conditions: [volumesReady(pod, volumes, isReady, context)], volumes };
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
  if (entry === undefined) {
    const error = snapshot.dsw.errors.get(uid)?.find(({ volume }) => volume === name);
    const message = error?.message ?? (isTerminated(pod) ? 'the pod has ended' : 'not processed yet');
    return { name, path: '', state: 'Pending', volume: '', message };
  }
  const { volume, pod: wanted } = entry;
  const base = { name, path: wanted.targetPath, volume: volume.name };
  const stalled = stalledServerOf(wanted.mount, snapshot);
  if (stalled !== undefined) return { ...base, state: 'Stalled', message: stalledMessage(stalled) };
  const state = snapshot.asw.get(volume.name)?.podStates.get(uid);
  if (state === 'VolumeMounted' && !drifted.has(operationKey(volume.name, uid))) {
    const condition = snapshot.conditions.get(volume.name);
    return condition === undefined
      ? { ...base, state: 'Mounted' }
      : { ...base, state: 'Abnormal', message: condition.message };
  }
  const failed = failureOf(snapshot, volume.name, uid);
  if (failed !== undefined) return { ...base, state: 'Failed', message: failed.error.message };
  return { ...base, state: state === undefined || state === 'VolumeNotMounted' ? 'Pending' : 'Uncertain' };
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
  { snapshot }: ViewContext,
): Condition {
  const type = 'VolumesReady';
  if (isReady) {
    const count = volumes.length;
    return {
      type,
      status: 'True',
      reason: 'AllMounted',
      message: `${count} of ${count} volumes are mounted`,
      lastTransitionTime: lastMountedAt(pod, snapshot),
    };
  }
  const waiting = volumes.filter(({ state }) => state !== 'Mounted');
  const why = waiting.map(({ name, state, message }) => `${name}: ${message ?? state.toLowerCase()}`).join('; ');
  return {
    type,
    status: 'False',
    reason: reasonOf(pod, waiting),
    message: isTerminated(pod) ? 'the pod has ended' : why,
    lastTransitionTime: pod.metadata.deletionTimestamp ?? failingSince(pod, snapshot),
  };
}

function reasonOf(pod: StoredPod, waiting: readonly PodVolumeStatus[]): string {
  if (isTerminated(pod)) return 'PodTerminated';
  if (waiting.some(({ state }) => state === 'Stalled')) return 'ServerStalled';
  if (waiting.some(({ state }) => state === 'Failed')) return 'FailedMount';
  return waiting.some(({ state }) => state === 'Abnormal') ? 'VolumeConditionAbnormal' : 'Mounting';
}

function lastMountedAt(pod: StoredPod, { asw }: DaemonSnapshot): string {
  const times = asw.volumesOfPod(pod.metadata.uid).map(({ record }) => record.pods[pod.metadata.uid]?.mountedAt ?? '');
  return [pod.metadata.creationTimestamp, ...times].sort().at(-1) ?? '';
}

function failingSince(pod: StoredPod, snapshot: DaemonSnapshot): string {
  const { uid, creationTimestamp } = pod.metadata;
  const failures = [...snapshot.dsw.volumes.values()].flatMap((volume) =>
    volume.pods.has(uid)
      ? (failureOf(snapshot, volume.name, uid)?.since ?? snapshot.conditions.get(volume.name)?.since ?? [])
      : [],
  );
  return failures.sort()[0] ?? creationTimestamp;
}
