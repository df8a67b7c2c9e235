/** Time for effects; pure code gets it as a value. */
export interface Clock {
  /** Milliseconds, monotonic: for durations, backoff and deadlines. A clock set back does not touch it. */
  monotonic(): number;
  /** Wall clock, RFC 3339 UTC: for people. */
  timestamp(): string;
  /** Calls back once after `ms`; returns the cancel. */
  after(ms: number, callback: () => void): () => void;
}
