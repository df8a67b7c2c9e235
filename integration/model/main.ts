/**
 * The model test as a program: npm run model [-- --steps N --seed S --trace]
 * Prints what was done; of a failure the seed, the shortest history found, and with --trace all that happened in it.
 */
import { parseArgs } from 'node:util';
import { runCampaign } from './campaign.ts';

const { values } = parseArgs({
  options: { steps: { type: 'string' }, seed: { type: 'string' }, trace: { type: 'boolean' } },
});
const steps = Number(values.steps ?? 100_000);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000_000));
const before = process.cpuUsage();
const result = await runCampaign({ steps, seed });
const { user, system } = process.cpuUsage(before);
const { counts, failure } = result;
const faults = [...counts.faults].map(([kind, count]) => `${kind} ${count}`).sort();
const lines = [
  `seed        ${seed}`,
  `steps       ${result.steps} in ${result.histories} histories`,
  `port calls  ${counts.calls}`,
  `deaths      ${counts.deaths}`,
  `faults      ${faults.join(', ')}`,
  `CPU         ${((user + system) / 1e6).toFixed(1)} s`,
  `violations  ${failure === undefined ? 0 : failure.violations.length}`,
];
process.stdout.write(`${lines.join('\n')}\n`);
if (failure !== undefined) {
  const history = failure.history.map((step) => `  ${JSON.stringify(step)}`);
  const journal = values.trace === true ? ['', ...failure.journal] : [];
  const told = ['', ...failure.violations, '', 'The shortest history found:', ...history, ...journal];
  process.stdout.write(`${told.join('\n')}\n\nAgain: npm run model -- --seed ${failure.seed} --trace\n`);
  process.exitCode = 1;
}
