import { StorageError } from '../world/storage-error.ts';
import { storageErrorFromErrno } from './storage-error-from-errno.ts';
import { failedWith, SyscallError } from './syscall-error.ts';

/** Why a tree was not emptied, and where. */
export function treeError(place: string, thrown: unknown, signal: AbortSignal): unknown {
  const action = `Cannot remove the tree at "${place}"`;
  if (failedWith(thrown, 'EBUSY', 'EXDEV')) {
    const options = { code: 'ForeignMount', target: place, errno: thrown.code, cause: thrown } as const;
    return new StorageError(`${action}: something is mounted there`, options);
  }
  if (thrown instanceof SyscallError) return storageErrorFromErrno(thrown, action, { target: place });
  const code = signal.aborted ? 'Aborted' : 'Internal';
  return new StorageError(`${action}: stopped before the end`, { code, progress: 'uncertain', cause: thrown });
}
