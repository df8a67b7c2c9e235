import { describe, expect, it, test } from 'vitest';
import { memoryRefusal, type PoolLimits, poolRefusal, poolRoom, type Share } from './pool-capacity.ts';

const mebi = (count: number): bigint => BigInt(count) << 20n;
const bytes = (count: number): Share => ({ kind: 'bytes', bytes: mebi(count) });
const pool = (promised: number, free = 100) => ({
  sizeBytes: mebi(200),
  freeBytes: mebi(free),
  promisedBytes: mebi(promised),
});
const image = (size: number, grows = size) => ({ sizeBytes: mebi(size), newBytes: mebi(grows) });

describe('poolRefusal', () => {
  test.each<[string, PoolLimits, ReturnType<typeof image>, ReturnType<typeof pool>, boolean]>([
    ['anything that is free, without limits', {}, image(100), pool(10_000), true],
    ['not a byte more than is free', {}, image(101), pool(0), false],
    ['the ratio, to the last byte', { overcommit: 2 }, image(100), pool(300), true],
    ['nothing over the ratio', { overcommit: 2 }, image(100), pool(301), false],
    ['a ratio below one', { overcommit: 0.5 }, image(60), pool(50), false],
    [
      'the ratio of what is left beside the reserve',
      { overcommit: 1, reserve: bytes(50) },
      image(50),
      pool(101),
      false,
    ],
    ['the same, to the last byte', { overcommit: 1, reserve: bytes(50) }, image(50), pool(100), true],
    ['nothing of the reserve', { reserve: bytes(50) }, image(51), pool(0), false],
    ['all up to the reserve', { reserve: { kind: 'percent', percent: 25 } }, image(50), pool(0), true],
    ['nothing where the reserve is more than there is', { reserve: bytes(300) }, image(1), pool(0), false],
    ['growth by its difference', { reserve: bytes(50) }, image(500, 50), pool(0), true],
    ['growth by its size, against the ratio', { overcommit: 1 }, image(150, 10), pool(51), false],
  ])('admits %s', (_what, limits, request, there, isAdmitted) => {
    expect(poolRefusal(limits, request, there) === undefined).toBe(isAdmitted);
  });

  it('says all figures', () => {
    const limits = { overcommit: 1.5, reserve: bytes(20) };
    expect(poolRefusal(limits, image(64), pool(250))).toBe(
      '64Mi asked, 250Mi promised, 270Mi at most by overcommit 1.5, 200Mi capacity, 100Mi free, 20Mi in reserve',
    );
    expect(poolRefusal({ reserve: bytes(90) }, image(64, 32), pool(0))).toBe(
      '32Mi asked, 32Mi promised, no limit by overcommit, 200Mi capacity, 100Mi free, 90Mi in reserve',
    );
  });
});

it('room is what a new image is admitted with, and not a byte less', () => {
  for (const limits of [{}, { overcommit: 1 }, { overcommit: 3, reserve: bytes(30) }, { reserve: bytes(99) }]) {
    for (const promised of [0, 100, 150, 199, 600]) {
      const room = poolRoom(limits, pool(promised));
      const refusal = (sizeBytes: bigint) => poolRefusal(limits, { sizeBytes, newBytes: sizeBytes }, pool(promised));
      if (room > 0n) expect(refusal(room)).toBeUndefined();
      expect(refusal(room + 1n)).toBeDefined();
    }
  }
});

it('memory is given up to its limit, and refused with the figures', () => {
  const limit: Share = { kind: 'percent', percent: 25 };
  const memory = mebi(1024);
  expect(memoryRefusal(limit, { asked: mebi(56), promised: mebi(200), memory })).toBeUndefined();
  expect(memoryRefusal(limit, { asked: mebi(57), promised: mebi(200), memory })).toBe(
    '57Mi asked, 200Mi promised to others, 256Mi at most of 1Gi memory',
  );
});
