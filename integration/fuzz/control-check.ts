/** What must hold for a server that hostile clients talk to: it answers them in its protocol, and a good one all the while. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlClient } from '../../daemon/control/control-client.ts';
import { protocolHeader, protocolVersion } from '../../daemon/control/protocol.ts';
import { type RunningStub, startStub } from '../control/running-stub.ts';
import type { HostileClient } from './control-generator.ts';

/** Short, so that every limit is met many times; a connection is over after this long, whatever the client does. */
const limits = { headersTimeoutMs: 300, requestTimeoutMs: 400, replyTimeoutMs: 400, longPollMs: 100 };
/** Milliseconds after which a connection that the server should have ended is a finding; generous, for a busy machine. */
const longestConversation = 20_000;

export class ControlTarget implements AsyncDisposable {
  readonly #stub: RunningStub;
  readonly #errors: string[];

  private constructor(stub: RunningStub, errors: string[]) {
    this.#stub = stub;
    this.#errors = errors;
  }

  static async start(): Promise<ControlTarget> {
    const errors: string[] = [];
    const stub = await startStub({
      limits,
      onError: (error) => errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error)),
    });
    return new ControlTarget(stub, errors);
  }

  get socketPath(): string {
    return this.#stub.socketPath;
  }

  /** Talks as each of these clients at once, and meanwhile as a good one. Throws with what does not hold. */
  async check(clients: readonly HostileClient[]): Promise<void> {
    const hostile = clients.map((client) => this.#converse(client));
    const [answers] = await Promise.all([Promise.all(hostile), this.#goodClient()]);
    for (const answer of answers) checkAnswer(answer);
    const [error] = this.#errors.splice(0);
    if (error !== undefined) throw new Error(`a handler failed: ${error}`);
    for (const { execute } of this.#stub.handlers.collected.splice(0)) {
      if (typeof execute !== 'boolean') throw new Error('gc was asked with something that is no boolean');
    }
    this.#stub.handlers.planned.length = 0;
  }

  async #goodClient(): Promise<void> {
    const client = new ControlClient(this.#stub.socketPath);
    for (let count = 0; count < 3; count += 1) {
      const { pid } = await client.version();
      if (pid !== 4242) throw new Error(`the good client was answered by pid ${pid}`);
    }
    const { items } = await client.get('pods');
    if (items.length !== 2) throw new Error(`the good client sees ${items.length} pods`);
  }

  /** What the server answered until the connection was over. */
  #converse({ pieces, pauseMs, ending, reads }: HostileClient): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const socket = connect({ path: this.#stub.socketPath, allowHalfOpen: true });
    const deadline = setTimeout(
      () => reject(new Error('the server let a connection live for ever')),
      longestConversation,
    );
    let answer = '';
    let isAlive = true;
    const over = (): void => {
      isAlive = false;
      clearTimeout(deadline);
      socket.destroy();
      resolve(answer);
    };
    socket.on('error', over).on('close', over).on('end', over);
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer = (answer + text).slice(0, 100_000);
    });
    if (!reads) socket.pause();
    void (async () => {
      for (const [index, piece] of pieces.entries()) {
        if (index > 0) await sleep(pauseMs);
        if (!isAlive) return;
        socket.write(piece);
      }
      if (ending === 'destroy') over();
      if (ending === 'end') socket.end();
      // A client that reads nothing never sees the end of it either: it looks once the server has had its time.
      if (!reads) setTimeout(() => socket.resume(), 2 * limits.replyTimeoutMs);
    })();
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stub[Symbol.asyncDispose]();
  }
}

/** Nothing at all, or answers of ours; `HTTP/1.1 100 Continue` is Node's own. */
function checkAnswer(answer: string): void {
  const text = answer.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  if (text === '' || text.length < 20) return;
  const [head = ''] = text.split('\r\n\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  const isOurs = head.toLowerCase().includes(`${protocolHeader}: ${protocolVersion}`);
  if (!(status >= 200 && status < 600) || !isOurs)
    throw new Error(`not an answer of moored: ${JSON.stringify(text.slice(0, 200))}`);
  if (status === 500) throw new Error(`an input became an Internal error: ${JSON.stringify(text.slice(-300))}`);
}
