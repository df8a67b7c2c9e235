/** How the time to converge grows with the number of pods: each number in a fresh daemon on a fresh filesystem. */
import { median } from '../bench/sample.ts';
import { boundPods, type Crowd, memoryPods, plainPods } from './crowd.ts';
import { exponentOf, lastExponent, type Point } from './exponent.ts';
import { type Convergence, onFreshDaemon } from './load-daemon.ts';
import { spreadText, table } from './markdown.ts';

export interface GrowthKind {
  readonly name: string;
  readonly counts: readonly number[];
  readonly crowd: (count: number) => Crowd;
}

export const memoryGrowth: GrowthKind = {
  name: 'memory',
  counts: [125, 250, 500, 1000, 2000],
  crowd: (count) => memoryPods('pod', count),
};

/** Two hundred loop devices are much of what a machine has: the binds share theirs. */
export const growthKinds: readonly GrowthKind[] = [
  memoryGrowth,
  { name: 'bind, 50 a claim', counts: [125, 250, 500, 1000, 2000], crowd: (count) => boundPods('pod', count / 50, 50) },
  { name: 'directory each', counts: [1250, 2500, 5000, 10_000], crowd: (count) => plainPods('pod', count) },
  { name: 'claim each', counts: [25, 50, 100, 200], crowd: (count) => boundPods('pod', count, 1) },
];

export interface GrowthRun {
  readonly n: number;
  readonly up: Convergence;
  readonly down: Convergence;
}

export interface Growth {
  readonly kind: string;
  readonly runs: readonly GrowthRun[];
}

export async function growth({ name, counts, crowd }: GrowthKind, repeats: number): Promise<Growth> {
  const runs: GrowthRun[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const n of counts) {
      runs.push(await oneRun(n, crowd(n)));
      process.stderr.write(`growth, ${name}: ${n} in ${runs.at(-1)?.up.ms.toFixed(0)} ms\n`);
    }
  }
  return { kind: name, runs };
}

function oneRun(n: number, { files, pods, mounts }: Crowd): Promise<GrowthRun> {
  return onFreshDaemon(async (daemon) => {
    const up = await daemon.mountAll(files, pods, mounts);
    return { n, up, down: await daemon.unmountAll(files) };
  });
}

type Pick = (run: GrowthRun) => number;

const figures: readonly (readonly [string, Pick])[] = [
  ['up, ms', ({ up }) => up.ms],
  ['up, CPU ms', ({ up }) => up.cpuMs],
  ['down, ms', ({ down }) => down.ms],
  ['down, CPU ms', ({ down }) => down.cpuMs],
];

/** Medians by number of pods. */
export function pointsOf({ runs }: Growth, pick: Pick): readonly Point[] {
  const counts = [...new Set(runs.map(({ n }) => n))];
  return counts.map((n) => ({ n, cost: median(runs.filter((run) => run.n === n).map(pick)) }));
}

export function growthReport(result: Growth): string {
  const counts = [...new Set(result.runs.map(({ n }) => n))];
  const rows = figures.map(([name, pick]) => {
    const points = pointsOf(result, pick);
    const cells = counts.map((n) => spreadText(result.runs.filter((run) => run.n === n).map(pick)));
    return [name, ...cells, exponentOf(points).toFixed(2), lastExponent(points).toFixed(2)];
  });
  return `${result.kind}\n\n${table(['', ...counts.map(String), 'exponent', 'of the last two'], rows)}`;
}
