/** The crash matrix of iSCSI and NFS, sampled: each kind of step once. `main.ts --guest --full` of it takes all. */
import { expect, it } from 'vitest';
import { tableOf } from '../reliability/crash-matrix.ts';
import { bundleCrashingDaemon } from '../reliability/crashing-bundle.ts';
import { runGuestMatrix } from '../reliability/guest-matrix.ts';

it('finishes what was half done, wherever the daemon is killed, and leaves no session and no mount', async () => {
  const program = await bundleCrashingDaemon();
  // Another sample each day: over some weeks every occurrence of every step comes by.
  const seed = Math.floor(Date.now() / 86_400_000);
  const sampled = ['iscsi', 'nfs'];
  const rows = await runGuestMatrix((name) => sampled.includes(name), { program, sample: 'eachMethod', seed });
  process.stdout.write(`crash matrix, seed ${seed}\n${tableOf(rows)}\n`);
  expect(rows.flatMap(({ failures }) => failures)).toEqual([]);
  expect(rows.map(({ backend }) => backend)).toEqual(sampled);
  for (const { backend, runs, missed } of rows) expect(missed, backend).toBeLessThan(runs / 2);
}, 900_000);
