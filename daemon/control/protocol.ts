/**
 * What moored and moorctl say to each other: JSON over HTTP on the unix socket, every path below /v1.
 * The only module that daemon, client and tests share. Fields are added, never renamed, within a version.
 */

import type { StoredNode } from '../api/node.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StorageClassSpec, StoredStorageClass } from '../api/storage-class.ts';
import type { RecordedEvent } from '../ports/events.ts';
import type { ManifestFile, ManifestProblem } from '../ports/manifest-source.ts';
import type { Condition, PodView } from './pod-view.ts';
import type {
  SnapshotView,
  VolumeSnapshotClassView,
  VolumeSnapshotContentView,
  VolumeSnapshotView,
} from './snapshot-views.ts';
import type { StatefulSetView } from './stateful-set-view.ts';
import type { TrashView } from './volume-tools-protocol.ts';
import type { AswVolume, DswVolume, OperationView, VolumeView } from './volume-views.ts';

export type { RecordedEvent } from '../ports/events.ts';
export type { ManifestFile, ManifestProblem } from '../ports/manifest-source.ts';
export type { GcReply, GcRequest, OrphansReply } from './orphan-protocol.ts';
export type { Condition, PodStatusView, PodView, PodVolumeStatus } from './pod-view.ts';
export type { StatefulSetView } from './stateful-set-view.ts';
export type { TrashView, VolumeReply, VolumeRequest } from './volume-tools-protocol.ts';
export type {
  AswPod,
  AswVolume,
  DriftView,
  DswVolume,
  OperationView,
  VolumeView,
} from './volume-views.ts';

/** The version of this program, client and daemon; a test holds it equal to package.json. */
export const mooredVersion = '0.1.0';

export const protocolVersion = 'v1';

/** Every answer carries this header with protocolVersion; a client refuses an answer that has another value or none. */
export const protocolHeader = 'moored-protocol';

export const defaultSocketPath = '/run/moored/moored.sock';

/** GET /v1/version */
export interface VersionReply {
  readonly version: string;
  readonly protocol: typeof protocolVersion;
  readonly pid: number;
  readonly startedAt: string;
  /** False until the worlds are rebuilt after a start. */
  readonly ready: boolean;
}

/** The kinds of `moorctl get`, as the path names them: GET /v1/get/<kind>. */
export const resourceKinds = [
  'pods',
  'statefulsets',
  'persistentvolumeclaims',
  'persistentvolumes',
  'storageclasses',
  'volumesnapshots',
  'volumesnapshotclasses',
  'volumesnapshotcontents',
  'nodes',
  'volumes',
  'dsw',
  'asw',
  'operations',
  'events',
  'manifests',
  'trash',
] as const;
export type ResourceKind = (typeof resourceKinds)[number];

export type ClaimView = StoredPersistentVolumeClaim;
export type PersistentVolumeView = StoredPersistentVolume;
/** As in Kubernetes, a class has its fields at the top level. */
export type StorageClassView = Omit<StoredStorageClass, 'spec'> & StorageClassSpec;
/** This machine, and what manifests say of others. */
export type NodeView = StoredNode & { readonly status: { readonly conditions: readonly Condition[] } };
export type ObjectView =
  | PodView
  | StatefulSetView
  | ClaimView
  | PersistentVolumeView
  | StorageClassView
  | NodeView
  | SnapshotView;

/** Reply of get pods and of the other kinds of Kubernetes' objects. */
export interface ObjectListReply<View extends ObjectView = ObjectView> {
  readonly apiVersion: 'v1';
  readonly kind: 'List';
  readonly items: readonly View[];
}

/** What GET /v1/get/<kind> answers, by kind. */
export interface GetReplies {
  readonly pods: ObjectListReply<PodView>;
  readonly statefulsets: ObjectListReply<StatefulSetView>;
  readonly persistentvolumeclaims: ObjectListReply<ClaimView>;
  readonly persistentvolumes: ObjectListReply<PersistentVolumeView>;
  readonly storageclasses: ObjectListReply<StorageClassView>;
  readonly volumesnapshots: ObjectListReply<VolumeSnapshotView>;
  readonly volumesnapshotclasses: ObjectListReply<VolumeSnapshotClassView>;
  readonly volumesnapshotcontents: ObjectListReply<VolumeSnapshotContentView>;
  readonly nodes: ObjectListReply<NodeView>;
  readonly volumes: { readonly volumes: readonly VolumeView[] };
  readonly dsw: { readonly volumes: readonly DswVolume[] };
  readonly asw: { readonly volumes: readonly AswVolume[] };
  readonly operations: { readonly operations: readonly OperationView[] };
  readonly events: { readonly events: readonly RecordedEvent[] };
  readonly trash: { readonly trash: readonly TrashView[] };
  /** `problem`: the directory as a whole cannot be read or trusted; the files are then those of the last good look. */
  readonly manifests: { readonly manifests: readonly ManifestFile[]; readonly problem?: ManifestProblem };
}

/**
 * Query of GET /v1/get/<kind>: ?namespace=<ns>&name=<name>; either may be missing and then does not restrict.
 * The namespace concerns pods, sets, claims and events about them; an event about anything else passes every namespace.
 * The name of an operation is its volume's; an event's is what it regards.
 */
export interface GetFilter {
  readonly namespace?: string;
  readonly name?: string;
}

/**
 * GET /v1/changes?since=<revision>: answers at once when `since` is missing or is not the daemon's revision (a restarted
 * daemon counts anew), else waits for a change or 25 s. Used by `get -w` and `wait`: ask for changes, then get again.
 */
export interface ChangesReply {
  readonly revision: number;
}

/** POST /v1/plan */
export interface PlanRequest {
  /** Files as if they were added to the manifest directory (same name replaces). */
  readonly files: readonly { readonly name: string; readonly text: string }[];
}

export interface PlannedStep {
  /** "mountVolume", "formatDevice", "bindClaim", "provision", … */
  readonly kind: string;
  readonly subject: string;
  readonly reason: string;
  /** True for what cannot be taken back: format, delete. */
  readonly destructive: boolean;
}

export interface PlanReply {
  readonly steps: readonly PlannedStep[];
  readonly problems: readonly ManifestProblem[];
}

export const explainableKinds = [
  'pods',
  'persistentvolumeclaims',
  'statefulsets',
] as const satisfies readonly ResourceKind[];
export type ExplainableKind = (typeof explainableKinds)[number];

/** GET /v1/explain/<pods|persistentvolumeclaims|statefulsets>/<namespace>/<name> */
export interface ExplainNode {
  /** What this line is about, e.g. "pod default/web", "volume data". */
  readonly subject: string;
  readonly state: string;
  /** What is awaited or what went wrong, word for word; '' when all is well. */
  readonly detail: string;
  /** RFC 3339; '' when not known. */
  readonly since: string;
  /** Milliseconds until the next attempt; undefined when none is scheduled. */
  readonly nextRetryMs?: number;
  /** The code of what stands in the way: docs/troubleshooting.md. */
  readonly reason?: string;
  /** What to do about it, a line each. */
  readonly help?: string;
  readonly causes: readonly ExplainNode[];
}

/** POST /v1/drain: unmounts and detaches everything; the daemon mounts nothing until it is restarted. */
export interface DrainReply {
  readonly drained: boolean;
  /** What is still there, with the reason. */
  readonly remaining: readonly { readonly volume: string; readonly pod: string; readonly message: string }[];
}

/** POST /v1/hold: a lease on a pod's volumes for a systemd unit, if all of them are mounted now. */
export interface HoldRequest {
  /** The instance of `moored-pod@.service`, or "namespace/name". */
  readonly instance: string;
  /** The whole name of the unit. */
  readonly unit: string;
}

export interface HoldReply {
  readonly held: boolean;
  /** "namespace/name"; '' while no pod has the name. */
  readonly pod: string;
  /** What is mounted, or what is missing. */
  readonly message: string;
}

export interface DoctorCheck {
  readonly name: string;
  readonly ok: boolean;
  /** False for what only some volumes need (mkfs.btrfs, …): missing is then a warning. */
  readonly required: boolean;
  readonly detail: string;
  /** The command or setting that mends it; '' when ok. */
  readonly fix: string;
}

/** GET /v1/doctor, and what `moored --doctor` prints without a daemon. */
export interface DoctorReply {
  readonly checks: readonly DoctorCheck[];
}

/** Why a request was not served; each has one HTTP status (control-handlers.ts). */
export type ControlErrorCode =
  | 'BadRequest'
  | 'Forbidden'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'RequestTimeout'
  | 'PayloadTooLarge'
  | 'Internal'
  | 'Unavailable';

/** Body of every answer that is not 2xx. */
export interface ErrorReply {
  readonly error: { readonly code: ControlErrorCode; readonly message: string };
}
