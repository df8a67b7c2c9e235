import { StorageError, type StorageErrorCode, type StorageErrorFacts } from '../world/storage-error.ts';
import { SyscallError } from './syscall-error.ts';

/** What a refused call means. An errno that says nothing certain about the storage is Internal. */
const codeOfErrno: Readonly<Record<string, StorageErrorCode>> = {
  EACCES: 'PermissionDenied',
  EPERM: 'PermissionDenied',
  EROFS: 'FailedPrecondition',
  ENOTDIR: 'FailedPrecondition',
  EISDIR: 'FailedPrecondition',
  ELOOP: 'FailedPrecondition',
  EBUSY: 'Busy',
  ETXTBSY: 'Busy',
  EEXIST: 'AlreadyExists',
  ENOTEMPTY: 'TargetNotEmpty',
  ENOENT: 'NotFound',
  EINVAL: 'InvalidArgument',
  ENAMETOOLONG: 'InvalidArgument',
  EXDEV: 'ForeignMount',
  ENOMEM: 'ResourceExhausted',
  ENOSPC: 'ResourceExhausted',
  EDQUOT: 'ResourceExhausted',
  EMFILE: 'ResourceExhausted',
  ENFILE: 'ResourceExhausted',
  ENOSYS: 'Unimplemented',
  EOPNOTSUPP: 'Unimplemented',
  EIO: 'Unavailable',
  ENXIO: 'Unavailable',
  ENODEV: 'Unavailable',
  ESTALE: 'Unavailable',
  ENOTCONN: 'Unavailable',
  EHOSTDOWN: 'Unavailable',
  ETIMEDOUT: 'DeadlineExceeded',
  EUCLEAN: 'FilesystemErrors',
};

/**
 * A failed system call as a StorageError: final, because a call that answered an error did nothing. `action` is the
 * first half of the message, e.g. `Cannot mount tmpfs at "/x"`. Other errors are passed on as they are.
 */
export function storageErrorFromErrno(thrown: unknown, action: string, facts: StorageErrorFacts = {}): unknown {
  if (!(thrown instanceof SyscallError)) return thrown;
  return new StorageError(`${action}: ${thrown.message}`, {
    operation: thrown.call,
    ...facts,
    errno: thrown.code,
    code: codeOfErrno[thrown.code] ?? 'Internal',
    cause: thrown,
  });
}
