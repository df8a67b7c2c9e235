import type { Reason } from './reason.ts';

/** About StatefulSets and about claims that are made for pods. */
export const statefulSetReasons = {
  SuccessfulCreate: { type: 'Normal', means: 'A pod or a claim was made for a StatefulSet.', help: [] },
  SuccessfulDelete: { type: 'Normal', means: 'A pod of a StatefulSet is being deleted.', help: [] },
  FailedCreate: {
    type: 'Warning',
    means: 'A pod of a StatefulSet cannot be made: its name is taken, or a claim of its name is being deleted.',
    help: ['moorctl explain sts/NAME', 'moorctl get pods,pvc'],
  },
  WaitForPod: {
    type: 'Normal',
    means: 'The StatefulSet goes on when a pod is ready, or has gone.',
    help: ['moorctl explain pod/NAME', 'to make all pods at once: podManagementPolicy: Parallel'],
  },
  ConflictingController: {
    type: 'Warning',
    means: 'A claim of the StatefulSet is managed by another owner: it is used, and the set never deletes it.',
    help: ['moorctl get pvc NAME -o yaml shows its ownerReferences'],
  },
  EphemeralClaimConflict: {
    type: 'Warning',
    means: 'A claim has the name that the ephemeral volume of a pod needs and was not made for it: it is not used.',
    help: ['rename the volume or the pod, or remove the claim'],
  },
} as const satisfies Readonly<Record<string, Reason>>;
