/** Where the growth of a claim's volume is, and what holds it up. */
import { keyOf } from '../api/meta.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { ExplainNode } from '../control/protocol.ts';
import { adviceFor } from '../world/reasons/advice.ts';
import type { DaemonSnapshot } from './daemon-snapshot.ts';

/** [] when the claim has what it asks for. */
export function explainGrowth(claim: StoredPersistentVolumeClaim, snapshot: DaemonSnapshot): readonly ExplainNode[] {
  const { conditions = [], allocatedResourceStatuses, allocatedResources, capacity } = claim.status ?? {};
  const condition = conditions.at(-1);
  if (condition === undefined) return [];
  const wanted = allocatedResources?.storage ?? claim.spec.resources.requests.storage;
  const hasFailed = condition.type === 'ControllerResizeError' || condition.type === 'NodeResizeError';
  return [
    {
      subject: `growth from ${capacity?.storage ?? ''} to ${wanted}`,
      state: hasFailed ? 'Failed' : (allocatedResourceStatuses?.storage ?? 'Pending'),
      detail: condition.message,
      since: condition.lastTransitionTime,
      ...nextTry(claim, snapshot, hasFailed),
      causes: [],
    },
  ];
}

/** Of the image's growth the claim controller knows, of the filesystem's the executor. */
function nextTry(
  claim: StoredPersistentVolumeClaim,
  { waits, failed, now }: DaemonSnapshot,
  hasFailed: boolean,
): Partial<ExplainNode> {
  const failure = [...failed.values()].find(
    ({ operation }) =>
      operation.kind === 'expandVolume' && operation.volume.size?.persistentVolume === claim.spec.volumeName,
  );
  const wait = waits.get(keyOf(claim));
  const retryAt = wait?.retryAt ?? failure?.notBefore;
  const reason = 'VolumeResizeFailed';
  return {
    ...(retryAt === undefined ? {} : { nextRetryMs: Math.max(Math.round(retryAt - now), 0) }),
    ...(hasFailed ? { reason, help: adviceFor(reason, failure?.error ?? wait?.error) } : {}),
  };
}
