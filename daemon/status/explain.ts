/** The causal chain under a pod or a claim: what is awaited, since when, the last error, the next try, what helps. */

import { objectKey } from '../api/meta.ts';
import type { StoredPod } from '../api/pod.ts';
import { claimOfVolume } from '../api/pod-claims.ts';
import { volumeUsesOf } from '../api/volume-uses.ts';
import type { ExplainNode, PodVolumeStatus } from '../control/protocol.ts';
import type { FailedOperation } from '../reconcile/operation-executor.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import type { DaemonSnapshot } from './daemon-snapshot.ts';
import { explainClaim } from './explain-claim.ts';
import { explainDrift } from './explain-drift.ts';
import { failedObstacle } from './obstacle.ts';
import { failureOf, podViews, schedulingWait, unresolvedVolume } from './pod-views.ts';
import { stalledServerOf } from './stalled-view.ts';

export function explainPod(pod: StoredPod, snapshot: DaemonSnapshot): ExplainNode {
  const { namespace, name, uid, creationTimestamp } = pod.metadata;
  const status = podViews(snapshot).find(({ metadata }) => metadata.uid === uid)?.status;
  const condition = status?.conditions[0];
  const volumes = status?.volumes ?? [];
  return {
    subject: `pod ${namespace}/${name}`,
    state: status?.phase ?? 'Pending',
    detail: detailOfPod(pod, volumes, snapshot),
    since: condition?.lastTransitionTime ?? creationTimestamp,
    causes:
      pod.metadata.deletionTimestamp === undefined
        ? volumes.map((volume) => explainVolume(pod, volume, snapshot))
        : explainUnmounts(uid, snapshot),
  };
}

function detailOfPod(pod: StoredPod, volumes: readonly PodVolumeStatus[], snapshot: DaemonSnapshot): string {
  if (snapshot.draining) return 'the daemon is draining: nothing is mounted until it is started again';
  if (pod.metadata.deletionTimestamp !== undefined) {
    const hold = snapshot.holds.find(({ podUid }) => podUid === pod.metadata.uid);
    return `its manifest is gone: its volumes are ${hold?.reason ?? 'being unmounted'}`;
  }
  const mounted = volumes.filter(({ state }) => state === 'Mounted').length;
  const wait = mounted === volumes.length ? undefined : schedulingWait(pod.metadata, snapshot);
  if (wait !== undefined) return `it has no node: ${wait.message}`;
  return mounted === volumes.length ? '' : `${mounted} of ${volumes.length} volumes are mounted`;
}

/** Of a pod that goes: what it still has, and what keeps that from being unmounted. */
function explainUnmounts(podUid: string, snapshot: DaemonSnapshot): readonly ExplainNode[] {
  return snapshot.asw.volumesOfPod(podUid).map(({ record }): ExplainNode => {
    const failed = failureOf(snapshot, record.name, podUid);
    const subject = `volume ${record.pods[podUid]?.outerNames.join(', ') ?? ''}`;
    const drift = explainDrift(snapshot.drift.get(record.name));
    if (failed === undefined) return { subject, state: 'Unmounting', detail: '', since: '', causes: drift };
    const { reason, message: detail, help } = failedObstacle(failed);
    return {
      ...{ subject, state: 'Failed', reason, detail, since: failed.since },
      ...(help === undefined ? {} : { help }),
      ...retryOf(failed, snapshot),
      causes: drift,
    };
  });
}

function explainVolume(pod: StoredPod, status: PodVolumeStatus, snapshot: DaemonSnapshot): ExplainNode {
  const { uid, creationTimestamp } = pod.metadata;
  const volumeName = status.volume as UniqueVolumeName;
  const drift = explainDrift(snapshot.drift.get(volumeName));
  const failed = status.volume === '' ? undefined : failureOf(snapshot, volumeName, uid);
  const claims = claimOf(pod, status.name, snapshot);
  const running = snapshot.running.find(({ operation }) => operation.volumeName === volumeName);
  const startedAt = failed?.since ?? running?.startedAt ?? creationTimestamp;
  const base = {
    subject: `volume ${status.name}`,
    state: status.state,
    since: stalledSince(volumeName, uid, snapshot) ?? startedAt,
    ...retryOf(failed, snapshot),
  };
  if (status.state === 'Mounted') {
    return { ...base, detail: status.path, causes: [...claims.flatMap(({ causes }) => causes), ...drift] };
  }
  const { reason, message, help } = ownObstacle(pod, status, claims, snapshot);
  const shown = {
    ...base,
    ...(reason === undefined ? {} : { reason }),
    ...(help === undefined ? {} : { help }),
  };
  const condition = snapshot.conditions.get(volumeName);
  if (status.state === 'Abnormal' && condition !== undefined) {
    return { ...shown, detail: condition.message, since: condition.since, causes: drift };
  }
  const hold = snapshot.holds.find((entry) => entry.volumeName === volumeName);
  const doing = running === undefined ? '' : `${running.operation.kind} is running`;
  return { ...shown, detail: message ?? hold?.reason ?? doing, causes: [...claims, ...drift] };
}

/** What a claim waits for, and what to do about it, is said by the claim below: here only that it waits. */
function ownObstacle(
  pod: StoredPod,
  status: PodVolumeStatus,
  causes: readonly ExplainNode[],
  snapshot: DaemonSnapshot,
): Pick<PodVolumeStatus, 'reason' | 'message' | 'help'> {
  const unresolved = unresolvedVolume(pod, status.name, snapshot);
  if (unresolved?.reason !== 'ClaimNotBound' || causes.length === 0) return status;
  return { reason: unresolved.reason, message: unresolved.error.message };
}

function claimOf(pod: StoredPod, volumeName: string, snapshot: DaemonSnapshot): readonly ExplainNode[] {
  const used = volumeUsesOf(pod).find(({ volume }) => volume.name === volumeName)?.volume;
  const source = used && claimOfVolume(pod.metadata.name, used);
  if (source === undefined) return [];
  const claim = snapshot.objects.get(objectKey('PersistentVolumeClaim', pod.metadata.namespace, source.claimName));
  return claim?.kind === 'PersistentVolumeClaim' ? [explainClaim(claim, snapshot)] : [];
}

function stalledSince(volumeName: UniqueVolumeName, podUid: string, snapshot: DaemonSnapshot): string | undefined {
  return stalledServerOf(snapshot.dsw.volumes.get(volumeName)?.pods.get(podUid)?.mount, snapshot)?.since;
}

function retryOf(failed: FailedOperation | undefined, { now }: DaemonSnapshot): Partial<ExplainNode> {
  if (failed === undefined) return {};
  return { nextRetryMs: Math.max(Math.round(failed.notBefore - now), 0) };
}
