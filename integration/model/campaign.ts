/** Many random histories, in batches that each can be replayed by its own seed; the first failure is made small. */
import fc from 'fast-check';
import { histories, type Step } from './history.ts';
import type { Counts } from './machine.ts';
import { runHistory } from './run-history.ts';

export interface Campaign {
  readonly steps: number;
  readonly seed: number;
}

export interface CampaignResult {
  readonly steps: number;
  readonly histories: number;
  readonly counts: Counts;
  readonly failure?: {
    readonly seed: number;
    readonly history: readonly Step[];
    readonly violations: readonly string[];
    readonly journal: readonly string[];
  };
}

const longestHistory = 120;
const batchSize = 40;

export async function runCampaign({ steps, seed }: Campaign): Promise<CampaignResult> {
  const counts = noCounts();
  // Most errors here are injected ones, and a third of the time would go into their stacks.
  Error.stackTraceLimit = 0;
  let done = 0;
  let runs = 0;
  for (let batch = seed; done < steps; batch++) {
    let failed: readonly Step[] | undefined;
    const property = fc.asyncProperty(histories({ reach: 'network', longest: longestHistory }), async (history) => {
      if (done >= steps) return true;
      const outcome = await runHistory(history, counts);
      done += outcome.steps;
      runs++;
      if (outcome.violations.length > 0) failed = history.slice(0, outcome.steps);
      return outcome.violations.length === 0;
    });
    await fc.check(property, { seed: batch, numRuns: batchSize, endOnFailure: true });
    if (failed === undefined) continue;
    const history = await shortened(failed);
    const { violations, journal } = await runHistory(history, noCounts(), true);
    return { steps: done, histories: runs, counts, failure: { seed: batch, history, violations, journal } };
  }
  return { steps: done, histories: runs, counts };
}

/**
 * Leaves out what the failure does not need: halves, quarters, … single steps. Not fast-check's own shrinking, which makes
 * each step simpler as well and takes a thousand runs for it: a step's chance comes from its salt, so it is as it was.
 */
async function shortened(failed: readonly Step[]): Promise<readonly Step[]> {
  let history = failed;
  for (let size = Math.ceil(history.length / 2); ; size = Math.ceil(size / 2)) {
    for (let from = 0; from < history.length; ) {
      const shorter = history.toSpliced(from, size);
      const { violations } = await runHistory(shorter, noCounts());
      if (violations.length > 0) history = shorter;
      else from += size;
    }
    if (size === 1) return history;
  }
}

const noCounts = (): Counts => ({ faults: new Map(), calls: 0, deaths: 0 });
