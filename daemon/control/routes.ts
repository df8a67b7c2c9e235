import { type Awaitable, ControlError, type ControlHandlers } from './control-handlers.ts';
import {
  type ExplainableKind,
  explainableKinds,
  type GcRequest,
  type GetFilter,
  type HoldRequest,
  type PlanRequest,
  protocolVersion,
  type ResourceKind,
  resourceKinds,
} from './protocol.ts';
import { filterReply } from './reply-filter.ts';
import { readVolumeRequest } from './volume-request.ts';

/** What a route may use of a request; `body` reads it, so only a route that wants one waits for it. */
export interface RouteRequest {
  readonly query: URLSearchParams;
  /** A signal that aborts when the client is gone, the server closes or the long poll is over. */
  readonly longPoll: () => AbortSignal;
  readonly body: () => Promise<string>;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  answer(request: RouteRequest): Awaitable<unknown>;
}

/** The route of a path like "/v1/get/pods"; throws ControlError NotFound when there is none. */
export function findRoute(pathname: string, handlers: ControlHandlers): Route {
  const [root, version, name, ...rest] = pathname.split('/').map(decodeSegment);
  const route = root === '' && version === protocolVersion ? routeNamed(name ?? '', rest, handlers) : undefined;
  if (route === undefined) {
    throw new ControlError('NotFound', `Cannot serve "${pathname}": no such route in protocol ${protocolVersion}`);
  }
  return route;
}

function routeNamed(name: string, rest: readonly string[], handlers: ControlHandlers): Route | undefined {
  if (name === 'get' && rest.length === 1) return getRoute(rest[0] ?? '', handlers);
  if (name === 'explain' && rest.length === 3) return explainRoute(rest, handlers);
  return rest.length === 0 ? plainRoute(name, handlers) : undefined;
}

function plainRoute(name: string, handlers: ControlHandlers): Route | undefined {
  switch (name) {
    case 'version':
      return { method: 'GET', answer: () => handlers.version() };
    case 'changes':
      return { method: 'GET', answer: ({ query, longPoll }) => handlers.changes(revisionOf(query), longPoll()) };
    case 'plan':
      return { method: 'POST', answer: async ({ body }) => handlers.plan(parsePlanRequest(await body())) };
    case 'drain':
      return { method: 'POST', answer: () => handlers.drain() };
    case 'hold':
      return { method: 'POST', answer: async ({ body }) => handlers.hold(parseHoldRequest(await body())) };
    case 'doctor':
      return { method: 'GET', answer: () => handlers.doctor() };
    case 'orphans':
      return { method: 'GET', answer: () => handlers.orphans() };
    case 'gc':
      return { method: 'POST', answer: async ({ body }) => handlers.gc(parseGcRequest(await body())) };
    case 'volumes':
      return {
        method: 'POST',
        answer: async ({ body }) => handlers.volumes(readVolumeRequest(parseJson(await body()))),
      };
    default:
      return undefined;
  }
}

function getRoute(kind: string, handlers: ControlHandlers): Route {
  const known = resourceKinds.find((candidate) => candidate === kind);
  if (known === undefined) throw unknownKind('get', kind, resourceKinds);
  return { method: 'GET', answer: ({ query }) => answerGet(known, filterOf(query), handlers) };
}

async function answerGet(kind: ResourceKind, filter: GetFilter, handlers: ControlHandlers): Promise<unknown> {
  return filterReply(kind, await handlers.get(kind, filter), filter);
}

function explainRoute([kind, namespace, name]: readonly string[], handlers: ControlHandlers): Route {
  const known: ExplainableKind | undefined = explainableKinds.find((candidate) => candidate === kind);
  if (known === undefined) throw unknownKind('explain', kind ?? '', explainableKinds);
  return { method: 'GET', answer: () => handlers.explain(known, namespace ?? '', name ?? '') };
}

function unknownKind(verb: string, kind: string, accepted: readonly string[]): ControlError {
  return new ControlError('NotFound', `Cannot ${verb} "${kind}": unknown kind, known are ${accepted.join(', ')}`);
}

function filterOf(query: URLSearchParams): GetFilter {
  const namespace = query.get('namespace');
  const name = query.get('name');
  return { ...(namespace === null ? {} : { namespace }), ...(name === null ? {} : { name }) };
}

function revisionOf(query: URLSearchParams): number | undefined {
  const since = query.get('since');
  if (since === null) return undefined;
  if (!/^\d{1,15}$/.test(since)) {
    throw new ControlError('BadRequest', `Cannot wait for changes since "${since}": not a revision`);
  }
  return Number(since);
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ControlError('BadRequest', `Cannot read the path segment "${segment}": broken percent encoding`);
  }
}

function parsePlanRequest(text: string): PlanRequest {
  const value = parseJson(text);
  const files: unknown = isRecord(value) ? value['files'] : undefined;
  if (!Array.isArray(files) || !files.every(isPlanFile)) {
    throw new ControlError('BadRequest', 'Cannot read the plan request: wanted {"files": [{"name", "text"}, …]}');
  }
  return { files: files.map(({ name, text: content }) => ({ name, text: content })) };
}

function parseHoldRequest(text: string): HoldRequest {
  const value = parseJson(text);
  if (!isRecord(value) || typeof value['instance'] !== 'string' || typeof value['unit'] !== 'string') {
    throw new ControlError('BadRequest', 'Cannot read the hold request: wanted {"instance", "unit"}');
  }
  return { instance: value['instance'], unit: value['unit'] };
}

/** Taken literally: what is not quite said would be something else removed than was meant. */
function parseGcRequest(text: string): GcRequest {
  const value = parseJson(text);
  const { names, all, execute, olderThanMs } = isRecord(value) ? value : {};
  const isLegal =
    Array.isArray(names) &&
    names.every((name) => typeof name === 'string') &&
    typeof all === 'boolean' &&
    typeof execute === 'boolean' &&
    (olderThanMs === undefined || (typeof olderThanMs === 'number' && olderThanMs >= 0));
  if (isLegal) return { names, all, execute, ...(olderThanMs === undefined ? {} : { olderThanMs }) };
  throw new ControlError(
    'BadRequest',
    'Cannot read the gc request: wanted {"names": [PATH, …], "all": false, "execute": false, "olderThanMs": 0}',
  );
}

function isPlanFile(value: unknown): value is PlanRequest['files'][number] {
  return isRecord(value) && typeof value['name'] === 'string' && typeof value['text'] === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new ControlError('BadRequest', `Cannot read the request: its body is not JSON: ${cause}`);
  }
}
