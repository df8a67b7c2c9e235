import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { parseQuantity } from '../api/quantity.ts';
import { claim, volume } from '../api/testing/storage-objects.ts';
import { VolumeIndex } from './volume-index.ts';

const data = claim('data');

function best(wanted: StoredPersistentVolumeClaim, volumes: readonly StoredPersistentVolume[], onlyReserved = false) {
  const index = new VolumeIndex();
  for (const one of volumes) index.set(one);
  return index.bestFor({ claim: wanted, onlyReserved })?.metadata.name;
}

describe('VolumeIndex', () => {
  it('pv/1-4: takes the smallest that fits, whatever the order', () => {
    const volumes = [volume('ten', '10Gi'), volume('one', '1Gi'), volume('half', '512Mi')];
    expect(best(data, volumes)).toBe('one');
    expect(best(data, volumes.toReversed())).toBe('one');
  });

  it('pv/1-2: takes none that is too small', () => {
    expect(best(claim('data', '10Gi'), [volume('one', '1Gi')])).toBeUndefined();
  });

  it('takes the name that sorts first of equals', () => {
    expect(best(data, [volume('b'), volume('a'), volume('c')])).toBe('a');
  });

  it('idx: compares large quantities and other spellings exactly', () => {
    const volumes = [volume('e950', '950E'), volume('e800', '800E'), volume('e200', '200E')];
    expect(best(claim('data', '800000000000000000001'), volumes)).toBe('e950');
    expect(best(claim('data', '800E'), volumes)).toBe('e800');
    expect(best(claim('data', '1024Mi'), [volume('g', '1Gi')])).toBe('g');
  });

  it.each([
    ['pv/1-5', 'by name', 'data'],
    ['pv/1-6', 'by name and uid', 'data/uid-data'],
  ])('%s: a volume that is reserved %s beats a better fit', (_id, _how, reservation) => {
    const volumes = [volume('one'), volume('ten', '10Gi', { claim: reservation })];
    expect(best(data, volumes)).toBe('ten');
  });

  it('pv/1-7: a volume that is reserved for an earlier claim of that name is not taken', () => {
    expect(best(data, [volume('one', '1Gi', { claim: 'data/uid-older' })])).toBeUndefined();
  });

  it('takes no volume that is reserved for another claim, or another namespace', () => {
    const elsewhere = volume('two', '1Gi', { spec: { claimRef: { namespace: 'other', name: 'data' } } });
    expect(best(data, [volume('one', '1Gi', { claim: 'other' }), elsewhere])).toBeUndefined();
  });

  it('pv/1-13, 1-14: of a claim that waits for its consumer only a reserved volume is taken', () => {
    expect(best(data, [volume('one')], true)).toBeUndefined();
    expect(best(data, [volume('one'), volume('two', '1Gi', { claim: 'data' })], true)).toBe('two');
  });

  it.each([undefined, 'Pending', 'Bound', 'Released', 'Failed'] as const)(
    'pv/1-17: takes none in phase %s',
    (phase) => {
      expect(best(data, [volume('one', '1Gi', { phase })])).toBeUndefined();
    },
  );

  it('takes none that is being deleted, reserved or not', () => {
    const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z' };
    const volumes = [volume('one', '1Gi', { meta: deleting }), volume('two', '1Gi', { claim: 'data', meta: deleting })];
    expect(best(data, volumes)).toBeUndefined();
  });

  it('does not take a reserved volume that does not fit', () => {
    expect(best(claim('data', '2Gi'), [volume('one', '1Gi', { claim: 'data' })])).toBeUndefined();
  });

  describe('of data that was retained', () => {
    const retained = (change = {}) =>
      volume('pvc-1', '1Gi', { phase: 'Released', claim: 'data/uid-older', marks: ['bbc', 'dynamic'], ...change });

    it("finds it again by the claim's name, before a free volume", () => {
      expect(best(data, [volume('free'), retained()])).toBe('pvc-1');
      expect(best(data, [volume('free'), retained()], true)).toBe('pvc-1');
    });

    it('leaves it alone for another claim, one that does not fit, or a volume that an administrator made', () => {
      expect(best(claim('other'), [retained()])).toBeUndefined();
      expect(best(claim('data', '2Gi'), [retained()])).toBeUndefined();
      expect(best(data, [retained({ marks: ['bbc'] })])).toBeUndefined();
      expect(best(data, [retained({ spec: { persistentVolumeReclaimPolicy: 'Delete' } })])).toBeUndefined();
      expect(best(data, [retained({ phase: 'Failed' })])).toBeUndefined();
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
        const found = best(claim('data', `${request}Gi`, { spec: { storageClassName: wanted } }), all);
        const fitting = given
          .filter((one) => one.storageClass === wanted && one.size >= request)
          .map((one) => one.size);
        const capacity =
          found &&
          Number(
            parseQuantity(all.find(({ metadata }) => metadata.name === found)?.spec.capacity.storage ?? '0').milli >>
              30n,
          ) / 1000;
        expect(capacity).toBe(fitting.length === 0 ? undefined : Math.min(...fitting));
      }),
    );
  });
});
