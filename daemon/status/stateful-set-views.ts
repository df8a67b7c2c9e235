import { controllerOf } from '../api/owner-reference.ts';
import type { StoredPod } from '../api/pod.ts';
import type { StoredStatefulSet } from '../api/stateful-set.ts';
import type { ExplainNode, StatefulSetView } from '../control/protocol.ts';
import { ordinalOf, ordinalsOf } from '../controllers/stateful-set-objects.ts';
import type { DaemonSnapshot } from './daemon-snapshot.ts';
import { explainPod } from './explain.ts';
import { waitObstacle } from './obstacle.ts';
import { podReadiness } from './pod-views.ts';

/** The sets with what is counted of their pods: nothing of it is stored. */
export function statefulSetViews(snapshot: DaemonSnapshot): readonly StatefulSetView[] {
  const isReady = podReadiness(snapshot);
  return snapshot.objects.list('StatefulSet').map((set) => {
    const pods = podsOf(set, snapshot);
    const readyReplicas = pods.filter(isReady).length;
    const { generation } = set.metadata;
    const status = { observedGeneration: generation, replicas: pods.length, readyReplicas };
    return { ...set, status: { ...status, availableReplicas: readyReplicas } };
  });
}

/** What the set waits for, and below it each of its pods. */
export function explainStatefulSet(set: StoredStatefulSet, snapshot: DaemonSnapshot): ExplainNode {
  const { namespace, name, creationTimestamp, deletionTimestamp } = set.metadata;
  const wait = snapshot.waits.get(`StatefulSet/${namespace}/${name}`);
  const pods = podsOf(set, snapshot);
  const isReady = podReadiness(snapshot);
  const ready = pods.filter(isReady).length;
  const { start, end } = ordinalsOf(set);
  const wanted = end - start;
  return {
    subject: `statefulset ${namespace}/${name}`,
    state: stateOf(deletionTimestamp !== undefined, ready === wanted && pods.length === wanted),
    detail: wait?.message ?? `${ready} of ${wanted} pods are ready`,
    since: wait?.since ?? creationTimestamp,
    ...(wait === undefined ? {} : obstacleOf(wait)),
    causes: pods.map((pod) => explainPod(pod, snapshot)),
  };
}

function obstacleOf(wait: Parameters<typeof waitObstacle>[0]): Partial<ExplainNode> {
  const { reason, help } = waitObstacle(wait);
  return help === undefined ? { reason } : { reason, help };
}

function stateOf(isDeleting: boolean, isReady: boolean): string {
  if (isDeleting) return 'Terminating';
  return isReady ? 'Ready' : 'Pending';
}

/** In the order of their ordinals. */
function podsOf(set: StoredStatefulSet, { objects }: DaemonSnapshot): readonly StoredPod[] {
  const ordinal = ({ metadata }: StoredPod): number => ordinalOf(set, metadata.name) ?? -1;
  return objects
    .list('Pod')
    .filter(({ metadata }) => controllerOf(metadata)?.uid === set.metadata.uid)
    .sort((a, b) => ordinal(a) - ordinal(b));
}
