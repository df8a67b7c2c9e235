/** What the control socket answers: views over one snapshot of the daemon, and its two commands, plan and drain. */

import { type Kind, objectKey } from './api/meta.ts';
import { type Awaitable, ControlError, type ControlHandlers } from './control/control-handlers.ts';
import {
  type ChangesReply,
  type DoctorReply,
  type DrainReply,
  type ExplainableKind,
  type ExplainNode,
  type GcReply,
  type GcRequest,
  type GetFilter,
  type GetReplies,
  type HoldReply,
  type HoldRequest,
  mooredVersion,
  type ObjectListReply,
  type ObjectView,
  type OrphansReply,
  type PlanReply,
  type PlanRequest,
  protocolVersion,
  type ResourceKind,
  type TrashView,
  type VolumeReply,
  type VolumeRequest,
} from './control/protocol.ts';
import { namespacedObject } from './control/reply-filter.ts';
import type { VolumeTools } from './controllers/volume-tools.ts';
import type { RecordedEvent } from './ports/events.ts';
import type { OrphanCollection } from './reconcile/orphan-collection.ts';
import type { TrashRecords } from './reconcile/trash-records.ts';
import type { Revision } from './revision.ts';
import type { DaemonSnapshot } from './status/daemon-snapshot.ts';
import { explainPod } from './status/explain.ts';
import { explainClaim } from './status/explain-claim.ts';
import { type ManifestsView, manifestsView } from './status/manifests-view.ts';
import { nodeViews } from './status/node-views.ts';
import { podViews } from './status/pod-views.ts';
import { explainStatefulSet, statefulSetViews } from './status/stateful-set-views.ts';
import { trashViews } from './status/trash-views.ts';
import { operationViews, volumeViews } from './status/volume-views.ts';
import { aswView, dswView } from './status/world-views.ts';
import { StorageError } from './world/storage-error.ts';

/** How long trash and quarantine are kept unless gc is told otherwise. */
const defaultGraceMs = 7 * 24 * 3_600_000;

export interface DaemonControlOptions {
  readonly startedAt: string;
  readonly pid: number;
  readonly isReady: () => boolean;
  readonly revision: Revision;
  readonly snapshot: () => DaemonSnapshot;
  readonly manifests: () => ManifestsView;
  readonly events: () => readonly RecordedEvent[];
  readonly plan: (request: PlanRequest) => Promise<PlanReply>;
  readonly drain: () => Promise<DrainReply>;
  readonly hold: (request: HoldRequest) => HoldReply;
  readonly doctor: () => Promise<DoctorReply>;
  readonly orphans: OrphanCollection;
  readonly tools: VolumeTools;
  readonly trash: TrashRecords;
  /** After which the trash is emptied by itself; undefined: never. */
  readonly trashGraceMs: number | undefined;
}

export class DaemonControl implements ControlHandlers {
  readonly #options: DaemonControlOptions;
  readonly #views: { readonly [K in ResourceKind]: (filter: GetFilter) => Awaitable<GetReplies[K]> };

  constructor(options: DaemonControlOptions) {
    this.#options = options;
    const { snapshot, events, manifests } = options;
    this.#views = {
      pods: (filter) => listOf(podViews(snapshot(), namespacedObject(filter))),
      statefulsets: () => listOf(statefulSetViews(snapshot())),
      persistentvolumeclaims: () => listOf(snapshot().objects.list('PersistentVolumeClaim')),
      persistentvolumes: () => listOf(snapshot().objects.list('PersistentVolume')),
      storageclasses: () => listOf(snapshot().objects.list('StorageClass').map(classView)),
      volumesnapshots: () => listOf(snapshot().objects.list('VolumeSnapshot')),
      volumesnapshotclasses: () => listOf(snapshot().objects.list('VolumeSnapshotClass').map(classView)),
      volumesnapshotcontents: () => listOf(snapshot().objects.list('VolumeSnapshotContent')),
      nodes: () => listOf(nodeViews(snapshot())),
      volumes: () => ({ volumes: volumeViews(snapshot()) }),
      dsw: () => ({ volumes: dswView(snapshot()) }),
      asw: () => ({ volumes: aswView(snapshot()) }),
      operations: () => ({ operations: operationViews(snapshot()) }),
      events: () => ({ events: events() }),
      manifests: () => manifestsView(manifests()),
      trash: async () => ({ trash: await this.#trash() }),
    };
  }

  async #trash(): Promise<readonly TrashView[]> {
    const { orphans, trash, trashGraceMs } = this.#options;
    return trashViews((await orphans.look(0)).orphans, trash.list(), trashGraceMs);
  }

  version(): ReturnType<ControlHandlers['version']> {
    const { pid, startedAt, isReady } = this.#options;
    return { version: mooredVersion, protocol: protocolVersion, pid, startedAt, ready: isReady() };
  }

  get<K extends ResourceKind>(kind: K, filter: GetFilter): Awaitable<GetReplies[K]> {
    return this.#views[kind](filter);
  }

  changes(since: number | undefined, signal: AbortSignal): Promise<ChangesReply> {
    return this.#options.revision.after(since, signal).then((revision) => ({ revision }));
  }

  plan(request: PlanRequest): Promise<PlanReply> {
    return this.#options.plan(request);
  }

  explain(kind: ExplainableKind, namespace: string, name: string): ExplainNode {
    const snapshot = this.#options.snapshot();
    const key = objectKey(kindOf[kind], namespace, name);
    const object = snapshot.objects.get(key);
    if (object?.kind === 'Pod') return explainPod(object, snapshot);
    if (object?.kind === 'StatefulSet') return explainStatefulSet(object, snapshot);
    if (object?.kind === 'PersistentVolumeClaim') return explainClaim(object, snapshot);
    throw new ControlError('NotFound', `Cannot explain "${key}": there is no such object`);
  }

  drain(): Promise<DrainReply> {
    return this.#options.drain();
  }

  hold(request: HoldRequest): HoldReply {
    return this.#options.hold(request);
  }

  doctor(): Promise<DoctorReply> {
    return this.#options.doctor();
  }

  orphans(): Promise<OrphansReply> {
    return this.#options.orphans.list(this.#graceMs);
  }

  gc({ olderThanMs = this.#graceMs, ...request }: GcRequest): Promise<GcReply> {
    return this.#options.orphans.collect({ ...request, graceMs: olderThanMs });
  }

  async volumes(request: VolumeRequest): Promise<VolumeReply> {
    try {
      return { results: await runVolumeRequest(request, this.#options.tools) };
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      const { hint } = error.facts;
      const message = hint === undefined ? error.message : `${error.message}\n${hint}`;
      throw new ControlError(error.code === 'NotFound' ? 'NotFound' : 'BadRequest', message);
    }
  }

  get #graceMs(): number {
    return this.#options.trashGraceMs ?? defaultGraceMs;
  }
}

const kindOf: Readonly<Record<ExplainableKind, Kind>> = {
  pods: 'Pod',
  persistentvolumeclaims: 'PersistentVolumeClaim',
  statefulsets: 'StatefulSet',
};

function runVolumeRequest(request: VolumeRequest, tools: VolumeTools): Promise<VolumeReply['results']> {
  switch (request.verb) {
    case 'undelete':
      return tools.undelete(request.name);
    case 'release':
      return tools.release(request.name);
    case 'adopt':
      return tools.adopt(request);
    case 'recover':
      return tools.recover(request.execute);
  }
}

function listOf<View extends ObjectView>(items: readonly View[]): ObjectListReply<View> {
  return { apiVersion: 'v1', kind: 'List', items };
}

/** Classes have their fields at the top level. */
function classView<Spec extends object, Rest>({
  spec,
  ...object
}: Rest & { readonly spec: Spec }): Omit<Rest, 'spec'> & Spec {
  return { ...object, ...spec };
}
