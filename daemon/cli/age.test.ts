import { describe, expect, test } from 'vitest';
import { ageOf, formatAge } from './age.ts';

const s = 1_000;
const m = 60 * s;
const h = 60 * m;
const d = 24 * h;

describe('formatAge says what kubectl says', () => {
  test.each([
    [0, '0s'],
    [-1 * s, '0s'],
    [-2 * s, '<invalid>'],
    [999, '0s'],
    [119 * s, '119s'],
    [2 * m, '2m'],
    [5 * m + 3 * s, '5m3s'],
    [9 * m + 59 * s, '9m59s'],
    [10 * m + 30 * s, '10m'],
    [179 * m, '179m'],
    [3 * h, '3h'],
    [3 * h + 20 * m, '3h20m'],
    [8 * h + 20 * m, '8h'],
    [47 * h, '47h'],
    [48 * h, '2d'],
    [2 * d + 3 * h, '2d3h'],
    [8 * d + 3 * h, '8d'],
    [365 * 2 * d - h, '729d'],
    [(365 * 2 + 10) * d, '2y10d'],
    [365 * 3 * d, '3y'],
    [365 * 8 * d + 9 * d, '8y'],
    [Number.NaN, '<invalid>'],
  ])('%d ms is %s', (milliseconds, expected) => {
    expect(formatAge(milliseconds)).toBe(expected);
  });
});

test('ageOf a time that is not known', () => {
  expect(ageOf(undefined, 0)).toBe('<unknown>');
  expect(ageOf('', 0)).toBe('<unknown>');
  expect(ageOf('yesterday', 0)).toBe('<invalid>');
  expect(ageOf('2026-01-02T03:04:05Z', Date.parse('2026-01-02T03:09:08Z'))).toBe('5m3s');
});
