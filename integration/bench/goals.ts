import { bareMs, figure, type JobResult, type Results, singleMedians, type ToolName } from './results.ts';
import type { Sample } from './sample.ts';

export interface Goal {
  readonly text: string;
  readonly limit: string;
  readonly measured: string;
  readonly isMet: boolean;
}

const most = { bareRatio: 3, singleMs: 60, idlePercent: 0.2, rssMb: 110 };
const leastBashRatio = 10;

const ms = (value: number) => `${value.toFixed(value < 100 ? 1 : 0)} ms`;
const median = (result: JobResult, tool: ToolName, of: (sample: Sample) => number | undefined) =>
  figure(result, tool, of)?.median;
const mountMs = (result: JobResult, tool: ToolName) => median(result, tool, (sample) => sample.mountMs);

/** What is asked of moored, and whether this run shows it; goals without figures are left out. */
export function goals({ jobs, singles }: Results): readonly Goal[] {
  const largest = (kind: string) => jobs.filter(({ job }) => job.kind === kind).at(-1);
  const tmpfs = largest('tmpfs');
  const ends = [tmpfs, largest('loop')].flatMap((result) => result ?? []);
  return [
    ...(tmpfs === undefined ? [] : tmpfsGoals(tmpfs)),
    ...jobs.filter(({ job }) => job.kind === 'loop').flatMap(loopGoal),
    ...singles.map((single): Goal => {
      const { later, mkfs } = singleMedians(single);
      const limit = most.singleMs + mkfs;
      return {
        text: `a single ${single.kind} pod, rename to Ready`,
        limit: mkfs === 0 ? `< ${ms(most.singleMs)}` : `< ${ms(most.singleMs)} + mkfs ${ms(mkfs)}`,
        measured: ms(later),
        isMet: later < limit,
      };
    }),
    ...ends.flatMap(restingGoals),
  ];
}

function tmpfsGoals(result: JobResult): readonly Goal[] {
  const [moored, bare, bash] = [mountMs(result, 'moored'), bareMs(result), mountMs(result, 'bash')];
  if (moored === undefined) return [];
  const text = `${result.job.count} tmpfs pods`;
  const bareGoal = (limit: number): Goal => ({
    text: `${text} against the bare system calls`,
    limit: `<= ${most.bareRatio}x (${ms(most.bareRatio * limit)})`,
    measured: `${(moored / limit).toFixed(1)}x (${ms(moored)})`,
    isMet: moored <= most.bareRatio * limit,
  });
  const bashGoal = (limit: number): Goal => ({
    text: `${text} against bash`,
    limit: `>= ${leastBashRatio}x faster (${ms(limit / leastBashRatio)})`,
    measured: `${(limit / moored).toFixed(1)}x (${ms(moored)})`,
    isMet: limit / moored >= leastBashRatio,
  });
  return [...(bare === undefined ? [] : [bareGoal(bare)]), ...(bash === undefined ? [] : [bashGoal(bash)])];
}

/**
 * Against the better of one and two jobs: two losetup that look for a free device at the same time often want the same
 * one, and the loser sleeps 200 ms, so that with few volumes two jobs are slower than one.
 */
function loopGoal(result: JobResult): readonly Goal[] {
  const moored = mountMs(result, 'moored');
  const bash = (['bash', 'bash, 2 jobs'] as const).flatMap((tool) => mountMs(result, tool) ?? []);
  if (moored === undefined || bash.length === 0) return [];
  const limit = Math.min(...bash);
  const text = `${result.job.count} loop pod${result.job.count === 1 ? '' : 's'} against bash, one or two at a time`;
  return [{ text, limit: `<= ${ms(limit)}`, measured: ms(moored), isMet: moored <= limit }];
}

function restingGoals(result: JobResult): readonly Goal[] {
  const idle = median(result, 'moored', (sample) => sample.idlePercent);
  const rss = median(result, 'moored', (sample) => sample.rssMb);
  const text = `${result.job.count} ${result.job.kind} pods`;
  const idleGoal = (measured: number): Goal => ({
    text: `idle with ${text}`,
    limit: `< ${most.idlePercent} % of a core`,
    measured: `${measured.toFixed(3)} %`,
    isMet: measured < most.idlePercent,
  });
  const rssGoal = (measured: number): Goal => ({
    text: `memory with ${text}`,
    limit: `< ${most.rssMb} MB`,
    measured: `${measured.toFixed(0)} MB`,
    isMet: measured < most.rssMb,
  });
  return [...(idle === undefined ? [] : [idleGoal(idle)]), ...(rss === undefined ? [] : [rssGoal(rss)])];
}
