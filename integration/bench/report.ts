import { goals } from './goals.ts';
import { bareMs, figure, type JobResult, type Results, singleMedians, type ToolName, toolNames } from './results.ts';
import { quantile, type Sample, type Spread } from './sample.ts';

const titles = {
  tmpfs: 'emptyDir in memory: one tmpfs a pod',
  loop: 'A claim of 64Mi: image, loop device, mkfs.ext4, global mount, bind',
} as const;

const digits = (value: number) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const cell = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? '' : digits(value));
const range = (value: Spread | undefined) =>
  value === undefined ? '' : `${digits(value.median)} (${digits(value.min)}–${digits(value.max)})`;

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = heading.map((_, index) => (index === 0 ? '---' : '---:'));
  return [heading, rule, ...rows].map(line).join('\n');
}

/** For README: medians of the last mount. */
export function shortTable({ jobs }: Results): string {
  const tools = ['C', 'C, 2 threads', 'bash', 'bash, 2 jobs', 'moored'] as const;
  const rows = jobs.map((result) => {
    const { kind, count } = result.job;
    const medians = tools.map((tool) => cell(figure(result, tool, ({ mountMs }) => mountMs)?.median));
    return [`${count} ${kind} pod${count === 1 ? '' : 's'}`, ...medians];
  });
  return table(['last mount, ms', ...tools], rows);
}

export function goalTable(results: Results): string {
  const rows = goals(results).map(({ text, limit, measured, isMet }) => [
    text,
    limit,
    measured,
    isMet ? 'met' : '**not met**',
  ]);
  return table(['goal', 'limit', 'measured', ''], rows);
}

/** All figures, for docs/benchmark.md. */
export function wholeReport(results: Results): string {
  const { machine, runs, idleMs, skipped, jobs, singles } = results;
  const kinds = (['tmpfs', 'loop'] as const).filter((kind) => jobs.some(({ job }) => job.kind === kind));
  return `# Benchmark

Written by \`npm run bench -- --write docs/benchmark.md\`. Medians of ${runs} run${runs === 1 ? '' : 's'}, in brackets the least and
the most; times in ms, memory in MB.

${machine.map((line) => `- ${line}`).join('\n')}
${skipped.map((line) => `- Not measured: ${line}\n`).join('')}
## Goals

${goalTable(results)}

${kinds.map((kind) => `## ${titles[kind]}\n\n${kindTable(jobs.filter(({ job }) => job.kind === kind))}\n`).join('\n')}
${singles.length === 0 ? '' : `## One pod, rename of its file to Ready\n\n${singleTable(results)}\n`}
## How it is measured

- **C** does the system calls and mkfs.ext4 only; **bash** calls losetup, mkfs.ext4, mount. Both skip what moored does
  besides: read YAML, write a record and wait for the disk before each effect, look at the target before and read the
  mount table after, seal each mount point, prove that a device is blank. So they do less work for the same mounts; the
  directories are the same, the kubelet's.
- *Last mount*: for moored from before the rename of the first file until a process outside saw the last mount in the
  table; C and bash time themselves and so do not pay for the start of a process.
- *Pod p50, p99*: for moored from the rename of a pod's file until its bind is in the table; all files come at once, so
  a pod waits for those before it. For C and bash the time for one volume.
- *CPU*: user and system with all children, until nothing runs any more. *Idle*: all threads by schedstat over
  ${idleMs / 1000} s, after the checkpoint of the state dir.
- *Unmount*: from the removal of the first file until the last mount was gone; in brackets without the 300 ms in which
  moored waits whether a removed file comes back.
- Each run has a fresh ext4 as root dir, in a private mount namespace; the tools take turns; mounts and loop devices are
  counted before and after.
`;
}

function kindTable(jobs: readonly JobResult[]): string {
  const heading = ['pods', 'tool', 'last mount', 'x C', 'pod p50', 'pod p99', 'CPU', 'RSS (peak)', 'idle %', 'unmount'];
  return table(
    heading,
    jobs.flatMap((result) => toolNames.flatMap((tool) => toolRow(result, tool))),
  );
}

function toolRow(result: JobResult, tool: ToolName): readonly (readonly string[])[] {
  if (!result.samples.has(tool)) return [];
  const of = (pick: (sample: Sample) => number | undefined) => figure(result, tool, pick);
  const last = of(({ mountMs }) => mountMs);
  const bare = bareMs(result);
  const bareUnmount = of(({ bareUnmountMs }) => bareUnmountMs);
  const rss = of(({ rssMb }) => rssMb);
  const idle = of(({ idlePercent }) => idlePercent);
  return [
    [
      String(result.job.count),
      tool,
      range(last),
      last === undefined || bare === undefined ? '' : (last.median / bare).toFixed(1),
      cell(of(({ podMs }) => quantile(podMs, 0.5))?.median),
      cell(of(({ podMs }) => quantile(podMs, 0.99))?.median),
      cell(of(({ cpuMs }) => cpuMs)?.median),
      rss === undefined ? '' : `${digits(rss.median)} (${cell(of(({ peakRssMb }) => peakRssMb)?.median)})`,
      idle === undefined ? '' : idle.median.toFixed(3),
      cell(of(({ unmountMs }) => unmountMs)?.median) +
        (bareUnmount === undefined ? '' : ` (${digits(bareUnmount.median)})`),
    ],
  ];
}

function singleTable({ singles }: Results): string {
  const rows = singles.map((single) => {
    const { first, later, mkfs } = singleMedians(single);
    return [single.kind, digits(first), digits(later), mkfs === 0 ? '' : digits(mkfs)];
  });
  return table(['', 'first of a fresh daemon', 'each later one', 'mkfs.ext4 alone'], rows);
}
