import type { StoredStatefulSet } from '../api/stateful-set.ts';

/** status of a StatefulSet: counted when it is asked for. Ready is a pod all of whose volumes are mounted here. */
interface StatefulSetStatusView {
  readonly observedGeneration: number;
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
}

export type StatefulSetView = StoredStatefulSet & { readonly status: StatefulSetStatusView };
