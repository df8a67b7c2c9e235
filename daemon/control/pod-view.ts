/** A pod as `get` answers it, with what the mount table says of its volumes. */
import type { StoredPod } from '../api/pod.ts';

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
}

/** One volume of a pod, in the order of spec.volumes; volumes that no container uses are not mounted and not listed. */
export interface PodVolumeStatus {
  readonly name: string;
  /** Path on the host that a workload binds; given before it is mounted, so that it can be configured. */
  readonly path: string;
  /**
   * 'Mounted' only when the mount table says so; 'Stalled', mounted or not, while its server does not answer; 'Abnormal':
   * mounted, and the kernel no longer writes to it.
   */
  readonly state: 'Mounted' | 'Abnormal' | 'Pending' | 'Uncertain' | 'Failed' | 'Stalled';
  readonly volume: string;
  /** What stands in the way: its code (docs/troubleshooting.md), and the cause word for word. */
  readonly reason?: string;
  readonly message?: string;
  /** What to do about it, a line each. */
  readonly help?: string;
  /** True when no attempt will succeed until somebody changes something. */
  readonly needsChange?: true;
}

/** status of a pod in `get pods`: what the user declared of status is dropped, but for phase. */
export interface PodStatusView {
  readonly phase: 'Pending' | 'Ready' | 'Stalled' | 'Terminating' | 'Succeeded' | 'Failed';
  readonly conditions: readonly Condition[];
  readonly volumes: readonly PodVolumeStatus[];
}

export type PodView = Omit<StoredPod, 'status'> & { readonly status: PodStatusView };
