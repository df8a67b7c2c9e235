/**
 * Many pods, volumes, mounts and manifests: npm run load -- --help
 * Not a test of speed: exits 1 when something is not mounted, not gone, or left behind, and prints the rest.
 */
import { loadavg } from 'node:os';
import { churn, churnReport } from './churn.ts';
import { crowded, crowdedReport, foreignMounts, manyManifests, manyVolumes, podsOnOneClaim } from './crowded.ts';
import { growth, growthKinds, growthReport } from './growth.ts';
import { newcomerGrowth, newcomerGrowthReport } from './newcomer-growth.ts';
import { type Options, type Part, parseOptions, parts, usage } from './options.ts';
import { plannerReport, plannerTimes } from './planner.ts';
import { starvation, starvationReport } from './starvation.ts';

const titles: Readonly<Record<Part, string>> = {
  churn: 'Pods that come and go',
  growth: 'Growth',
  newcomer: 'One new pod',
  crowded: 'Beside a crowd',
  planner: 'The planner alone',
  starvation: 'Beside pods that fail for ever',
};

/** What each part reports; every one of them throws when something is not as it must be. */
const runs: Readonly<Record<Part, (options: Options) => Promise<string>>> = {
  churn: async ({ isQuick, rounds }) => churnReport(await churn(isQuick ? 100 : 1000, rounds)),
  growth: async ({ isQuick, repeats }) => {
    const reports: string[] = [];
    for (const kind of growthKinds) {
      const counts = isQuick ? kind.counts.slice(0, 2) : kind.counts;
      reports.push(growthReport(await growth({ ...kind, counts }, repeats)));
    }
    return reports.join('\n\n');
  },
  newcomer: async ({ isQuick }) => {
    const counts = isQuick ? [25, 50, 100, 200] : [250, 500, 1000, 2000];
    return newcomerGrowthReport(await newcomerGrowth(counts, 10));
  },
  crowded: async ({ isQuick }) => {
    const scale = isQuick ? 10 : 1;
    const all = [
      manyVolumes(isQuick ? 400 : 2000),
      podsOnOneClaim(100 / scale),
      foreignMounts(10_000 / scale),
      manyManifests(10_000 / scale),
    ];
    return crowdedReport(await crowded(all, 5));
  },
  planner: ({ isQuick }) => {
    const count = isQuick ? 200 : 2000;
    return Promise.resolve(plannerReport(count, plannerTimes(count, 20)));
  },
  starvation: async ({ isQuick }) => starvationReport(await starvation(isQuick ? 20 : 200, 5)),
};

async function main(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) return void process.stdout.write(usage);
  const options = parseOptions(argv);
  process.stdout.write(`Load average at the start ${loadavg()[0]?.toFixed(1)}; min / median / max\n`);
  for (const part of parts.filter((known) => options.only.has(known))) {
    process.stdout.write(`\n## ${titles[part]}\n\n`);
    try {
      process.stdout.write(`${await runs[part](options)}\n`);
    } catch (error) {
      process.stdout.write(`FAILED: ${String(error)}\n`);
      process.exitCode = 1;
    }
  }
  process.stdout.write(`\nLoad average at the end ${loadavg()[0]?.toFixed(1)}\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`load: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
