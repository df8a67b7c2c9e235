/**
 * The crash matrix as a program: npm run matrix [-- --full] [--seed N] [--backend NAME]
 * Without --full one occurrence and one side of each kind of step, which ones the seed says.
 * What needs a server, in a guest: scripts/vm --timeout 7200 -- node integration/reliability/main.ts --guest […]
 */
import { parseArgs } from 'node:util';
import { backends } from './backends.ts';
import { type MatrixOptions, runMatrix, tableOf } from './crash-matrix.ts';
import { bundleCrashingDaemon } from './crashing-bundle.ts';
import { runGuestMatrix } from './guest-matrix.ts';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean' },
    seed: { type: 'string' },
    backend: { type: 'string' },
    guest: { type: 'boolean' },
  },
});
const seed = Number(values.seed ?? Math.floor(Date.now() / 86_400_000));
const isWanted = (name: string): boolean => values.backend === undefined || values.backend === name;
const options: MatrixOptions = {
  program: await bundleCrashingDaemon(),
  sample: values.full === true ? 'all' : values.guest === true ? 'eachMethod' : 'eachPhase',
  seed,
};
const rows =
  values.guest === true
    ? await runGuestMatrix(isWanted, options)
    : await runMatrix(
        backends.filter(({ name }) => isWanted(name)),
        options,
      );
process.stdout.write(`seed ${seed}\n${tableOf(rows)}\n`);
if (rows.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
