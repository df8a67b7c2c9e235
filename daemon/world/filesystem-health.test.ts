import { describe, expect, it } from 'vitest';
import { decideHealth, type HealthEvidence } from './filesystem-health.ts';

function messageOf(change: Partial<HealthEvidence>): string | undefined {
  return decideHealth({ fsType: 'ext4', superOptions: ['rw'], ...change })?.message;
}

describe('decideHealth', () => {
  it.each([
    ['is writable', {}],
    ['is ext4 without errors', { ext4Errors: { count: 0, lastFunction: '' } }],
    ['has options that only look alike', { superOptions: ['rw', 'errors=remount-ro', 'norecovery'] }],
    ['is xfs whose root answers', { fsType: 'xfs' as const, superOptions: ['rw', 'attr2'] }],
  ])('finds nothing in one that %s', (_name, change) => {
    expect(messageOf(change)).toBeUndefined();
  });

  it.each([
    ['ro', { superOptions: ['ro', 'ssd'] }, /made it read-only after an error$/],
    ['emergency_ro of Linux 6.15', { superOptions: ['rw', 'emergency_ro'] }, /made it read-only/],
    [
      'ro of ext4 that counts no error',
      { superOptions: ['ro'], ext4Errors: { count: 0, lastFunction: '' } },
      /^somebody/,
    ],
    ['ro of xfs', { fsType: 'xfs' as const, superOptions: ['ro'] }, /^somebody has remounted it read-only$/],
    ['shutdown', { superOptions: ['rw', 'shutdown'] }, /shut it down/],
    [
      'errors that ext4 counts, in between',
      { ext4Errors: { count: 2, lastFunction: 'ext4_lookup' } },
      /may have become read-only \(2 errors, the last in ext4_lookup\)$/,
    ],
    [
      'both',
      { superOptions: ['ro'], ext4Errors: { count: 1, lastFunction: '' } },
      /made it read-only.* \(one error\)$/,
    ],
    [
      'a root that does not answer',
      { fsType: 'xfs' as const, rootError: 'Input/output error' },
      /Input\/output error$/,
    ],
  ])('finds %s', (_name, change, message) => {
    expect(messageOf(change)).toMatch(message);
  });
});
