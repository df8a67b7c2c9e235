/**
 * Loaded beside the shipped program (node --import), for what nobody can count from outside: on SIGUSR2 it writes what the
 * process still holds after a full garbage collection, with the time, to $MOORED_LOAD_PROBE.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { queryObjects } from 'node:v8';

export interface Held {
  readonly heapBytes: number;
  /** Bytes of buffers and of native parts, outside of the heap. */
  readonly externalBytes: number;
  /** Timer objects that something refers to, also those that do not keep the process alive. */
  readonly timers: number;
  /** The longest time in which nothing else could happen, since the answer before, ms. */
  readonly stallMs: number;
}

const path = process.env['MOORED_LOAD_PROBE'];
const sample = setTimeout(() => undefined, 0);
clearTimeout(sample);
// The class has no name of its own outside of Node.
const timerClass = sample.constructor;
const delays = monitorEventLoopDelay({ resolution: 20 });
delays.enable();

process.on('SIGUSR2', () => {
  if (path === undefined) return;
  const stallMs = delays.max / 1e6;
  // It collects garbage first.
  const timers = queryObjects(timerClass, { format: 'count' });
  const { heapUsed: heapBytes, external: externalBytes } = process.memoryUsage();
  writeFileSync(`${path}.new`, JSON.stringify({ heapBytes, externalBytes, timers, stallMs } satisfies Held));
  renameSync(`${path}.new`, path);
  // The collection of the garbage was ours.
  delays.reset();
});
