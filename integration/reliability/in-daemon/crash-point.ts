/**
 * Inside a daemon that was bundled for the crash matrix: announces each step, and ends the process at the one it was told.
 * A step is "<operation>/<port>.<method>#<n>": the n-th such call since the start. What is not an operation's is "daemon".
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { appendFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type Around, isRead } from '../../support/port-calls.ts';

const operations = new AsyncLocalStorage<string>();
const counts = new Map<string, number>();
/** The child that copies images has no environment of the daemon's: it is told after its order. */
const isCopyingChild = basename(process.argv[1] ?? '') === 'image-copy.js';
const [, , , toldDeadly, toldRecord] = isCopyingChild ? process.argv : [];
/** "<step> before" or "<step> after" */
const deadly = toldDeadly ?? process.env['MOORED_CRASH_AT'] ?? '';
const recordPath = toldRecord ?? process.env['MOORED_CRASH_RECORD'] ?? '';

/** What the copying child gets to know besides its order. */
export const forCopyingChild: readonly string[] = [deadly, recordPath];

export function inOperation<T>(kind: string, work: () => T): T {
  return operations.run(kind, work);
}

/** A crash before a question is one after the effect before it: only effects are steps. */
export const around: Around = (call, act) => {
  if (isRead(call)) return act();
  const name = `${operations.getStore() ?? 'daemon'}/${call.port}.${call.method}`;
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  const step = `${name}#${count}`;
  if (recordPath !== '') appendFileSync(recordPath, `${step}\n`);
  dieAt(`${step} before`);
  const result = act();
  if (!(result instanceof Promise)) {
    dieAt(`${step} after`);
    return result;
  }
  return result.then((value: unknown) => {
    dieAt(`${step} after`);
    return value;
  });
};

function dieAt(point: string): void {
  if (point !== deadly) return;
  // Both, for either alone ends well by itself: the other one thaws.
  if (isCopyingChild) process.kill(process.ppid, 'SIGKILL');
  process.kill(process.pid, 'SIGKILL');
  // The signal is on its way; nothing more may happen until it is here.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
