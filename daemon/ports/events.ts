import type { ReasonCode } from '../world/reasons/reason-table.ts';
import type { StorageError } from '../world/storage-error.ts';

/** What happened, to be recorded; the same (regarding, reason, message) counts up instead of repeating. */
export interface MooredEvent {
  readonly reason: ReasonCode;
  /** Where it is another one than the reason's: upstream has a few reasons for good and bad news. */
  readonly type?: 'Normal';
  /** "Pod/default/web", "PersistentVolumeClaim/default/data", "Manifest/web.yaml", "Volume/<unique name>". */
  readonly regarding: string;
  readonly message: string;
  /** What failed, for the advice that goes with it. */
  readonly error?: StorageError;
}

/** A Kubernetes-like Event. */
export interface RecordedEvent {
  readonly type: 'Normal' | 'Warning';
  /** See docs/troubleshooting.md; a client may meet one that it does not know. */
  readonly reason: string;
  readonly regarding: string;
  readonly message: string;
  /** What to do, a line each; missing when there is nothing to do. */
  readonly help?: string;
  readonly count: number;
  readonly firstTimestamp: string;
  readonly lastTimestamp: string;
}

export interface EventRecorder {
  record(event: MooredEvent): void;
  list(): readonly RecordedEvent[];
}
