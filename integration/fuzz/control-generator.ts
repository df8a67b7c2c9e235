/** What a broken or hostile client of the control socket sends: pieces of a conversation, with pauses between them. */
import { hostileTexts } from './hostile-values.ts';
import type { Random } from './random.ts';

export interface HostileClient {
  /** Sent one after the other; a pause of some milliseconds before each but the first. */
  readonly pieces: readonly Buffer[];
  readonly pauseMs: number;
  /** What it does at the end: closes its side, tears the connection down, or stays silent until the server has enough. */
  readonly ending: 'end' | 'destroy' | 'wait';
  /** Whether it reads what it is sent. */
  readonly reads: boolean;
}

const paths: readonly string[] = [
  ...[
    '/v1/version',
    '/v1/get/pods',
    '/v1/get/asw',
    '/v1/changes?since=1',
    '/v1/explain/pods/default/web',
    '/v1/doctor',
  ],
  ...[
    '/v1/plan',
    '/v1/drain',
    '/v1/gc',
    '/v1/orphans',
    '/',
    '',
    '*',
    'http://x/v1/version',
    '//v1/version',
    '/v1/../v1/plan',
  ],
  ...['/v1/get/__proto__', '/v1/get/constructor', '/v1/explain/pods/%2e%2e/%00', '/v1/%ff', '/v1/get/pods?namespace=%'],
  ...[
    '/v1/changes?since=-1',
    '/v1/changes?since=9999999999999999',
    '/v1/version?x=1&x=2',
    '/v2/version',
    '/V1/VERSION',
  ],
];
const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT', 'PATCH', 'get', 'G\0T', 'PRI'];
const headers: readonly string[] = [
  ...[
    'host: x',
    'host: x\r\nhost: y',
    'content-length: 5',
    'content-length: -1',
    'content-length: 99999999999999999999',
  ],
  ...['content-length: 3\r\ncontent-length: 4', 'transfer-encoding: chunked', 'transfer-encoding: chunked, identity'],
  ...[
    'transfer-encoding: chunked\r\ncontent-length: 3',
    'expect: 100-continue',
    'expect: a miracle',
    'upgrade: websocket\r\nconnection: upgrade',
  ],
  ...['connection: keep-alive', ': empty', 'a b: c', 'x: \0', ' folded: x', 'origin: http://evil.example', 'x: é'],
];

export function generateClient(random: Random): HostileClient {
  const text = conversation(random);
  const reads = !random.chance(6);
  const ending = random.pick(['end', 'destroy', 'wait'] as const);
  return { pieces: cut(random, text), pauseMs: random.below(12), ending, reads };
}

function conversation(random: Random): Buffer {
  switch (random.below(8)) {
    case 0:
      return random.bytes(random.below(3000));
    case 1: {
      const whole = request(random);
      return whole.subarray(0, random.below(whole.length));
    }
    case 2:
      return Buffer.concat([request(random), request(random), request(random)]);
    case 3:
      return Buffer.from(
        `GET /v1/version HTTP/1.1\r\n${`x-${'y'.repeat(random.below(40))}: z\r\n`.repeat(random.below(3000))}\r\n`,
      );
    case 4:
      return Buffer.from(`GET /${'a'.repeat(random.below(100_000))} HTTP/1.1\r\nhost: x\r\n\r\n`);
    case 5:
      return Buffer.alloc(0);
    default:
      return request(random);
  }
}

function request(random: Random): Buffer {
  const method = random.chance(2) ? random.pick(['GET', 'POST']) : random.pick(methods);
  const version = random.chance(8) ? random.pick(['HTTP/0.9', 'HTTP/2.0', 'HTTP/1.0', 'HTCPCP/1.0', '']) : 'HTTP/1.1';
  const lines = Array.from({ length: random.below(4) }, () => random.pick(headers));
  const content = body(random);
  const length = random.chance(3) ? random.below(content.length + 20) : content.length;
  if (!random.chance(4)) lines.push(`content-length: ${length}`);
  const head = `${method} ${random.pick(paths)} ${version}\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), content]);
}

/** For plan and gc: JSON that is right, nearly right, deep, long, or none. */
function body(random: Random): Buffer {
  switch (random.below(9)) {
    case 0:
      return Buffer.from('{"files":[]}');
    case 1:
      return Buffer.from(
        JSON.stringify({ files: [{ name: random.pick(hostileTexts), text: random.pick(hostileTexts) }] }),
      );
    case 2:
      return Buffer.from('{"files":[{"__proto__":{"polluted":1},"name":"a","text":"b"}]}');
    case 3:
      return Buffer.from('['.repeat(random.below(200_000)));
    case 4:
      return Buffer.from(
        JSON.stringify({ names: [random.pick(hostileTexts)], all: random.pick([false, 1, null]), execute: false }),
      );
    case 5:
      return Buffer.from('{"names":"*","all":"true","execute":"yes","olderThanMs":-1}');
    case 6:
      return Buffer.alloc(random.below(random.pick([100, 10_000, 6_000_000])), 'x');
    case 7:
      return random.bytes(random.below(200));
    default:
      return Buffer.from(`5\r\nhello\r\n${random.pick(['0\r\n\r\n', 'zz\r\n', 'ffffffffffffffff\r\n', '-1\r\n', ''])}`);
  }
}

function cut(random: Random, whole: Buffer): readonly Buffer[] {
  const pieces: Buffer[] = [];
  const most = random.pick([1, 1, 2, 5, 12]);
  let rest = whole;
  while (pieces.length < most - 1 && rest.length > 1) {
    const at = 1 + random.below(Math.min(rest.length - 1, 400));
    pieces.push(rest.subarray(0, at));
    rest = rest.subarray(at);
  }
  return [...pieces, rest];
}
