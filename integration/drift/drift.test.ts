/** What other people do to our mounts: each act is noticed, repaired or reported by policy, counted and explained. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acts } from './acts.ts';
import { DriftScene } from './drift-scene.ts';
import { perform } from './perform.ts';

let scene: DriftScene;

beforeAll(async () => {
  scene = await new DriftScene().start();
});

afterAll(async () => {
  await scene.dispose();
});

describe('drift', () => {
  it.each(acts)('$name: $policy', async (act) => {
    const { repairedMs } = await perform(act, scene);
    expect(repairedMs === undefined ? 'reported' : 'repaired').toBe(act.policy);
  });
});
