import { expect, it } from 'vitest';
import { storageErrorFromErrno } from './storage-error-from-errno.ts';
import { SyscallError } from './syscall-error.ts';
import { AT_FDCWD, openat } from './syscalls.ts';

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}

it('names call, errno and what it means, for a call that really failed', () => {
  const thrown = thrownBy(() => openat(AT_FDCWD, '/nonexistent', 0));
  expect(thrown).toMatchObject({ call: 'openat', errno: 2, code: 'ENOENT' });
  expect(storageErrorFromErrno(thrown, 'Cannot open "/nonexistent"', { target: '/nonexistent' })).toMatchObject({
    message: 'Cannot open "/nonexistent": openat: No such file or directory (ENOENT)',
    code: 'NotFound',
    progress: 'final',
    facts: { operation: 'openat', target: '/nonexistent', errno: 'ENOENT' },
  });
});

it.each([
  [16, 'EBUSY', 'Busy'],
  [5, 'EIO', 'Unavailable'],
  [39, 'ENOTEMPTY', 'TargetNotEmpty'],
  [117, 'EUCLEAN', 'FilesystemErrors'],
  [95, 'EOPNOTSUPP', 'Unimplemented'],
  [11, 'EAGAIN', 'Internal'],
  [4095, 'errno 4095', 'Internal'],
])('reads errno %i as %s: %s', (errno, name, code) => {
  expect(storageErrorFromErrno(new SyscallError('call', errno, 'text'), 'Cannot')).toMatchObject({
    code,
    facts: { errno: name },
  });
});

it('passes on what is no failed call', () => {
  const other = new Error('other');
  expect(storageErrorFromErrno(other, 'Cannot')).toBe(other);
});
