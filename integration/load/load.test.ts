/** The campaign in small (`npm run load`): sums and ratios within one run, never a time. */
import { describe, expect, it } from 'vitest';
import { median } from '../bench/sample.ts';
import { churn, churnReport } from './churn.ts';
import { crowded, crowdedReport, foreignMounts, manyManifests, manyVolumes } from './crowded.ts';
import { exponentOf } from './exponent.ts';
import { growth, growthReport, memoryGrowth, pointsOf } from './growth.ts';
import { plannerTimes } from './planner.ts';
import { starvation, starvationReport } from './starvation.ts';

const print = (report: string) => process.stdout.write(`${report}\n\n`);

describe('load', () => {
  it('holds after five rounds of pods that come and go what it held after two', async () => {
    const result = await churn(100, 5, (round) => round === 2 || round === 5);
    print(churnReport(result));
    const [second, fifth] = [result.rounds[1]?.after, result.rounds[4]?.after];
    if (second === undefined || fifth === undefined) throw new Error('Nothing was counted');
    for (const name of ['fds', 'children', 'timers', 'watches', 'loops', 'directories'] as const) {
      expect(fifth[name], name).toBe(second[name]);
    }
    expect(fifth.loops + fifth.children + fifth.directories).toBe(0);
    expect(fifth.threads).toBeLessThan(second.threads * 1.5);
    expect(fifth.heapMb / second.heapMb).toBeLessThan(1.1);
    expect(fifth.rssMb / second.rssMb).toBeLessThan(1.25);
  });

  it('mounts and unmounts in time that grows with the number of pods, not with its square', async () => {
    const result = await growth({ ...memoryGrowth, counts: [100, 200, 400, 800] }, 1);
    print(growthReport(result));
    for (const pick of ['up', 'down'] as const) {
      // CPU time: others on the machine do not make it longer.
      expect(exponentOf(pointsOf(result, (run) => run[pick].cpuMs)), pick).toBeLessThan(1.35);
    }
  });

  it('serves a new pod beside many volumes, many mounts of other people, and many manifests, and keeps nothing of them', async () => {
    const results = await crowded([manyVolumes(400), foreignMounts(2000), manyManifests(500)], 2);
    print(crowdedReport(results));
    for (const { name, after } of results) expect(after.children + after.loops + after.directories, name).toBe(0);
  });

  it('plans what is to be done for 2,000 volumes, and nothing else', () => {
    for (const { scene, operations, expected } of plannerTimes(2000, 2)) expect(operations, scene).toBe(expected);
  });

  it('lets nobody wait for pods that fail for ever', async () => {
    const result = await starvation(40, 3);
    print(starvationReport(result));
    expect(result.failures).toBeGreaterThanOrEqual(40);
    for (const { kind, undisturbed, disturbed } of result.kinds) {
      expect(median(disturbed.upMs) / median(undisturbed.upMs), kind).toBeLessThan(15);
    }
  });
});
