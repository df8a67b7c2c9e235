import type { IncomingMessage } from 'node:http';
import { ControlError } from './control-handlers.ts';

/** Bodies beyond this many times the cap are cut off instead of being read to their end. */
const discardFactor = 16;

/**
 * The whole body as text, at most `maxBytes`. One that is longer is read to its end and thrown away before the error:
 * closing a unix socket with unread input resets it (unix_release_sock, net/unix/af_unix.c), and the client would see
 * ECONNRESET instead of the reason.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
    if (bytes > maxBytes * discardFactor) break;
  }
  if (bytes > maxBytes) {
    throw new ControlError('PayloadTooLarge', `Cannot read the request: its body is longer than ${maxBytes} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}
