import { describe, expect, it } from 'vitest';
import type { StoredPod } from '../api/pod.ts';
import { claim, podUsing } from '../api/testing/storage-objects.ts';
import { nextClaimStep } from './claim-step.ts';
import type { ClaimWorld } from './claim-world.ts';

const deleted = claim('data', '1Gi', { meta: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
const stepWith = (pods: readonly StoredPod[], ignoresFinishedPods: boolean) =>
  nextClaimStep(deleted, { podsUsing: () => pods, ignoresFinishedPods } as unknown as ClaimWorld).kind;

describe('pvc-protection', () => {
  const finished = (['Succeeded', 'Failed'] as const).map((phase) => podUsing(phase, 'data', { status: { phase } }));

  it('keeps a claim for pods that have finished, as upstream', () => {
    expect(stepWith(finished, false)).toBe('wait');
  });

  it('lets it go when finished pods are to be ignored, and no other pod names it', () => {
    expect(stepWith(finished, true)).not.toBe('wait');
    expect(stepWith([...finished, podUsing('web', 'data')], true)).toBe('wait');
  });
});
