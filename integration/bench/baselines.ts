import { fileURLToPath } from 'node:url';
import { LineProcess } from './line-process.ts';
import type { MountWatch } from './mount-watch.ts';
import { type Job, mountsAPod, type Sample } from './sample.ts';

const script = fileURLToPath(new URL('script-baseline.sh', import.meta.url));

interface Times {
  readonly startMs: number;
  readonly endMs: number;
}

/** The C program: `workers` threads. */
export function runSyscalls(
  program: string,
  job: Job,
  workers: number,
  root: string,
  watch: MountWatch,
): Promise<Sample> {
  return runBaseline(program, { job, workers, root, watch, unitsAMs: 1e6 });
}

/** The bash script: `workers` jobs at a time. */
export function runScript(job: Job, workers: number, root: string, watch: MountWatch): Promise<Sample> {
  return runBaseline(script, { job, workers, root, watch, unitsAMs: 1e3 });
}

interface BaselineRun {
  readonly job: Job;
  readonly workers: number;
  readonly root: string;
  readonly watch: MountWatch;
  /** Of the times that it prints. */
  readonly unitsAMs: number;
}

/** Both time themselves, so that the start of their process does not count; the watch counts their mounts. */
async function runBaseline(program: string, { job, workers, root, watch, unitsAMs }: BaselineRun): Promise<Sample> {
  await using child = new LineProcess(program, [job.kind, String(job.count), String(workers), root]);
  const mounted = await child.until('ready');
  await watch.until(job.count * mountsAPod[job.kind]);
  child.ask('');
  const unmounted = await child.until('unmounted');
  await watch.until(0);
  const volumes = mounted.filter((line) => line.startsWith('volume ')).map((line) => line.split(' ').map(Number));
  const podMs = volumes.map(([, , start = 0, end = 0]) => (end - start) / unitsAMs);
  const mkfsMs = volumes.map(([, , , , mkfs = 0]) => mkfs / unitsAMs);
  return {
    podMs,
    mkfsMs,
    mountMs: lasted(timesOf('mounted', mounted, unitsAMs)),
    unmountMs: lasted(timesOf('unmounted', unmounted, unitsAMs)),
    cpuMs: cpuOf(mounted),
  };
}

function timesOf(word: string, lines: readonly string[], unitsAMs: number): Times {
  const [, start = '', end = ''] = lines.find((line) => line.startsWith(`${word} `))?.split(' ') ?? [];
  return { startMs: Number(start) / unitsAMs, endMs: Number(end) / unitsAMs };
}

function lasted({ startMs, endMs }: Times): number {
  return endMs - startMs;
}

/** "cpu NANOSECONDS", or the two lines of bash's `times`: "0m0.008s 0m0.000s". */
function cpuOf(lines: readonly string[]): number {
  const exact = lines.find((line) => line.startsWith('cpu '));
  if (exact !== undefined) return Number(exact.slice(4)) / 1e6;
  const times = lines.flatMap((line) => [...line.matchAll(/(\d+)m([\d.]+)s/g)]);
  return times.reduce((sum, [, minutes, seconds]) => sum + (Number(minutes) * 60 + Number(seconds)) * 1000, 0);
}
