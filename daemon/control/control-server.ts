import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { builtinHttp } from './builtin-http.ts';
import { ConnectionTable } from './connection-table.ts';
import { ControlError, type ControlHandlers, httpStatus } from './control-handlers.ts';
import { type ErrorReply, protocolHeader, protocolVersion } from './protocol.ts';
import { readBody } from './request-body.ts';
import { findRoute } from './routes.ts';
import { listenOnSocketFile } from './socket-file.ts';

export interface ControlLimits {
  readonly maxBodyBytes: number;
  readonly maxConnections: number;
  /** From the connection to the end of the headers. */
  readonly headersTimeoutMs: number;
  /** From the connection to the end of the body. */
  readonly requestTimeoutMs: number;
  /** A client that does not read its answer is cut off after this long without progress. */
  readonly replyTimeoutMs: number;
  /** GET /v1/changes answers after this long even if nothing changed. */
  readonly longPollMs: number;
  /** How long close() waits for requests in flight. */
  readonly closeGraceMs: number;
}

const defaultControlLimits: ControlLimits = {
  maxBodyBytes: 4 * 1024 * 1024,
  maxConnections: 64,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 30_000,
  replyTimeoutMs: 30_000,
  longPollMs: 25_000,
  closeGraceMs: 5_000,
};

export interface ControlServerOptions {
  readonly socketPath: string;
  readonly handlers: ControlHandlers;
  /** Asked once for every connection, e.g. with SO_PEERCRED; false is answered with 403 Forbidden. Default: all may. */
  readonly authorize?: (socket: Socket) => boolean;
  /** Told of what went wrong inside a handler; the client gets the message as 500. `request` is "GET /v1/version". */
  readonly onError?: (error: unknown, request: string) => void;
  readonly limits?: Partial<ControlLimits>;
}

/** Serves the protocol on a unix socket; resolves when it listens. Each connection carries one request. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const server = new ControlServer(options);
  await server.listen();
  return server;
}

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #limits: ControlLimits;
  readonly #http: Server;
  readonly #connections: ConnectionTable;
  readonly #closing = new AbortController();
  readonly #unauthorized = new WeakSet<Socket>();

  /** Use startControlServer. */
  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultControlLimits, ...options.limits };
    this.#connections = new ConnectionTable(this.#limits.maxConnections);
    this.#http = builtinHttp.createServer({
      headersTimeout: this.#limits.headersTimeoutMs,
      requestTimeout: this.#limits.requestTimeoutMs,
      connectionsCheckingInterval: this.#limits.headersTimeoutMs,
      maxHeaderSize: 16 * 1024,
      // Node would answer a request without one itself, without our header; a unix socket has no other host.
      requireHostHeader: false,
    });
    this.#http.on('connection', (socket: Socket) => this.#onConnection(socket));
    this.#http.on('request', (request, response) => void this.#onRequest(request, response));
    // "Expect: x" of another kind than 100-continue: Node's own answer, 417, would not be in our protocol.
    this.#http.on('checkExpectation', (request, response) => void this.#onRequest(request, response));
    this.#http.on('clientError', (error: NodeJS.ErrnoException, socket) => refuse(socket as Socket, asRefusal(error)));
  }

  /** Use startControlServer. */
  async listen(): Promise<void> {
    await listenOnSocketFile(this.#http, this.#options.socketPath);
    // accept(2) may fail later (EMFILE); without a listener that would end the process.
    this.#http.on('error', (error) => this.#options.onError?.(error, 'accept'));
  }

  /** Takes no new connection, ends the long polls, waits for requests in flight, then removes the socket file. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#closing.abort();
    this.#connections.dropSilent();
    const force = setTimeout(() => this.#connections.dropAll(), this.#limits.closeGraceMs);
    await closed;
    clearTimeout(force);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #onConnection(socket: Socket): void {
    if (!this.#connections.admit(socket)) {
      if (this.#connections.admitToRefuse(socket)) refuse(socket, tooManyConnections);
      else socket.destroy();
      return;
    }
    if (this.#options.authorize?.(socket) === false) this.#unauthorized.add(socket);
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    if (!this.#connections.markAsBusy(socket)) return;
    try {
      this.#reply(response, 200, await this.#answer(request, response));
    } catch (error) {
      // A client that left in the middle is nobody's failure.
      if (response.destroyed || socket.destroyed) return;
      const reason = this.#reasonOf(error, `${request.method} ${request.url}`);
      this.#reply(response, httpStatus[reason.code], errorReply(reason));
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    if (this.#unauthorized.has(request.socket)) {
      throw new ControlError('Forbidden', 'Cannot serve the request: this user may not use the socket');
    }
    const url = parseUrl(request.url ?? '');
    const route = findRoute(url.pathname, this.#options.handlers);
    if (request.method !== route.method) {
      response.setHeader('allow', route.method);
      throw new ControlError('MethodNotAllowed', `Cannot ${request.method} "${url.pathname}": use ${route.method}`);
    }
    return await route.answer({
      query: url.searchParams,
      longPoll: () => this.#longPollSignal(response),
      body: () => readBody(request, this.#limits.maxBodyBytes),
    });
  }

  #longPollSignal(response: ServerResponse): AbortSignal {
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), this.#limits.longPollMs);
    response.once('close', () => {
      clearTimeout(timer);
      over.abort();
    });
    return AbortSignal.any([over.signal, this.#closing.signal]);
  }

  #reasonOf(error: unknown, request: string): ControlError {
    if (error instanceof ControlError) return error;
    this.#options.onError?.(error, request);
    return new ControlError('Internal', error instanceof Error ? error.message : String(error));
  }

  #reply(response: ServerResponse, status: number, body: unknown): void {
    const text = JSON.stringify(body);
    const { socket } = response;
    socket?.setTimeout(this.#limits.replyTimeoutMs, () => socket.destroy());
    response.writeHead(status, { ...replyHeaders, 'content-type': 'application/json' });
    response.end(text);
  }
}

const tooManyConnections = new ControlError('Unavailable', 'Cannot serve the request: too many connections');

const refusalLingerMs = 1_000;

const replyHeaders = { [protocolHeader]: protocolVersion, connection: 'close' };

function errorReply({ code, message }: ControlError): ErrorReply {
  return { error: { code, message } };
}

function parseUrl(url: string): URL {
  const parsed = URL.parse(url, 'http://moored');
  if (parsed === null) throw new ControlError('BadRequest', `Cannot read the request: "${url}" is not a path`);
  return parsed;
}

/** What node:http found wrong before there was a request (https://nodejs.org/api/http.html#event-clienterror). */
function asRefusal(error: NodeJS.ErrnoException): ControlError {
  return error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
    ? new ControlError('RequestTimeout', 'Cannot read the request: it did not arrive in time')
    : new ControlError('BadRequest', `Cannot read the request: ${error.message}`);
}

/**
 * Answers on a connection that has no request to answer, and ends it. It is destroyed only when the client has closed
 * its side or after a moment: closing with unread input would reset it and the answer would be lost.
 */
function refuse(socket: Socket, reason: ControlError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = httpStatus[reason.code];
  const body = JSON.stringify(errorReply(reason));
  const headers = { ...replyHeaders, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${builtinHttp.STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  socket.setTimeout(refusalLingerMs, () => socket.destroy());
  socket.resume();
}
