import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOf, compareQuantities, formatBytes, parseQuantity } from './quantity.ts';

const suffixFactors: readonly (readonly [string, bigint])[] = [
  ['', 1n],
  ['k', 10n ** 3n],
  ['M', 10n ** 6n],
  ['G', 10n ** 9n],
  ['T', 10n ** 12n],
  ['P', 10n ** 15n],
  ['E', 10n ** 18n],
  ['Ki', 2n ** 10n],
  ['Mi', 2n ** 20n],
  ['Gi', 2n ** 30n],
  ['Ti', 2n ** 40n],
  ['Pi', 2n ** 50n],
  ['Ei', 2n ** 60n],
];

describe('parseQuantity', () => {
  it.each([
    ['0', 0n],
    ['1', 1000n],
    ['64Mi', 67_108_864_000n],
    ['100m', 100n],
    ['1.5Gi', 1_610_612_736_000n],
    ['.5', 500n],
    ['5.', 5000n],
    ['1e3', 1_000_000n],
    ['1E3', 1_000_000n],
    ['1e-3', 1n],
    ['1e+3', 1_000_000n],
    ['1E', 10n ** 21n],
    ['1Ei', 2n ** 60n * 1000n],
    ['800E', 800n * 10n ** 21n],
    ['9007199254740993', 9_007_199_254_740_993_000n],
    ['-2Ki', -2_048_000n],
    ['+2Ki', 2_048_000n],
    ['1n', 1n],
    ['1500u', 2n],
    ['-1u', -1n],
    ['0n', 0n],
  ])('reads %s as %d thousandths', (text, milli) => {
    expect(parseQuantity(text)).toEqual({ milli, text });
  });

  it.each([
    '',
    ' ',
    '64 Mi',
    '64mi',
    '64MB',
    '64KI',
    '1e',
    '1eK',
    '.',
    '-',
    '--1',
    '1.2.3',
    '0x10',
    'Mi',
    '1e31',
    '1e999',
    'NaN',
    '1\n',
    '٣',
  ])('refuses %j with the accepted spellings', (text) => {
    expect(() => parseQuantity(text)).toThrow(/Cannot read quantity ".*": want a number/s);
  });

  it('refuses a text that is longer than any real quantity, without repeating it all', () => {
    expect(() => parseQuantity('1'.repeat(10_000))).toThrow(/^Cannot read quantity "1{64}":/);
  });

  it('is the number times its suffix, exactly, at any size', () => {
    const digits = fc.bigInt({ min: 0n, max: 10n ** 40n });
    fc.assert(
      fc.property(digits, fc.constantFrom(...suffixFactors), fc.boolean(), (value, [suffix, factor], negative) => {
        const quantity = parseQuantity(`${negative ? '-' : ''}${value}${suffix}`);
        expect(quantity.milli).toBe(value * factor * 1000n * (negative ? -1n : 1n));
      }),
    );
  });

  it('rounds a fraction away from zero, by less than a thousandth', () => {
    fc.assert(
      fc.property(
        fc.nat(10 ** 6),
        fc.stringMatching(/^\d{1,12}$/),
        fc.constantFrom(...suffixFactors),
        (whole, fraction, [suffix, factor]) => {
          const scale = 10n ** BigInt(fraction.length);
          const exact = BigInt(`${whole}${fraction}`) * factor * 1000n;
          const { milli } = parseQuantity(`${whole}.${fraction}${suffix}`);
          expect(milli * scale >= exact && milli * scale < exact + scale).toBe(true);
        },
      ),
    );
  });
});

describe('compareQuantities', () => {
  it('orders by value, not by spelling', () => {
    expect(compareQuantities(parseQuantity('1Gi'), parseQuantity('1024Mi'))).toBe(0);
    expect(compareQuantities(parseQuantity('1G'), parseQuantity('1Gi'))).toBe(-1);
    expect(compareQuantities(parseQuantity('9007199254740993'), parseQuantity('9007199254740992'))).toBe(1);
  });

  it('agrees with the order of the values', () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
        const order = compareQuantities({ milli: a, text: '' }, { milli: b, text: '' });
        expect(order).toBe(a < b ? -1 : a > b ? 1 : 0);
      }),
    );
  });
});

describe('bytesOf', () => {
  it.each([
    ['1', 1n],
    ['1m', 1n],
    ['1001m', 2n],
    ['64Mi', 67_108_864n],
    ['-1500m', -1n],
    ['0', 0n],
  ])('rounds %s up to %d', (text, bytes) => {
    expect(bytesOf(parseQuantity(text))).toBe(bytes);
  });
});

describe('formatBytes', () => {
  it.each([
    [0n, '0'],
    [1000n, '1000'],
    [1024n, '1Ki'],
    [67_108_864n, '64Mi'],
    [67_108_865n, '67108865'],
    [2n ** 70n, '1024Ei'],
  ])('writes %d as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('loses nothing', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 90n }), (bytes) => {
        expect(bytesOf(parseQuantity(formatBytes(bytes)))).toBe(bytes);
      }),
    );
  });
});
