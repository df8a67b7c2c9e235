/**
 * Random histories on real mounts as a program: npm run histories [-- --histories N --seed S]
 * The n-th history has the seed S + n - 1, so that a failure is replayed by one number.
 */
import { parseArgs } from 'node:util';
import { runRealCampaign, toldOf } from './campaign.ts';

const { values } = parseArgs({
  options: { histories: { type: 'string' }, seed: { type: 'string' }, trace: { type: 'boolean' } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000_000));
process.stdout.write(`seed ${seed}\n`);
const onTrace = values.trace === true ? (line: string) => process.stdout.write(`${line}\n`) : () => {};
const campaign = await runRealCampaign(Number(values.histories ?? 25), seed, onTrace);
process.stdout.write(`${toldOf(campaign)}\n`);
if (campaign.failures.length > 0) process.exitCode = 1;
