/** Pods that come and go, round by round: what the daemon holds afterwards is what it held before. */
import { boundPods, type Crowd, memoryPods, plainPods, together } from './crowd.ts';
import { type Convergence, onFreshDaemon } from './load-daemon.ts';
import { digits, table } from './markdown.ts';
import { type Resources, resourcesOf } from './resources.ts';

export interface ChurnRound {
  readonly up: Convergence;
  readonly down: Convergence;
  /** undefined for a round after which nothing was counted. */
  readonly after: Resources | undefined;
}

export interface Churn {
  readonly pods: number;
  readonly rounds: readonly ChurnRound[];
}

/** Of 20 pods 10 have a tmpfs, 2 a directory, 8 a bind; a loop device for each eighty pods. Names are new each round. */
function crowdOf(round: number, pods: number): Crowd {
  const claims = Math.max(1, Math.round(pods / 80));
  const bound = boundPods(`bound-${round}`, claims, Math.round((0.4 * pods) / claims));
  const plain = plainPods(`plain-${round}`, Math.round(0.1 * pods));
  return together(memoryPods(`memory-${round}`, pods - bound.pods - plain.pods), plain, bound);
}

/** @param isCounted whether to count after a round, which waits some seconds for the checkpoint of the state dir */
export function churn(pods: number, rounds: number, isCounted = (_round: number) => true): Promise<Churn> {
  return onFreshDaemon(async (daemon) => {
    const results: ChurnRound[] = [];
    for (let round = 1; round <= rounds; round++) {
      const crowd = crowdOf(round, pods);
      const up = await daemon.mountAll(crowd.files, crowd.pods, crowd.mounts);
      const down = await daemon.unmountAll(crowd.files);
      results.push({ up, down, after: isCounted(round) ? await resourcesOf(daemon) : undefined });
      process.stderr.write(`churn ${round}: up ${digits(up.ms)} ms, down ${digits(down.ms)} ms\n`);
    }
    return { pods, rounds: results };
  });
}

const columns: readonly (keyof Resources)[] = [
  'rssMb',
  'heapMb',
  'externalMb',
  'fds',
  'children',
  'threads',
  'timers',
  'stallMs',
  'watches',
  'loops',
  'records',
  'directories',
];

/** The first round warms up: compiled code, buffers, the ring of events. */
export function churnReport({ pods, rounds }: Churn): string {
  const rows = rounds.map(({ up, down, after }, index) => [
    `round ${index + 1}`,
    digits(up.ms),
    digits(down.ms),
    digits(up.cpuMs + down.cpuMs),
    ...columns.map((name) => (after === undefined ? '' : shown(after[name]))),
  ]);
  const warm = rounds[1]?.after ?? rounds[0]?.after;
  const last = rounds.at(-1)?.after;
  const growth = warm === undefined || last === undefined ? [] : columns.map((name) => shown(last[name] - warm[name]));
  const heading = ['', 'up, ms', 'down, ms', 'CPU, ms', ...columns];
  return `${pods} pods a round\n\n${table(heading, [...rows, ['growth since round 2', '', '', '', ...growth]])}`;
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : digits(value);
}
