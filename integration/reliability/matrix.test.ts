/** The crash matrix, sampled: each kind of step of each kind of volume once. `npm run matrix -- --full` takes all. */
import { expect, it } from 'vitest';
import { backends } from './backends.ts';
import { runMatrix, tableOf } from './crash-matrix.ts';
import { bundleCrashingDaemon } from './crashing-bundle.ts';

it('finishes what was half done, loses nothing and leaves nothing, wherever the daemon is killed', async () => {
  const program = await bundleCrashingDaemon();
  // Another sample each day: over some weeks every occurrence of every step comes by.
  const seed = Math.floor(Date.now() / 86_400_000);
  const rows = await runMatrix(backends, { program, sample: 'eachPhase', seed });
  process.stdout.write(`crash matrix, seed ${seed}\n${tableOf(rows)}\n`);
  expect(rows.flatMap(({ failures }) => failures)).toEqual([]);
  expect(rows).toHaveLength(backends.length);
  for (const { backend, runs, missed } of rows) expect(missed, backend).toBeLessThan(runs / 2);
});
