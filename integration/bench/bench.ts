/**
 * moored against bash and against the bare system calls, on real mounts: npm run bench -- --help
 * Not a test: nothing fails because it is slow.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runScript, runSyscalls } from './baselines.ts';
import { type CPrograms, compileCPrograms } from './c-programs.ts';
import { FreshFilesystem } from './fresh-filesystem.ts';
import { machineWords } from './machine.ts';
import { runMoored } from './moored-runs.ts';
import { MountWatch } from './mount-watch.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { goalTable, shortTable, wholeReport } from './report.ts';
import type { JobResult, Results, SingleResult, ToolName } from './results.ts';
import type { Job, Kind, Sample } from './sample.ts';
import { runSinglePods, type SinglePod } from './single-pod.ts';

const kindOf = { a: 'tmpfs', b: 'loop' } as const;

/** What a tool gets for a run: nothing that another run has touched. */
interface Stage {
  readonly job: Job;
  readonly directory: string;
  readonly watch: MountWatch;
  readonly run: number;
}

type Tool = (stage: Stage) => Promise<Sample>;

class Bench {
  readonly #options: Options;
  readonly #programs: CPrograms;
  readonly #skipped: string[] = [];
  #watchMethod = '';

  constructor(options: Options, programs: CPrograms) {
    this.#options = options;
    this.#programs = programs;
  }

  async run(): Promise<Results> {
    const { only, counts, runs, idleMs, disk } = this.#options;
    const asked = (['a', 'b'] as const).filter((part) => only.has(part)).map((part) => kindOf[part]);
    const kinds: readonly Kind[] = asked.length > 0 ? asked : only.has('idle') ? ['tmpfs', 'loop'] : [];
    const jobs: JobResult[] = [];
    for (const kind of kinds) for (const count of counts) jobs.push(...(await this.#job({ kind, count })));
    const singles: SingleResult[] = [];
    if (only.has('single')) for (const kind of ['tmpfs', 'loop'] as const) singles.push(await this.#single(kind));
    const machine = machineWords(disk, this.#watchMethod);
    return { jobs, singles, skipped: this.#skipped, runs, idleMs, machine };
  }

  /** A machine that cannot do a job (no more loop devices, say) says so once, and the others go on. */
  async #job(job: Job): Promise<readonly JobResult[]> {
    const samples = new Map<ToolName, Sample[]>();
    const tools = [...this.#tools(job)];
    try {
      for (let run = 0; run < this.#options.runs; run++) {
        for (const [name, tool] of rotated(tools, run)) {
          const sample = await this.#onFreshFilesystem(job, run, tool);
          samples.set(name, [...(samples.get(name) ?? []), sample]);
          progress(`${job.count} ${job.kind}, run ${run + 1}: ${name} ${sample.mountMs.toFixed(1)} ms`);
        }
      }
    } catch (error) {
      this.#skipped.push(`${job.count} ${job.kind} pods: ${error instanceof Error ? error.message : String(error)}`);
      progress(this.#skipped.at(-1) ?? '');
    }
    return samples.size === 0 ? [] : [{ job, samples }];
  }

  #tools({ kind }: Job): ReadonlyMap<ToolName, Tool> {
    const { only, idleMs } = this.#options;
    const build = this.#options;
    const { syscallBaseline } = this.#programs;
    const isIdleMeasured = (run: number) => run === 0 && only.has('idle');
    const moored = new Map<ToolName, Tool>([
      [
        'moored',
        (stage) => runMoored({ ...stage, files: 'many', build, idleMs: isIdleMeasured(stage.run) ? idleMs : 0 }),
      ],
    ]);
    if (!only.has('a') && !only.has('b')) return moored;
    const bare =
      (workers: number): Tool =>
      ({ job, directory, watch }) =>
        runSyscalls(syscallBaseline, job, workers, directory, watch);
    const bash =
      (workers: number): Tool =>
      ({ job, directory, watch }) =>
        runScript(job, workers, directory, watch);
    return new Map<ToolName, Tool>([
      ['C', bare(1)],
      ['C, 2 threads', bare(2)],
      ['bash', bash(1)],
      ...(kind === 'loop' ? ([['bash, 2 jobs', bash(2)]] as const) : []),
      ...moored,
      ['moored, one file', (stage) => runMoored({ ...stage, files: 'one', build, idleMs: 0 })],
    ]);
  }

  async #onFreshFilesystem(job: Job, run: number, tool: Tool): Promise<Sample> {
    await using filesystem = new FreshFilesystem(this.#options.disk);
    await using watch = new MountWatch(this.#programs.mountWatch, filesystem.path);
    const sample = await tool({ job, directory: filesystem.path, watch, run });
    this.#watchMethod = watch.method;
    return sample;
  }

  async #single(kind: Kind): Promise<SingleResult> {
    const runs: SinglePod[] = [];
    const mkfsMs: number[] = [];
    for (let run = 0; run < this.#options.runs; run++) {
      await using filesystem = new FreshFilesystem(this.#options.disk);
      runs.push(await runSinglePods(kind, this.#options, filesystem.path));
      progress(`single ${kind}, run ${run + 1}: first ${runs.at(-1)?.firstMs.toFixed(1)} ms`);
      if (kind === 'tmpfs') continue;
      const job = { kind, count: 20 };
      const bare: Tool = ({ directory, watch }) =>
        runSyscalls(this.#programs.syscallBaseline, job, 1, directory, watch);
      mkfsMs.push(...((await this.#onFreshFilesystem(job, run, bare)).mkfsMs ?? []));
    }
    return { kind, runs, mkfsMs };
  }
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) return void process.stdout.write(usage);
  const options = parseOptions(argv);
  const scratch = mkdtempSync(join(process.env['MOORED_TEST_DIR'] ?? '/tmp', 'bench-'));
  try {
    const programs = compileCPrograms(scratch);
    if (typeof programs === 'string') {
      process.stderr.write(`Skipped: ${programs}\n`);
      process.exitCode = 77;
      return;
    }
    const results = await new Bench(options, programs).run();
    const report = wholeReport(results);
    process.stdout.write(`${report}\n## For README\n\n${shortTable(results)}\n\n${goalTable(results)}\n`);
    if (options.write !== undefined) writeFileSync(options.write, report);
    if (results.skipped.length > 0) process.exitCode = 1;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
