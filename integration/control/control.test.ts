import { spawn } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  ControlClient,
  ControlReplyError,
  DaemonUnreachableError,
  ProtocolMismatchError,
} from '../../daemon/control/control-client.ts';
import { type ErrorReply, protocolHeader } from '../../daemon/control/protocol.ts';
import { eventually, freshSocketPath, removeDirectories, startStub } from './running-stub.ts';
import { stubState, web } from './stub-state.ts';

interface RawReply {
  readonly status: number;
  readonly head: string;
  readonly body: unknown;
}

function opened(socketPath: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath, allowHalfOpen: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

function replyOn(socket: Socket): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    socket.once('error', reject);
    socket.once('end', () => {
      const [head = '', ...rest] = text.split('\r\n\r\n');
      socket.destroy();
      if (head === '') return reject(new Error('closed without an answer'));
      const body = rest
        .join('\r\n\r\n')
        .replace(/^[\da-f]+\r\n/i, '')
        .replace(/\r\n0\r\n.*$/s, '');
      resolve({ status: Number(head.split(' ')[1]), head, body: JSON.parse(body) });
    });
  });
}

/** Sends bytes as they are and reads the answer to its end. */
async function raw(socketPath: string, request: string): Promise<RawReply> {
  const socket = await opened(socketPath);
  const reply = replyOn(socket);
  socket.write(request);
  return await reply;
}

function error(code: string, message: string): unknown {
  return { error: { code, message } };
}

describe('the socket file', () => {
  test('has mode 0600 in a directory with mode 0700, whatever the umask, and is gone after close', async () => {
    const umask = process.umask(0);
    const stub = await startStub();
    process.umask(umask);
    expect(statSync(stub.socketPath).mode & 0o7777).toBe(0o600);
    expect(statSync(dirname(stub.socketPath)).mode & 0o7777).toBe(0o700);
    await stub.server.close();
    expect(existsSync(stub.socketPath)).toBe(false);
    removeDirectories(stub.socketPath);
  });

  test('leaves the umask as it was', async () => {
    const umask = process.umask(0o027);
    await using _stub = await startStub();
    expect(process.umask(umask)).toBe(0o027);
  });

  test('of a daemon that was killed is replaced', async () => {
    const socketPath = freshSocketPath();
    mkdirSync(dirname(socketPath), { mode: 0o700 });
    const script = `require('net').createServer().listen(${JSON.stringify(socketPath)}, () => console.log('up'))`;
    const dead = spawn(process.execPath, ['-e', script]);
    await new Promise((resolve) => dead.stdout.once('data', resolve));
    dead.kill('SIGKILL');
    await new Promise((resolve) => dead.once('close', resolve));
    expect(lstatSync(socketPath).isSocket()).toBe(true);
    await using stub = await startStub({ socketPath });
    expect(await new ControlClient(stub.socketPath).version()).toMatchObject({ pid: 4242 });
  });

  test('of a living daemon is left alone', async () => {
    await using stub = await startStub();
    await expect(startStub({ socketPath: stub.socketPath })).rejects.toThrow(
      `Cannot listen on "${stub.socketPath}": another process listens there`,
    );
    expect(await new ControlClient(stub.socketPath).version()).toMatchObject({ pid: 4242 });
  });

  test('a file that is not a socket is left alone', async () => {
    const socketPath = freshSocketPath();
    mkdirSync(dirname(socketPath), { mode: 0o700 });
    writeFileSync(socketPath, 'mine');
    await expect(startStub({ socketPath })).rejects.toThrow('a file that is not a socket lies there');
    expect(statSync(socketPath).size).toBe(4);
    unlinkSync(socketPath);
    removeDirectories(socketPath);
  });

  test('a directory that others may write to is refused', async () => {
    const socketPath = freshSocketPath();
    mkdirSync(dirname(socketPath));
    chmodSync(dirname(socketPath), 0o1777);
    await expect(startStub({ socketPath })).rejects.toThrow('others may write to directory');
    expect(existsSync(socketPath)).toBe(false);
    removeDirectories(socketPath);
  });
});

describe('requests that cannot be served', () => {
  test.each([
    ['GET', '/v1/nothing', 404, 'NotFound', 'Cannot serve "/v1/nothing": no such route in protocol v1'],
    ['GET', '/v2/version', 404, 'NotFound', 'Cannot serve "/v2/version": no such route in protocol v1'],
    ['GET', '/', 404, 'NotFound', 'Cannot serve "/": no such route in protocol v1'],
    ['GET', '/v1/version/x', 404, 'NotFound', 'Cannot serve "/v1/version/x": no such route in protocol v1'],
    ['GET', '/v1/explain/pods/default/no', 404, 'NotFound', 'Cannot explain "default/no": no such object'],
    ['GET', '/v1/%ff', 400, 'BadRequest', 'Cannot read the path segment "%ff": broken percent encoding'],
    ['GET', '/v1/changes?since=x', 400, 'BadRequest', 'Cannot wait for changes since "x": not a revision'],
    ['DELETE', '/v1/version', 405, 'MethodNotAllowed', 'Cannot DELETE "/v1/version": use GET'],
    ['GET', '/v1/drain', 405, 'MethodNotAllowed', 'Cannot GET "/v1/drain": use POST'],
  ])('%s %s', async (method, path, status, code, message) => {
    await using stub = await startStub();
    const reply = await raw(stub.socketPath, `${method} ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
    expect(reply.status).toBe(status);
    expect(reply.body).toEqual(error(code, message));
    expect(reply.head.toLowerCase()).toContain(`${protocolHeader}: v1`);
  });

  test.each([
    ['no Host', 'GET /v1/version HTTP/1.1\r\n\r\n'],
    ['an expectation of its own', 'GET /v1/version HTTP/1.1\r\nhost: x\r\nexpect: a miracle\r\n\r\n'],
  ])('a request with %s is answered in our protocol, not in Node’s', async (_what, request) => {
    await using stub = await startStub();
    const reply = await raw(stub.socketPath, request);
    expect(reply.status).toBe(200);
    expect(reply.head.toLowerCase()).toContain(`${protocolHeader}: v1`);
  });

  test('an unknown kind is answered with the known ones', async () => {
    await using stub = await startStub();
    const reply = await raw(stub.socketPath, 'GET /v1/get/flavours HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(reply.status).toBe(404);
    expect((reply.body as ErrorReply).error.message).toContain('known are pods, ');
  });

  test.each([
    ['{"files": [', 'its body is not JSON'],
    ['{}', 'wanted {"files": [{"name", "text"}, …]}'],
    ['{"files": [{"name": 1, "text": ""}]}', 'wanted {"files"'],
    ['null', 'wanted {"files"'],
  ])('bad JSON: %s', async (body, message) => {
    await using stub = await startStub();
    const head = `POST /v1/plan HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`;
    const reply = await raw(stub.socketPath, head + body);
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject({ error: { code: 'BadRequest' } });
    expect((reply.body as ErrorReply).error.message).toContain(message);
  });

  test('a body of 5 MiB, with or without its length', async () => {
    await using stub = await startStub();
    const client = new ControlClient(stub.socketPath);
    const text = 'x'.repeat(5 * 1024 * 1024);
    await expect(client.plan({ files: [{ name: 'a.yaml', text }] })).rejects.toMatchObject({
      code: 'PayloadTooLarge',
      message: 'Cannot read the request: its body is longer than 4194304 bytes',
    });
    const size = text.length.toString(16);
    const head = 'POST /v1/plan HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n';
    const reply = await raw(stub.socketPath, `${head}${size}\r\n${text}\r\n0\r\n\r\n`);
    expect(reply.status).toBe(413);
    expect(stub.handlers.planned).toEqual([]);
    expect(await client.plan({ files: [{ name: 'a.yaml', text: text.slice(0, 3 * 1024 * 1024) }] })).toEqual(
      stubState.plan,
    );
  });

  test('a body without an end is cut off', async () => {
    await using stub = await startStub({ limits: { maxBodyBytes: 1024 } });
    const socket = await opened(stub.socketPath);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.write('POST /v1/plan HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    const feed = setInterval(() => socket.write(`400\r\n${'x'.repeat(1024)}\r\n`), 1);
    await closed;
    clearInterval(feed);
  });

  test('what is not HTTP, and headers that are too long', async () => {
    await using stub = await startStub();
    expect((await raw(stub.socketPath, 'hello\r\n\r\n')).body).toMatchObject({ error: { code: 'BadRequest' } });
    const long = `GET /v1/version HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(64 * 1024)}\r\n\r\n`;
    expect((await raw(stub.socketPath, long)).body).toMatchObject({ error: { code: 'BadRequest' } });
  });

  test('a failing handler is told of, and answered with 500', async () => {
    const told: string[] = [];
    await using stub = await startStub({ onError: (thrown, request) => told.push(`${request}: ${String(thrown)}`) });
    stub.handlers.drain = () => {
      throw new Error('Cannot drain "x": the disk is gone');
    };
    const refused = new ControlClient(stub.socketPath).drain();
    await expect(refused).rejects.toThrow(ControlReplyError);
    await expect(refused).rejects.toMatchObject({ code: 'Internal', message: 'Cannot drain "x": the disk is gone' });
    expect(told).toEqual(['POST /v1/drain: Error: Cannot drain "x": the disk is gone']);
  });

  test('a peer that authorize() turns down', async () => {
    let asked = 0;
    await using stub = await startStub({
      authorize: (socket) => {
        asked += 1;
        return socket.destroyed;
      },
    });
    const client = new ControlClient(stub.socketPath);
    await expect(client.version()).rejects.toMatchObject({ code: 'Forbidden' });
    await expect(client.drain()).rejects.toMatchObject({ code: 'Forbidden' });
    expect(asked).toBe(2);
  });
});

describe('clients that mean no good', () => {
  test('a flood of 200 silent connections keeps nobody out', async () => {
    await using stub = await startStub();
    let closed = 0;
    const flood = await Promise.all(Array.from({ length: 200 }, () => opened(stub.socketPath)));
    for (const socket of flood) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        closed += 1;
      });
      socket.resume().on('end', () => socket.end());
    }
    const client = new ControlClient(stub.socketPath);
    for (let round = 0; round < 10; round += 1) expect(await client.version()).toMatchObject({ pid: 4242 });
    // 64 places, of which real clients took some.
    await eventually(() => closed >= 200 - 64);
    for (const socket of flood) socket.destroy();
  });

  test('200 long polls: 64 are served, the rest is refused, and all ends with the server', async () => {
    const stub = await startStub();
    const client = new ControlClient(stub.socketPath);
    const { revision } = await client.changes(undefined);
    const polls = Array.from({ length: 200 }, () => client.changes(revision).catch((thrown: unknown) => thrown));
    await eventually(() => stub.handlers.waiting === 64);
    const refusal = await client.version().catch((thrown: unknown) => thrown);
    expect(refusal).toMatchObject({ code: 'Unavailable', message: 'Cannot serve the request: too many connections' });
    await stub[Symbol.asyncDispose]();
    const answers = await Promise.all(polls);
    expect(answers.filter((answer) => !(answer instanceof Error))).toEqual(Array(64).fill({ revision }));
    const refused = answers.filter((answer) => answer instanceof Error);
    expect(
      refused.map(({ name }) => name).filter((name) => !/^(ControlReply|DaemonUnreachable)Error$/.test(name)),
    ).toEqual([]);
    expect(refused).toHaveLength(136);
  });

  test('a connection that never ends its headers gets 408 and is closed', async () => {
    await using stub = await startStub({ limits: { headersTimeoutMs: 100, requestTimeoutMs: 200 } });
    const reply = await raw(stub.socketPath, 'GET /v1/version HTTP/1.1\r\nhost:');
    expect(reply.status).toBe(408);
    expect(reply.body).toEqual(error('RequestTimeout', 'Cannot read the request: it did not arrive in time'));
  });

  test('a connection that never ends its body gets 408 and is closed', async () => {
    await using stub = await startStub({ limits: { headersTimeoutMs: 100, requestTimeoutMs: 200 } });
    const reply = await raw(stub.socketPath, 'POST /v1/plan HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{');
    expect(reply.status).toBe(408);
  });

  test('a half-open client, which has closed its side, still gets its answer', async () => {
    await using stub = await startStub();
    const socket = await opened(stub.socketPath);
    const reply = replyOn(socket);
    socket.end('GET /v1/version HTTP/1.1\r\nhost: x\r\n\r\n');
    expect((await reply).status).toBe(200);
  });

  test('a client that does not read its answer is cut off', async () => {
    // Only the timeout can end it here, for close() would wait longer than the test.
    await using stub = await startStub({ limits: { replyTimeoutMs: 100, closeGraceMs: 600_000 } });
    const items = Array.from({ length: 20_000 }, () => web);
    let isAsked = false;
    stub.handlers.get = () => {
      isAsked = true;
      return { apiVersion: 'v1', kind: 'List', items } as never;
    };
    const socket = await opened(stub.socketPath);
    socket.pause().on('error', () => undefined);
    socket.write('GET /v1/get/pods HTTP/1.1\r\nhost: x\r\n\r\n');
    await eventually(() => isAsked);
    await stub.server.close();
    socket.destroy();
  });

  test('a second request on one connection is not served', async () => {
    await using stub = await startStub();
    const plan = 'POST /v1/plan HTTP/1.1\r\nhost: x\r\ncontent-length: 12\r\n\r\n{"files":[]}';
    const reply = await raw(stub.socketPath, plan + plan);
    expect(reply.status).toBe(200);
    expect(stub.handlers.planned).toHaveLength(1);
  });
});

describe('the long poll', () => {
  test('answers at once without a revision or with another one', async () => {
    await using stub = await startStub();
    const client = new ControlClient(stub.socketPath);
    expect(await client.changes(undefined)).toEqual({ revision: 1 });
    expect(await client.changes(500)).toEqual({ revision: 1 });
  });

  test('wakes up on a change', async () => {
    await using stub = await startStub();
    const poll = new ControlClient(stub.socketPath).changes(1);
    await eventually(() => stub.handlers.waiting === 1);
    stub.handlers.change({});
    expect(await poll).toEqual({ revision: 2 });
    expect(stub.handlers.waiting).toBe(0);
  });

  test('ends when its time is over', async () => {
    await using stub = await startStub({ limits: { longPollMs: 50 } });
    expect(await new ControlClient(stub.socketPath).changes(1)).toEqual({ revision: 1 });
  });

  test('ends on the server when the client goes away', async () => {
    await using stub = await startStub();
    const leave = new AbortController();
    const poll = new ControlClient(stub.socketPath).changes(1, leave.signal);
    await eventually(() => stub.handlers.waiting === 1);
    leave.abort(new Error('enough'));
    await expect(poll).rejects.toThrow('enough');
    await eventually(() => stub.handlers.waiting === 0);
  });

  test('is answered by a closing server', async () => {
    const stub = await startStub();
    const poll = new ControlClient(stub.socketPath).changes(1);
    await eventually(() => stub.handlers.waiting === 1);
    await stub[Symbol.asyncDispose]();
    expect(await poll).toEqual({ revision: 1 });
  });
});

describe('close', () => {
  test('waits for a request in flight', async () => {
    const stub = await startStub();
    let finish = (): void => undefined;
    stub.handlers.drain = () =>
      new Promise((resolve) => {
        finish = () => resolve({ drained: true, remaining: [] });
      }) as never;
    const drained = new ControlClient(stub.socketPath).drain();
    await eventually(() => finish.toString().includes('resolve'));
    const closed = stub[Symbol.asyncDispose]();
    await expect(new ControlClient(stub.socketPath).version()).rejects.toThrow(DaemonUnreachableError);
    finish();
    expect(await drained).toEqual({ drained: true, remaining: [] });
    await closed;
  });

  test('cuts off what is in flight after the grace time', async () => {
    const stub = await startStub({ limits: { closeGraceMs: 50 } });
    stub.handlers.drain = () => new Promise(() => undefined) as never;
    const drained = new ControlClient(stub.socketPath).drain().catch((thrown: unknown) => thrown);
    const silent = await opened(stub.socketPath);
    const silentClosed = new Promise((resolve) => silent.resume().once('end', resolve));
    await eventually(async () => (await new ControlClient(stub.socketPath).version()).ready);
    await stub[Symbol.asyncDispose]();
    await silentClosed;
    silent.destroy();
    expect(await drained).toBeInstanceOf(DaemonUnreachableError);
  });
});

describe('the client', () => {
  test('gets every kind, filtered by namespace and name', async () => {
    await using stub = await startStub();
    const client = new ControlClient(stub.socketPath);
    for (const kind of ['pods', 'dsw', 'asw', 'volumes', 'manifests', 'operations', 'events'] as const) {
      expect(await client.get(kind)).toEqual(stubState.replies[kind]);
    }
    expect((await client.get('pods', { namespace: 'default' })).items).toEqual([web]);
    expect((await client.get('pods', { namespace: 'default', name: 'sick' })).items).toEqual([]);
    expect((await client.get('persistentvolumes', { namespace: 'x', name: 'pvc-1' })).items).toHaveLength(1);
    expect((await client.get('events', { namespace: 'default' })).events.map(({ regarding }) => regarding)).toEqual([
      'Pod/default/web',
      'Manifest/bad.yaml',
    ]);
    expect(await client.explain('pods', 'other', 'sick')).toEqual(stubState.explain['pods/other/sick']);
    expect(await client.doctor()).toEqual(stubState.doctor);
  });

  test('says why nobody can be reached', async () => {
    const missing = new ControlClient('/nowhere/moored.sock').version();
    await expect(missing).rejects.toThrow(DaemonUnreachableError);
    await expect(missing).rejects.toMatchObject({
      message: 'Cannot reach moored at "/nowhere/moored.sock": no such file; see: systemctl status moored',
      code: 'ENOENT',
    });
    await expect(new ControlClient('/etc/hostname').version()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('refuses whoever is not moored or speaks another protocol', async () => {
    const other = freshSocketPath();
    mkdirSync(dirname(other), { mode: 0o700 });
    let header: string | undefined = 'v9';
    const http = createHttpServer((_request, response) => {
      response.writeHead(200, header === undefined ? {} : { [protocolHeader]: header }).end('{}');
    });
    await new Promise<void>((resolve) => http.listen(other, () => resolve()));
    const client = new ControlClient(other);
    await expect(client.version()).rejects.toThrow(ProtocolMismatchError);
    await expect(client.version()).rejects.toThrow('it speaks protocol "v9", wanted "v1"');
    header = undefined;
    await expect(client.version()).rejects.toThrow("the answer is not moored's");
    await new Promise((resolve) => http.close(resolve));
    const nonsense = createServer((socket) => socket.resume().end('SSH-2.0-OpenSSH_9.2\r\n'));
    await new Promise<void>((resolve) => nonsense.listen(other, () => resolve()));
    await expect(client.version()).rejects.toThrow(ProtocolMismatchError);
    await new Promise((resolve) => nonsense.close(resolve));
    removeDirectories(other);
  });
});
