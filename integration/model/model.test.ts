/** The whole core on a simulated machine, with faults at every port: see docs/reliability.md. */
import { expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';

/** One figure for every run of the tests, so that a failure is nobody's chance: npm run model takes others. */
const seed = 20_260_101;

it('keeps every rule in 100,000 steps, and comes to rest where the manifests say', async () => {
  const { failure, steps, counts } = await runCampaign({ steps: 100_000, seed });
  const told = failure && { ...failure, journal: undefined, again: `npm run model -- --seed ${failure.seed} --trace` };
  expect(told).toBeUndefined();
  expect(steps).toBeGreaterThanOrEqual(100_000);
  expect([...counts.faults.keys()].sort()).toEqual(['delay', 'failAfter', 'failBefore', 'lie']);
});

it('does the same for the same seed', async () => {
  const [first, second] = [await runCampaign({ steps: 300, seed }), await runCampaign({ steps: 300, seed })];
  expect(first.counts).toEqual(second.counts);
  expect(first.counts.calls).toBeGreaterThan(1_000);
});
