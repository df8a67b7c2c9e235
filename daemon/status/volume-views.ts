import { formatBytes } from '../api/quantity.ts';
import type { OperationView, VolumeView } from '../control/protocol.ts';
import { operationKey, podUidOf } from '../plan/operation.ts';
import type { FailedOperation } from '../reconcile/operation-executor.ts';
import type { VolumeCondition } from '../reconcile/volume-health.ts';
import type { ActualVolume } from '../world/actual-state-of-world.ts';
import type { PodToMount, VolumeToMount } from '../world/desired-state-of-world.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import { wantedGrowth } from '../world/volume-growth.ts';
import type { PodReference } from '../world/volume-record.ts';
import type { DaemonSnapshot } from './daemon-snapshot.ts';
import { abnormalObstacle, failedObstacle, type Obstacle, stalledObstacle } from './obstacle.ts';
import { stalledServerOf } from './stalled-view.ts';
import { driftedKeys } from './world-views.ts';

/** One row a volume that is wanted or here, in the order of their names. */
export function volumeViews(snapshot: DaemonSnapshot): readonly VolumeView[] {
  const drifted = driftedKeys(snapshot);
  const names = new Set([...snapshot.dsw.volumes.keys(), ...snapshot.asw.volumes.keys()]);
  return [...names].sort().map((name) => volumeView(name, snapshot, drifted));
}

function volumeView(name: UniqueVolumeName, snapshot: DaemonSnapshot, drifted: ReadonlySet<string>): VolumeView {
  const desired = snapshot.dsw.volumes.get(name);
  const actual = snapshot.asw.get(name);
  const pods = podsOf(desired, actual);
  const keys = [name, ...pods.map(({ uid }) => operationKey(name, uid))];
  const failure = keys.map((key) => snapshot.failed.get(key)).find((failed) => failed !== undefined);
  const condition = snapshot.conditions.get(name);
  const isDrifted = keys.some((key) => drifted.has(key));
  const own = isInTheWay(failure) ? 'Failed' : stateOf(desired, actual, isDrifted);
  const stalled = stalledServerOf(entriesOf(desired, actual)[0]?.mount, snapshot);
  const obstacle = stalled === undefined ? obstacleOf(condition, failure) : stalledObstacle(stalled);
  return {
    name,
    plugin: actual?.record.plugin ?? desired?.plugin ?? '',
    state: stalled === undefined ? conditionedState(own, condition) : 'Stalled',
    device: actual?.record.attached?.devicePath ?? '',
    path: pathOf(desired, actual),
    pods: pods.map((pod) => `${pod.namespace}/${pod.name}`).sort(),
    claim: claimOf(desired),
    ...sizesOf(desired, actual),
    ...(obstacle === undefined ? { message: '' } : shownOf(obstacle)),
    ...driftOf(snapshot.drift.get(name)),
  };
}

function conditionedState(state: VolumeView['state'], condition: VolumeCondition | undefined): VolumeView['state'] {
  return state === 'Mounted' && condition !== undefined ? 'Abnormal' : state;
}

function obstacleOf(
  condition: VolumeCondition | undefined,
  failure: FailedOperation | undefined,
): Obstacle | undefined {
  if (condition !== undefined) return abnormalObstacle(condition);
  return failure === undefined ? undefined : failedObstacle(failure);
}

function driftOf(drift: VolumeView['drift']): Pick<VolumeView, 'drift'> {
  return drift === undefined ? {} : { drift };
}

/** A volume whose growth failed is mounted all the same, smaller than it shall be. */
function isInTheWay(failure: FailedOperation | undefined): boolean {
  return failure !== undefined && failure.operation.kind !== 'expandVolume';
}

/** What the volume has and what it shall have, as quantities; '' where nothing is to grow. */
function sizesOf(
  desired: VolumeToMount | undefined,
  actual: ActualVolume | undefined,
): { readonly capacity: string; readonly requested: string } {
  if (desired?.size === undefined) return { capacity: '', requested: '' };
  const { desiredBytes, claimBytes } = desired.size;
  const isGrown = wantedGrowth(desired, actual) === undefined && desiredBytes > claimBytes;
  return { capacity: formatBytes(isGrown ? desiredBytes : claimBytes), requested: formatBytes(desiredBytes) };
}

function shownOf({ reason, message, help }: Obstacle): Pick<VolumeView, 'reason' | 'message' | 'help'> {
  return { reason, message, ...(help === undefined ? {} : { help }) };
}

/** The global mount, or where the one pod of a volume without a device has it. */
function pathOf(desired: VolumeToMount | undefined, actual: ActualVolume | undefined): string {
  const globalMountPath = (actual?.record ?? desired)?.recipe.globalMountPath ?? '';
  if (globalMountPath !== '') return globalMountPath;
  return entriesOf(desired, actual)[0]?.targetPath ?? '';
}

function claimOf(desired: VolumeToMount | undefined): string {
  const prefix = 'claim ';
  return desired?.subject.startsWith(prefix) === true ? desired.subject.slice(prefix.length) : '';
}

function stateOf(
  desired: VolumeToMount | undefined,
  actual: ActualVolume | undefined,
  isDrifted: boolean,
): VolumeView['state'] {
  if (actual === undefined) return 'Pending';
  if (desired === undefined) return 'Unmounting';
  const states = [...desired.pods.keys()].map((uid) => actual.podStates.get(uid) ?? 'VolumeNotMounted');
  if (!isDrifted && states.every((state) => state === 'VolumeMounted')) return 'Mounted';
  const all = [...states, actual.attachState, actual.deviceMountState];
  return isDrifted || all.some((state) => state.endsWith('Uncertain')) ? 'Uncertain' : 'Pending';
}

/** Each pod's part: as it is, then as it is wanted. */
function entriesOf(desired: VolumeToMount | undefined, actual: ActualVolume | undefined): readonly PodToMount[] {
  return [...Object.values(actual?.record.pods ?? {}), ...(desired?.pods.values() ?? [])];
}

function podsOf(desired: VolumeToMount | undefined, actual: ActualVolume | undefined): readonly PodReference[] {
  const entries = entriesOf(desired, actual);
  return [...new Map(entries.map(({ pod }) => [pod.uid, pod])).values()];
}

/** What runs, then what waits for its next try. */
export function operationViews(snapshot: DaemonSnapshot): readonly OperationView[] {
  const { running, failed, asw, now } = snapshot;
  const podName = (volumeName: UniqueVolumeName, uid: string) => {
    const pod = asw.get(volumeName)?.record.pods[uid]?.pod;
    return pod === undefined ? uid : `${pod.namespace}/${pod.name}`;
  };
  const active = running.map(
    ({ operation, startedAt, attempt }): OperationView => ({
      kind: operation.kind,
      volume: operation.volumeName,
      pod: podName(operation.volumeName, podUidOf(operation)),
      state: 'running',
      reason: operation.reason,
      startedAt,
      attempts: attempt,
      nextRetryMs: 0,
      lastError: '',
    }),
  );
  const activeKeys = new Set(running.map(({ operation }) => operationKey(operation.volumeName, podUidOf(operation))));
  const waiting = [...failed].flatMap(([key, { operation, failures, notBefore, since, error }]): OperationView[] =>
    activeKeys.has(key)
      ? []
      : [
          {
            kind: operation.kind,
            volume: operation.volumeName,
            pod: podName(operation.volumeName, podUidOf(operation)),
            state: 'waiting',
            reason: operation.reason,
            startedAt: since,
            attempts: failures,
            nextRetryMs: Math.max(Math.round(notBefore - now), 0),
            lastError: error.message,
          },
        ],
  );
  return [...active, ...copyViews(snapshot), ...waiting];
}

function copyViews({ copies }: DaemonSnapshot): readonly OperationView[] {
  return copies.map(({ key, volume, state, since, message, progress }) => ({
    ...{ kind: 'copyImage', volume, pod: '', state, reason: `${key}: ${message}`, startedAt: since },
    ...{ attempts: 1, nextRetryMs: 0, lastError: '' },
    copy: {
      for: key,
      doneBytes: Number(progress?.doneBytes ?? 0n),
      totalBytes: Number(progress?.totalBytes ?? 0n),
    },
  }));
}
