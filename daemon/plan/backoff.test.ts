import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelayMs } from './backoff.ts';

describe('backoffDelayMs', () => {
  it('doubles from 500 ms and stops at 2m2s, as the kubelet does', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((failures) => backoffDelayMs(failures, 0));
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 122_000, 122_000]);
  });

  it('takes at most a fifth off', () => {
    expect(backoffDelayMs(1, 0.5)).toBe(450);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (n, random) => {
          const full = backoffDelayMs(n, 0);
          const delay = backoffDelayMs(n, random);
          expect(delay).toBeLessThanOrEqual(full);
          expect(delay).toBeGreaterThanOrEqual(Math.floor(full * 0.8));
          expect(Number.isInteger(delay)).toBe(true);
        },
      ),
    );
  });
});
