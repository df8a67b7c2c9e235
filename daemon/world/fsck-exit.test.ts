import { describe, expect, it } from 'vitest';
import { decodeFsckExit } from './fsck-exit.ts';

const bits = [
  [4, 'uncorrectedErrors'],
  [8, 'operationalError'],
  [16, 'usageError'],
  [32, 'cancelled'],
  [64, 'unknownCode'],
  [128, 'libraryError'],
] as const;

describe('decodeFsckExit', () => {
  it.each([
    [0, { corrected: false, rebootWanted: false, failures: [] }],
    [1, { corrected: true, rebootWanted: false, failures: [] }],
    [2, { corrected: false, rebootWanted: true, failures: [] }],
    [3, { corrected: true, rebootWanted: true, failures: [] }],
    [12, { corrected: false, rebootWanted: false, failures: ['uncorrectedErrors', 'operationalError'] }],
    [5, { corrected: true, rebootWanted: false, failures: ['uncorrectedErrors'] }],
  ])('reads %i', (code, verdict) => {
    expect(decodeFsckExit(code)).toEqual(verdict);
  });

  it.each(bits)('reads bit %i as %s', (bit, failure) => {
    expect(decodeFsckExit(bit)).toEqual({ corrected: false, rebootWanted: false, failures: [failure] });
  });

  it('passes no code above 3, and names each bit of each combination', () => {
    for (let code = 0; code <= 255; code += 1) {
      const { corrected, rebootWanted, failures } = decodeFsckExit(code);
      expect(failures.length === 0).toBe(code <= 3);
      const sum = failures.reduce((total, failure) => total + bits.find(([, name]) => name === failure)![0], 0);
      expect(sum + (corrected ? 1 : 0) + (rebootWanted ? 2 : 0)).toBe(code);
    }
  });

  it.each([-1, 256, 1.5, Number.NaN])('takes %d for a failure', (code) => {
    expect(decodeFsckExit(code).failures).toEqual(['unknownCode']);
  });
});
