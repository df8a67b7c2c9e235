import type { Clock } from '../ports/clock.ts';

/** Node fires at once, with a warning, when a delay does not fit 31 bits. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** The machine's clocks. */
export const systemClock: Clock = {
  monotonic: () => performance.now(),
  timestamp: () => new Date().toISOString(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, LONGEST_DELAY_MS));
    return () => clearTimeout(timer);
  },
};
