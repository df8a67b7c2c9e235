import { describe, expect, it } from 'vitest';
import { selects } from '../api/label-selection.ts';
import type { PersistentVolumeClaimSpec } from '../api/persistent-volume-claim.ts';
import { claim, volume } from '../api/testing/storage-objects.ts';
import { annotations } from '../api/well-known.ts';
import { classOfClaim, isClaimedBy, mismatch } from './claim-matching.ts';

const data = claim('data');

describe('mismatch', () => {
  const why = (spec: Partial<PersistentVolumeClaimSpec>, change: Parameters<typeof volume>[2] = {}) =>
    mismatch(claim('data', '1Gi', { spec }), volume('one', '1Gi', change));

  it.each([
    ['Filesystem', undefined, undefined],
    ['Filesystem', 'Filesystem', undefined],
    ['Block', 'Block', undefined],
    ['Block', 'Filesystem', 'volumeMode is Filesystem, wanted Block'],
    [undefined, 'Block', 'volumeMode is Block, wanted Filesystem'],
  ] as const)('pv/14: claim %s, volume %s: %s', (wanted, given, answer) => {
    const spec = wanted === undefined ? {} : { volumeMode: wanted };
    expect(why(spec, { spec: given === undefined ? {} : { volumeMode: given } })).toBe(answer);
  });

  it.each([
    [undefined, undefined, undefined],
    ['', undefined, undefined],
    [undefined, '', undefined],
    ['gold', 'gold', undefined],
    ['gold', 'silver', 'class is "silver", wanted "gold"'],
    ['gold', undefined, 'class is "", wanted "gold"'],
    [undefined, 'gold', 'class is "gold", wanted ""'],
    ['', 'gold', 'class is "gold", wanted ""'],
  ])('pv/13: claim class %j, volume class %j: %s', (wanted, given, answer) => {
    const spec = wanted === undefined ? {} : { storageClassName: wanted };
    expect(why(spec, { spec: given === undefined ? {} : { storageClassName: given } })).toBe(answer);
  });

  it('pv/1-16: wants every access mode of the claim', () => {
    expect(why({ accessModes: ['ReadWriteMany'] })).toBe('accessModes lack ReadWriteMany');
    expect(
      why({ accessModes: ['ReadWriteOnce'] }, { spec: { accessModes: ['ReadOnlyMany', 'ReadWriteOnce'] } }),
    ).toBeUndefined();
  });

  it.each([
    [{ matchLabels: { tier: 'db' } }, true],
    [{ matchLabels: { tier: 'web' } }, false],
    [{ matchLabels: { tier: 'db', zone: 'a' } }, false],
    [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['web', 'db'] }] }, true],
    [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }, false],
    [{ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['db'] }] }, false],
    [{ matchExpressions: [{ key: 'zone', operator: 'NotIn', values: ['a'] }] }, true],
    [{ matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, true],
    [{ matchExpressions: [{ key: 'zone', operator: 'Exists' }] }, false],
    [{ matchExpressions: [{ key: 'zone', operator: 'DoesNotExist' }] }, true],
    [{ matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, false],
  ] as const)('pv/1-11, 1-12: selector %j on tier=db: %s', (selector, answer) => {
    expect(selects(selector, { tier: 'db' })).toBe(answer);
    expect(why({ selector }, { meta: { labels: { tier: 'db' } } }), 'of a named volume').toBeUndefined();
  });
});

describe('classOfClaim and isClaimedBy', () => {
  it('the beta annotation beats the field', () => {
    const beta = claim('data', '1Gi', {
      spec: { storageClassName: 'new' },
      meta: { annotations: { [annotations.betaStorageClass]: 'old' } },
    });
    expect(classOfClaim(beta)).toBe('old');
    expect(classOfClaim(claim('data', '1Gi', { spec: { storageClassName: '' } }))).toBe('');
    expect(classOfClaim(data)).toBeUndefined();
  });

  it('a reservation holds by namespace and name, and by uid where it has one', () => {
    expect(isClaimedBy(volume('v', '1Gi', { claim: 'data' }), data)).toBe(true);
    expect(isClaimedBy(volume('v', '1Gi', { claim: 'data/uid-data' }), data)).toBe(true);
    expect(isClaimedBy(volume('v', '1Gi', { claim: 'data/uid-x' }), data)).toBe(false);
    expect(isClaimedBy(volume('v', '1Gi', { claim: 'other' }), data)).toBe(false);
    expect(isClaimedBy(volume('v'), data)).toBe(false);
  });
});
