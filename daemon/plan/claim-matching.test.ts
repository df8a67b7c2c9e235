import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PersistentVolumeClaimSpec } from '../api/persistent-volume-claim.ts';
import { parseQuantity } from '../api/quantity.ts';
import { claim, volume } from '../api/testing/storage-objects.ts';
import { annotations } from '../api/well-known.ts';
import { classOfClaim, findBestMatch, isClaimedBy, mismatch } from './claim-matching.ts';

const data = claim('data');
const named = (found: ReturnType<typeof findBestMatch>) => found?.metadata.name;

describe('findBestMatch', () => {
  it('pv/1-4: takes the smallest that fits, whatever the order', () => {
    const volumes = [volume('ten', '10Gi'), volume('one', '1Gi'), volume('half', '512Mi')];
    expect(named(findBestMatch(data, volumes, false))).toBe('one');
    expect(named(findBestMatch(data, volumes.toReversed(), false))).toBe('one');
  });

  it('pv/1-2: takes none that is too small', () => {
    expect(findBestMatch(claim('data', '10Gi'), [volume('one', '1Gi')], false)).toBeUndefined();
  });

  it('takes the name that sorts first of equals', () => {
    expect(named(findBestMatch(data, [volume('b'), volume('a'), volume('c')], false))).toBe('a');
  });

  it('idx: compares large quantities and other spellings exactly', () => {
    const volumes = [volume('e950', '950E'), volume('e800', '800E'), volume('e200', '200E')];
    expect(named(findBestMatch(claim('data', '800000000000000000001'), volumes, false))).toBe('e950');
    expect(named(findBestMatch(claim('data', '800E'), volumes, false))).toBe('e800');
    expect(named(findBestMatch(claim('data', '1024Mi'), [volume('g', '1Gi')], false))).toBe('g');
  });

  it.each([
    ['pv/1-5', 'by name', 'data'],
    ['pv/1-6', 'by name and uid', 'data/uid-data'],
  ])('%s: a volume that is reserved %s beats a better fit', (_id, _how, reservation) => {
    const volumes = [volume('one'), volume('ten', '10Gi', { claim: reservation })];
    expect(named(findBestMatch(data, volumes, false))).toBe('ten');
  });

  it('pv/1-7: a volume that is reserved for an earlier claim of that name is not taken', () => {
    expect(findBestMatch(data, [volume('one', '1Gi', { claim: 'data/uid-older' })], false)).toBeUndefined();
  });

  it('takes no volume that is reserved for another claim, or another namespace', () => {
    const elsewhere = volume('two', '1Gi', { spec: { claimRef: { namespace: 'other', name: 'data' } } });
    expect(findBestMatch(data, [volume('one', '1Gi', { claim: 'other' }), elsewhere], false)).toBeUndefined();
  });

  it('pv/1-13, 1-14: of a claim that waits for its consumer only a reserved volume is taken', () => {
    expect(findBestMatch(data, [volume('one')], true)).toBeUndefined();
    expect(named(findBestMatch(data, [volume('one'), volume('two', '1Gi', { claim: 'data' })], true))).toBe('two');
  });

  it.each([undefined, 'Pending', 'Bound', 'Released', 'Failed'] as const)(
    'pv/1-17: takes none in phase %s',
    (phase) => {
      expect(findBestMatch(data, [volume('one', '1Gi', { phase })], false)).toBeUndefined();
    },
  );

  it('takes none that is being deleted, reserved or not', () => {
    const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z' };
    const volumes = [volume('one', '1Gi', { meta: deleting }), volume('two', '1Gi', { claim: 'data', meta: deleting })];
    expect(findBestMatch(data, volumes, false)).toBeUndefined();
  });

  it('does not take a reserved volume that does not fit', () => {
    expect(findBestMatch(claim('data', '2Gi'), [volume('one', '1Gi', { claim: 'data' })], false)).toBeUndefined();
  });

  describe('of data that was retained', () => {
    const retained = (change = {}) =>
      volume('pvc-1', '1Gi', { phase: 'Released', claim: 'data/uid-older', marks: ['bbc', 'dynamic'], ...change });

    it("finds it again by the claim's name, before a free volume", () => {
      expect(named(findBestMatch(data, [volume('free'), retained()], false))).toBe('pvc-1');
      expect(named(findBestMatch(data, [volume('free'), retained()], true))).toBe('pvc-1');
    });

    it('leaves it alone for another claim, one that does not fit, or a volume that an administrator made', () => {
      expect(findBestMatch(claim('other'), [retained()], false)).toBeUndefined();
      expect(findBestMatch(claim('data', '2Gi'), [retained()], false)).toBeUndefined();
      expect(findBestMatch(data, [retained({ marks: ['bbc'] })], false)).toBeUndefined();
      expect(
        findBestMatch(data, [retained({ spec: { persistentVolumeReclaimPolicy: 'Delete' } })], false),
      ).toBeUndefined();
      expect(findBestMatch(data, [retained({ phase: 'Failed' })], false)).toBeUndefined();
    });
  });

  it('gives the smallest of those that fit, or none if none does', () => {
    const size = fc.integer({ min: 1, max: 20 });
    const volumes = fc.array(fc.record({ size, storageClass: fc.constantFrom('', 'fast') }), { maxLength: 8 });
    fc.assert(
      fc.property(size, fc.constantFrom('', 'fast'), volumes, (request, wanted, given) => {
        const all = given.map((one, index) =>
          volume(`v${index}`, `${one.size}Gi`, { spec: { storageClassName: one.storageClass } }),
        );
        const found = findBestMatch(claim('data', `${request}Gi`, { spec: { storageClassName: wanted } }), all, false);
        const fitting = given
          .filter((one) => one.storageClass === wanted && one.size >= request)
          .map((one) => one.size);
        const capacity = found && Number(parseQuantity(found.spec.capacity.storage).milli >> 30n) / 1000;
        expect(capacity).toBe(fitting.length === 0 ? undefined : Math.min(...fitting));
      }),
    );
  });
});

describe('mismatch', () => {
  const why = (
    spec: Partial<PersistentVolumeClaimSpec>,
    change: Parameters<typeof volume>[2] = {},
    withSelector = true,
  ) => mismatch(claim('data', '1Gi', { spec }), volume('one', '1Gi', change), withSelector);

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
    const labelled = { meta: { labels: { tier: 'db' } } };
    expect(why({ selector }, labelled) === undefined).toBe(answer);
    expect(why({ selector }, labelled, false), 'a named volume').toBeUndefined();
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
