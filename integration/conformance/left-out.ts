/** The rows of upstream's tables that are no cases here, and why: the one place that says so. */
export interface LeftOut {
  /** Of which file, and which of its rows. */
  readonly cases: string;
  readonly why: string;
}

export const leftOut: readonly LeftOut[] = [
  {
    cases: 'pvc_protection, pv_protection: "PVC without finalizer", "PV without finalizer"',
    why: 'An object is written first with its finalizer (`controllers/object-birth.ts`): there is none without.',
  },
  {
    cases: 'pvc_protection, pv_protection: "saving finalizer fails", "finalizer removal fails"',
    why: 'The store is in the process, and a write to it is not refused. A state disk that is: `integration/reliability/state-disk.test.ts`.',
  },
  {
    cases: "pvc_protection: a pod that is not in the informer's cache yet, and the live list of pods",
    why: 'There is one store and no cache of it that could be late.',
  },
  {
    cases: 'pvc_protection: the condition Unused',
    why: 'Alpha in 1.36, and off there (PersistentVolumeClaimUnusedSinceTime); moored has no such condition.',
  },
  {
    cases: 'stateful_set_utils: owners without a uid, and whether an owner is the controller',
    why: 'They tell the references of one version of upstream from those of another. Ours are no controllers, and have a uid.',
  },
  {
    cases: 'snapshot_create, _update, _delete: a write that fails, secrets, group snapshots, a class of v1beta1',
    why: 'A write does not fail, as above; loop volumes have no secrets; the others are not of snapshot.storage.k8s.io/v1 as moored has it.',
  },
  {
    cases: 'csi-snapshotter sidecar: create, delete, shouldDelete',
    why: 'The sidecar is the part that calls a driver. Here the copy is taken in the same process; what may die in it is in `daemon/controllers/snapshots.test.ts`.',
  },
  {
    cases: 'pv binder_test: CSI migration; volumebinding: migration',
    why: 'No in-tree plugin was ever here to migrate from.',
  },
  {
    cases: 'attachdetach reconciler_test, kubelet volumemanager: reconciler, populator, reconstruct',
    why: 'Programs, not tables. What they try is in `daemon/plan/plan.test.ts`, `daemon/plan/reconstruct.test.ts`, `daemon/reconcile/` and the simulation of `integration/model/`.',
  },
  {
    cases: 'volumebinding, volumezone: nodes to choose from, and their scores',
    why: 'There is one node.',
  },
];
