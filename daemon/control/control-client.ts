import type { IncomingMessage } from 'node:http';
import { builtinHttp } from './builtin-http.ts';
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
  type OrphansReply,
  type PlanReply,
  type PlanRequest,
  protocolHeader,
  protocolVersion,
  type ResourceKind,
  type VersionReply,
  type VolumeReply,
  type VolumeRequest,
} from './protocol.ts';

/** Milliseconds. A long poll lasts up to 25 s on the server; a drain waits for every unmount. */
const deadlines = { plain: 10_000, changes: 35_000, plan: 60_000, drain: 600_000 };
const maxReplyBytes = 256 * 1024 * 1024;
/** A GET that lost its connection before an answer (a full server drops silent ones) is asked again after these waits. */
const retryDelaysMs = [20, 100];

/** Nobody answers on the socket. The message names the socket and what to do. */
export class DaemonUnreachableError extends Error {
  readonly socketPath: string;
  readonly code: string;

  constructor(socketPath: string, code: string, cause: string, options?: ErrorOptions) {
    const hint = code === 'EACCES' ? 'run moorctl as root' : 'see: systemctl status moored';
    super(`Cannot reach moored at "${socketPath}": ${cause}; ${hint}`, options);
    this.name = 'DaemonUnreachableError';
    this.socketPath = socketPath;
    this.code = code;
  }
}

/** Something answers, but in another version of the protocol, or it is not moored. */
export class ProtocolMismatchError extends Error {
  constructor(socketPath: string, answered: string | undefined) {
    const found = answered === undefined ? "the answer is not moored's" : `it speaks protocol "${answered}"`;
    super(`Cannot talk to "${socketPath}": ${found}, wanted "${protocolVersion}"; restart moored after an upgrade`);
    this.name = 'ProtocolMismatchError';
  }
}

/** The daemon refused the request; `code` is the ErrorReply's. */
export class ControlReplyError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'ControlReplyError';
    this.code = code;
  }
}

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks the daemon over its socket, one connection a call. Rejects with DaemonUnreachableError, ProtocolMismatchError,
 * ControlReplyError, or the reason of an aborted signal.
 */
export class ControlClient {
  readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  async version(signal?: AbortSignal): Promise<VersionReply> {
    return await this.#get<VersionReply>('/version', deadlines.plain, signal);
  }

  async get<K extends ResourceKind>(kind: K, filter: GetFilter = {}, signal?: AbortSignal): Promise<GetReplies[K]> {
    const query = new URLSearchParams({ ...filter }).toString();
    return await this.#get<GetReplies[K]>(`/get/${kind}${query === '' ? '' : `?${query}`}`, deadlines.plain, signal);
  }

  /** The daemon's revision: at once without `since` or when it differs from that, else after a change or 25 s. */
  async changes(since: number | undefined, signal?: AbortSignal): Promise<ChangesReply> {
    const query = since === undefined ? '' : `?since=${since}`;
    return await this.#get<ChangesReply>(`/changes${query}`, deadlines.changes, signal);
  }

  async plan(body: PlanRequest, signal?: AbortSignal): Promise<PlanReply> {
    return (await this.#call({ method: 'POST', path: '/plan', body, deadlineMs: deadlines.plan, signal })) as PlanReply;
  }

  async explain(kind: ExplainableKind, namespace: string, name: string, signal?: AbortSignal): Promise<ExplainNode> {
    const path = `/explain/${kind}/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
    return await this.#get<ExplainNode>(path, deadlines.plain, signal);
  }

  async drain(signal?: AbortSignal): Promise<DrainReply> {
    return (await this.#call({ method: 'POST', path: '/drain', deadlineMs: deadlines.drain, signal })) as DrainReply;
  }

  async hold(body: HoldRequest, signal?: AbortSignal): Promise<HoldReply> {
    return (await this.#call({
      method: 'POST',
      path: '/hold',
      body,
      deadlineMs: deadlines.plain,
      signal,
    })) as HoldReply;
  }

  async doctor(signal?: AbortSignal): Promise<DoctorReply> {
    return await this.#get<DoctorReply>('/doctor', deadlines.plan, signal);
  }

  async orphans(signal?: AbortSignal): Promise<OrphansReply> {
    return await this.#get<OrphansReply>('/orphans', deadlines.plan, signal);
  }

  async gc(body: GcRequest, signal?: AbortSignal): Promise<GcReply> {
    return (await this.#call({ method: 'POST', path: '/gc', body, deadlineMs: deadlines.plan, signal })) as GcReply;
  }

  async volumes(body: VolumeRequest, signal?: AbortSignal): Promise<VolumeReply> {
    const call = { method: 'POST', path: '/volumes', body, deadlineMs: deadlines.plan, signal } as const;
    return (await this.#call(call)) as VolumeReply;
  }

  async #get<Reply>(path: string, deadlineMs: number, signal: AbortSignal | undefined): Promise<Reply> {
    for (const delayMs of retryDelaysMs) {
      try {
        return (await this.#call({ method: 'GET', path, deadlineMs, signal })) as Reply;
      } catch (error) {
        if (!(error instanceof DaemonUnreachableError && error.code === 'ECONNRESET')) throw error;
        await new Promise((resolve) => setTimeout(resolve, delayMs));
      }
    }
    return (await this.#call({ method: 'GET', path, deadlineMs, signal })) as Reply;
  }

  async #call(call: Call): Promise<unknown> {
    const deadline = AbortSignal.timeout(call.deadlineMs);
    const signal = call.signal === undefined ? deadline : AbortSignal.any([call.signal, deadline]);
    try {
      const response = await this.#send(call, signal);
      const text = await readReply(response);
      const spoken = response.headers[protocolHeader];
      if (spoken !== protocolVersion) throw new ProtocolMismatchError(this.socketPath, headerText(spoken));
      return parseReply(text, response.statusCode ?? 0);
    } catch (error) {
      call.signal?.throwIfAborted();
      if (deadline.aborted) throw this.#unreachable('ETIMEDOUT', `no answer within ${call.deadlineMs / 1000} s`, error);
      const code = codeOf(error);
      const reason = unreachableReasons[code];
      if (reason !== undefined) throw this.#unreachable(code, reason, error);
      // llhttp's parse errors: whatever answers does not speak HTTP.
      if (code.startsWith('HPE_')) throw new ProtocolMismatchError(this.socketPath, undefined);
      throw error;
    }
  }

  #send({ method, path, body }: Call, signal: AbortSignal): Promise<IncomingMessage> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string | number> =
      payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
    return new Promise((resolve, reject) => {
      const options = { socketPath: this.socketPath, path: `/${protocolVersion}${path}`, method, headers, signal };
      const request = builtinHttp.request({ ...options, agent: false }, resolve);
      request.once('error', reject);
      request.end(payload);
    });
  }

  #unreachable(code: string, cause: string, error: unknown): DaemonUnreachableError {
    return new DaemonUnreachableError(this.socketPath, code, cause, { cause: error });
  }
}

const unreachableReasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ECONNREFUSED: 'no process listens there',
  EACCES: 'permission denied',
  EAGAIN: 'too many connections wait already',
  ECONNRESET: 'the connection was closed without an answer',
  EPIPE: 'the connection was closed without an answer',
  ENOTSOCK: 'not a socket',
  ENOTDIR: 'not a directory is in its path',
};

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

async function readReply(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxReplyBytes) throw new Error(`Cannot read moored's answer: it is longer than ${maxReplyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function headerText(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(', ');
}

function parseReply(text: string, status: number): unknown {
  let reply: unknown;
  try {
    reply = JSON.parse(text);
  } catch (error) {
    throw new Error("Cannot read moored's answer: it is not JSON", { cause: error });
  }
  if (status >= 200 && status < 300) return reply;
  const { code, message } = errorOf(reply);
  throw new ControlReplyError(code, message);
}

function errorOf(reply: unknown): { readonly code: string; readonly message: string } {
  const error: unknown = typeof reply === 'object' && reply !== null && 'error' in reply ? reply.error : undefined;
  if (typeof error === 'object' && error !== null && 'code' in error && 'message' in error) {
    return { code: String(error.code), message: String(error.message) };
  }
  return { code: 'Internal', message: "Cannot read moored's answer: an error without a reason" };
}
