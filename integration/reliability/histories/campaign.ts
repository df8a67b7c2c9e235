/** Random histories on the real machine, each replayed by its own seed. */
import fc from 'fast-check';
import { counts, podCount } from '../../model/declarations.ts';
import { type HistoryShape, histories, type Step } from '../../model/history.ts';
import { Random } from '../../model/random.ts';
import { runRealHistory } from './run-real-history.ts';

/** What a real machine cannot do comes never, what takes seconds of real time or hides what follows seldom. */
const shape: HistoryShape = {
  reach: 'local',
  shortest: 10,
  longest: 30,
  weights: { faults: 0, stateDisk: 0, calm: 1, directory: 1, remove: 5, workload: 20, wait: 20, admin: 24 },
};
/** Histories at a time: most of a history is waiting. */
const lanes = 4;
/** Every claim, and some pods: mounted and written to: what follows then meets something. */
function openingOf(seed: number): readonly Step[] {
  const random = new Random(seed);
  const claims = Array.from({ length: counts.local.claims }, (_, index) => ({ kind: 'claim' as const, index }));
  const pods = Array.from({ length: podCount - 2 }, (_, index) => ({
    ...{ kind: 'pod' as const, index },
    variant: random.below(counts.local.variants),
  }));
  return [
    { kind: 'write', file: 0, how: 'whole', salt: 1, declarations: claims },
    { kind: 'write', file: 1, how: 'whole', salt: 1, declarations: pods },
    { kind: 'calm', salt: 1 },
    { kind: 'workload', salt: 1 },
  ];
}

export interface RealCampaign {
  readonly histories: number;
  readonly steps: number;
  readonly deaths: number;
  /** Images that a workload wrote to, and what was mounted at the ends of the histories. */
  readonly writes: number;
  readonly mounts: number;
  readonly failures: readonly RealFailure[];
}

export interface RealFailure {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly journal: readonly string[];
}

/** Ends early when several have failed: the rest would tell the same. */
export async function runRealCampaign(
  count: number,
  seed: number,
  onTrace: (line: string) => void = () => {},
): Promise<RealCampaign> {
  const waiting = Array.from({ length: count }, (_, index) => seed + index);
  const failures: RealFailure[] = [];
  const total = { histories: 0, steps: 0, deaths: 0, writes: 0, mounts: 0 };
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && failures.length < 3; next = waiting.shift()) {
      const history = historyOf(next);
      const { violations, journal, deaths, writes, mounts } = await runRealHistory(history, `history-${next}`, onTrace);
      total.histories++;
      total.steps += history.length;
      total.deaths += deaths;
      total.writes += writes;
      total.mounts += mounts;
      if (violations.length > 0) failures.push({ seed: next, violations, journal });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { ...total, failures };
}

function historyOf(seed: number): readonly Step[] {
  // Without the bias to small and empty, which is for histories by the thousand.
  const [history] = fc.sample(fc.noBias(histories(shape)), { seed, numRuns: 1 });
  if (history === undefined) throw new Error(`Cannot make a history of seed ${seed}`);
  return [...openingOf(seed), ...history];
}

export function toldOf({ failures, ...counts }: RealCampaign): string {
  const { histories: count, steps, deaths, writes, mounts } = counts;
  const done = `${steps} steps, ${deaths} deaths, ${writes} images written, ${mounts} mounts at the ends`;
  return [
    `${count} histories on real mounts: ${done}, ${failures.length} failures`,
    ...failures.map(
      ({ seed, violations, journal }) =>
        `\n${violations.join('\n')}\n\n${journal.join('\n')}\nAgain: npm run histories -- --histories 1 --seed ${seed}`,
    ),
  ].join('\n');
}
