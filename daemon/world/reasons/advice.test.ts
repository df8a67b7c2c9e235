import { describe, expect, it, test } from 'vitest';
import { type Progress, StorageError, type StorageErrorCode } from '../storage-error.ts';
import { adviceFor, needsChange } from './advice.ts';
import { reasons } from './reason-table.ts';

function failure(code: StorageErrorCode, hint?: string, progress: Progress = 'final'): StorageError {
  return new StorageError('Cannot', { code, progress, ...(hint === undefined ? {} : { hint }) });
}

describe('adviceFor', () => {
  it("begins with the error's own hint, then its code, then the reason", () => {
    expect(adviceFor('FailedMount', failure('PermissionDenied', 'ls -l /dev/loop3')).split('\n')).toEqual([
      'ls -l /dev/loop3',
      expect.stringContaining('namei -l PATH'),
      'dmesg | tail; moorctl doctor',
    ]);
  });

  it('says nothing twice, not even as a part of a longer line', () => {
    expect(adviceFor('FailedAttachVolume', failure('Unimplemented'))).toBe('moorctl doctor');
    expect(adviceFor('FailedAttachVolume', failure('Unimplemented', 'apt-get install x; moorctl doctor'))).toBe(
      'apt-get install x; moorctl doctor',
    );
  });

  it('needs no error', () => {
    expect(adviceFor('WaitForFirstConsumer')).toBe('add a pod that uses the claim');
  });
});

describe('needsChange', () => {
  test.each([
    ['InvalidArgument', 'final', true],
    ['NotBlank', 'final', true],
    ['FilesystemMismatch', 'final', true],
    ['FilesystemErrors', 'final', true],
    ['PermissionDenied', 'final', true],
    ['Unimplemented', 'final', true],
    ['DataLoss', 'final', true],
    // Nothing was started, or nobody knows: another attempt may well succeed.
    ['InvalidArgument', 'transient', false],
    ['PermissionDenied', 'uncertain', false],
    // What comes late or goes away by itself.
    ['NotFound', 'final', false],
    ['Busy', 'final', false],
    ['ResourceExhausted', 'final', false],
    ['FailedPrecondition', 'final', false],
    ['ForeignMount', 'final', false],
    ['Unavailable', 'final', false],
  ] as const)('%s, %s: %s', (code, progress, expected) => {
    expect(needsChange(failure(code, undefined, progress))).toBe(expected);
  });
});

describe('the table of reasons', () => {
  test.each(Object.entries(reasons))('%s', (_code, { type, means, help }) => {
    expect(means).toMatch(/^[A-Z].*\.$/);
    if (type === 'Warning') expect(help, 'a warning says what to do').not.toEqual([]);
    for (const line of help) expect(line).toMatch(/^\S[^\n]*\S$/);
  });
});
