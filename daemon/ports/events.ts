/** A Kubernetes-like Event; the same (regarding, reason, message) counts up instead of repeating. */
export interface MooredEvent {
  readonly type: 'Normal' | 'Warning';
  /** Reason codes as upstream spells them where upstream has one (FailedMount, ProvisioningFailed, …). */
  readonly reason: string;
  /** "Pod/default/web", "PersistentVolumeClaim/default/data", "Manifest/web.yaml", "Volume/<unique name>". */
  readonly regarding: string;
  readonly message: string;
}

export interface RecordedEvent extends MooredEvent {
  readonly count: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
}

export interface EventRecorder {
  record(event: MooredEvent): void;
  list(): readonly RecordedEvent[];
}
