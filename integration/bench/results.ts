import { type Job, median, type Sample, type Spread, spread } from './sample.ts';
import type { SinglePod } from './single-pod.ts';

export const toolNames = ['C', 'C, 2 threads', 'bash', 'bash, 2 jobs', 'moored', 'moored, one file'] as const;
export type ToolName = (typeof toolNames)[number];

/** A job, and what each tool took for it in each run. */
export interface JobResult {
  readonly job: Job;
  readonly samples: ReadonlyMap<ToolName, readonly Sample[]>;
}

export interface SingleResult {
  readonly kind: Job['kind'];
  readonly runs: readonly SinglePod[];
  /** mkfs.ext4 alone in the same runs. */
  readonly mkfsMs: readonly number[];
}

export interface Results {
  readonly jobs: readonly JobResult[];
  readonly singles: readonly SingleResult[];
  /** What could not be measured, and why. */
  readonly skipped: readonly string[];
  readonly runs: number;
  readonly idleMs: number;
  readonly machine: readonly string[];
}

/** Over the runs of a tool; undefined when it did not run, or does not have this figure. */
export function figure(
  { samples }: JobResult,
  tool: ToolName,
  of: (sample: Sample) => number | undefined,
): Spread | undefined {
  const values = (samples.get(tool) ?? []).flatMap((sample) => of(sample) ?? []);
  return values.length === 0 ? undefined : spread(values);
}

/** Median of the quicker of the two C programs. */
export function bareMs(result: JobResult): number | undefined {
  const medians = (['C', 'C, 2 threads'] as const).flatMap(
    (tool) => figure(result, tool, ({ mountMs }) => mountMs)?.median ?? [],
  );
  return medians.length === 0 ? undefined : Math.min(...medians);
}

export function singleMedians({ runs, mkfsMs }: SingleResult) {
  return {
    first: median(runs.map(({ firstMs }) => firstMs)),
    later: median(runs.flatMap(({ laterMs }) => laterMs)),
    mkfs: mkfsMs.length === 0 ? 0 : median(mkfsMs),
  };
}
