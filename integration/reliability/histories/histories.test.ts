/** The model's histories on real mounts: `npm run histories` takes more of them, and other seeds. */
import { expect, it } from 'vitest';
import { runRealCampaign, toldOf } from './campaign.ts';

/** One figure for every run of the tests, as in the model; what the daemon and the kernel make of the time is chance. */
const seed = 20_260_101;

it('comes to rest where the manifests say after 25 random histories, with all data and no trace of its own', async () => {
  const campaign = await runRealCampaign(25, seed);
  process.stdout.write(`histories, seed ${seed}: ${toldOf(campaign)}\n`);
  expect(campaign.failures.map(({ seed: failed, violations }) => ({ failed, violations }))).toEqual([]);
  expect(campaign.histories).toBe(25);
  expect(Math.min(campaign.deaths, campaign.writes, campaign.mounts)).toBeGreaterThan(25);
});
