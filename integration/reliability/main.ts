/**
 * The crash matrix as a program: npm run matrix [-- --full] [--seed N] [--backend NAME]
 * Without --full one occurrence and one side of each kind of step, which ones the seed says.
 */
import { parseArgs } from 'node:util';
import { backends } from './backends.ts';
import { runMatrix, tableOf } from './crash-matrix.ts';
import { bundleCrashingDaemon } from './crashing-bundle.ts';

const { values } = parseArgs({
  options: { full: { type: 'boolean' }, seed: { type: 'string' }, backend: { type: 'string' } },
});
const seed = Number(values.seed ?? Math.floor(Date.now() / 86_400_000));
const chosen = backends.filter(({ name }) => values.backend === undefined || values.backend === name);
const program = await bundleCrashingDaemon();
const rows = await runMatrix(chosen, { program, isFull: values.full === true, seed });
process.stdout.write(`seed ${seed}\n${tableOf(rows)}\n`);
if (rows.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
