/** The kubelet's backoff (pkg/util/goroutinemap/exponentialbackoff): 500 ms, doubled, at most 2m2s; here with jitter. */
const initialDelayMs = 500;
const maxDelayMs = 122_000;

/**
 * Delay before the next attempt.
 * @param failures in a row, from 1
 * @param random in [0, 1): takes up to a fifth off, so that volumes that failed together do not retry together
 */
export function backoffDelayMs(failures: number, random: number): number {
  const delay = Math.min(initialDelayMs * 2 ** (failures - 1), maxDelayMs);
  return Math.round(delay * (1 - random * 0.2));
}
