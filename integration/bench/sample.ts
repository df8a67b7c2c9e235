export type Kind = 'tmpfs' | 'loop';

/** A job: so many pods with a volume of this kind each. */
export interface Job {
  readonly kind: Kind;
  readonly count: number;
}

/** A volume of a class is two mounts, the global one and the pod's. */
export const mountsAPod: Readonly<Record<Kind, number>> = { tmpfs: 1, loop: 2 };

/** What one run of one tool took; ms and MB. */
export interface Sample {
  /** From the start to the last mount in the table. */
  readonly mountMs: number;
  readonly podMs: readonly number[];
  readonly cpuMs: number;
  /** From the start to the last unmount. */
  readonly unmountMs: number;
  /** From the first unmount to the last: without the daemon's settle window. */
  readonly bareUnmountMs?: number;
  readonly rssMb?: number;
  readonly peakRssMb?: number;
  /** Percent of a core. */
  readonly idlePercent?: number;
  readonly mkfsMs?: readonly number[];
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** @param fraction 0.5 is the median; the nearest value, never one that was not measured, but for the mean of two in the middle */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = fraction * (sorted.length - 1);
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? Number.NaN;
  return fraction === 0.5 ? (low + high) / 2 : high;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function spread(values: readonly number[]): Spread {
  return { min: Math.min(...values), median: median(values), max: Math.max(...values) };
}
