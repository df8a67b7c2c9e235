import { expect, test } from 'vitest';
import { ControlReplyError, DaemonUnreachableError, ProtocolMismatchError } from '../control/control-client.ts';
import { exitCodeOf, NotFoundError, UsageError } from './exit-code.ts';

test.each([
  [new Error('x'), 1],
  ['a string', 1],
  [new ControlReplyError('Internal', 'x'), 1],
  [new ProtocolMismatchError('/s', 'v2'), 1],
  [new UsageError('x'), 2],
  [new NotFoundError('x'), 3],
  [new ControlReplyError('NotFound', 'x'), 3],
  [new DaemonUnreachableError('/s', 'ENOENT', 'no such file'), 4],
])('%s exits with %d', (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});
