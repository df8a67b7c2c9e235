import { ControlError, type ControlHandlers } from '../../daemon/control/control-handlers.ts';
import type {
  ChangesReply,
  DoctorReply,
  DrainReply,
  ExplainableKind,
  ExplainNode,
  GcReply,
  GcRequest,
  GetFilter,
  GetReplies,
  HoldReply,
  HoldRequest,
  OrphansReply,
  PlanReply,
  PlanRequest,
  ResourceKind,
  VersionReply,
  VolumeReply,
  VolumeRequest,
} from '../../daemon/control/protocol.ts';
import { mooredVersion, protocolVersion } from '../../daemon/control/protocol.ts';

/** Everything the stub daemon says; tests replace parts of it with change(). */
export interface StubState {
  readonly replies: GetReplies;
  readonly explain: Readonly<Record<string, ExplainNode>>;
  readonly plan: PlanReply;
  readonly drain: DrainReply;
  readonly hold: HoldReply;
  readonly doctor: DoctorReply;
  readonly orphans: OrphansReply;
  readonly gc: GcReply;
  readonly ready: boolean;
}

/** A daemon without volumes: it keeps a state and a revision, and wakes long polls when the state changes. */
export class StubHandlers implements ControlHandlers {
  state: StubState;
  readonly planned: PlanRequest[] = [];
  readonly holds: HoldRequest[] = [];
  readonly collected: GcRequest[] = [];
  readonly asked: VolumeRequest[] = [];
  readonly #looks = new Map<ResourceKind, number>();
  #revision = 1;
  readonly #waiting = new Set<() => void>();

  constructor(state: StubState) {
    this.state = state;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  change(part: Partial<StubState>): void {
    this.state = { ...this.state, ...part };
    this.#revision += 1;
    for (const wake of this.#waiting) wake();
  }

  version(): VersionReply {
    const startedAt = '2026-01-02T03:04:05Z';
    return { version: mooredVersion, protocol: protocolVersion, pid: 4242, startedAt, ready: this.state.ready };
  }

  /** How often a kind was asked for. */
  looks(kind: ResourceKind): number {
    return this.#looks.get(kind) ?? 0;
  }

  get<K extends ResourceKind>(kind: K, _filter: GetFilter): GetReplies[K] {
    this.#looks.set(kind, this.looks(kind) + 1);
    return this.state.replies[kind];
  }

  async changes(since: number | undefined, signal: AbortSignal): Promise<ChangesReply> {
    if (since === this.#revision && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
    return { revision: this.#revision };
  }

  plan(request: PlanRequest): PlanReply {
    this.planned.push(request);
    return this.state.plan;
  }

  explain(kind: ExplainableKind, namespace: string, name: string): ExplainNode {
    const node = this.state.explain[`${kind}/${namespace}/${name}`];
    if (node === undefined) throw new ControlError('NotFound', `Cannot explain "${namespace}/${name}": no such object`);
    return node;
  }

  drain(): DrainReply {
    return this.state.drain;
  }

  hold(request: HoldRequest): HoldReply {
    this.holds.push(request);
    return this.state.hold;
  }

  volumes(request: VolumeRequest): VolumeReply {
    this.asked.push(request);
    return { results: [{ subject: 'pv/x', state: 'done', message: request.verb }] };
  }

  doctor(): DoctorReply {
    return this.state.doctor;
  }

  orphans(): OrphansReply {
    return this.state.orphans;
  }

  gc(request: GcRequest): GcReply {
    this.collected.push(request);
    return this.state.gc;
  }
}
