import type {
  ChangesReply,
  ControlErrorCode,
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
} from './protocol.ts';

export type Awaitable<T> = T | Promise<T>;

/** What the daemon answers: one method a route of the protocol. A thrown ControlError becomes its status, any other 500. */
export interface ControlHandlers {
  version(): Awaitable<VersionReply>;
  /** The server applies the filter to what comes back; a handler may use it to do less work. */
  get<K extends ResourceKind>(kind: K, filter: GetFilter): Awaitable<GetReplies[K]>;
  /**
   * Resolves once the revision is not `since` (at once when that is undefined), and no later than when the signal
   * aborts: the client went away, 25 s are over, or the server closes. Never rejects for an abort.
   */
  changes(since: number | undefined, signal: AbortSignal): Awaitable<ChangesReply>;
  plan(request: PlanRequest): Awaitable<PlanReply>;
  /** Throws ControlError NotFound when there is no such object. */
  explain(kind: ExplainableKind, namespace: string, name: string): Awaitable<ExplainNode>;
  drain(): Awaitable<DrainReply>;
  /** Throws ControlError BadRequest when the instance names no pod or more than one. */
  hold(request: HoldRequest): Awaitable<HoldReply>;
  doctor(): Awaitable<DoctorReply>;
  orphans(): Awaitable<OrphansReply>;
  gc(request: GcRequest): Awaitable<GcReply>;
  /** Throws ControlError NotFound or BadRequest for what cannot be done. */
  volumes(request: VolumeRequest): Awaitable<VolumeReply>;
}

export const httpStatus: Readonly<Record<ControlErrorCode, number>> = {
  BadRequest: 400,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  RequestTimeout: 408,
  PayloadTooLarge: 413,
  Internal: 500,
  Unavailable: 503,
};

/** A request that cannot be served, with the reason that the client shows. */
export class ControlError extends Error {
  readonly code: ControlErrorCode;

  constructor(code: ControlErrorCode, message: string) {
    super(message);
    this.name = 'ControlError';
    this.code = code;
  }
}
