import { failedWith } from './syscall-error.ts';
import { fcntl } from './syscalls.ts';

const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_WRLCK = 1;
const F_UNLCK = 2;
/** By default ignored (signal(7)); SIGIO, which the kernel would send otherwise, ends a process. */
const SIGURG = 23;

/**
 * Runs `work` while nobody else has the file open, and nobody else can open it: a write lease (fcntl(2), F_SETLEASE) is
 * granted only if there is no other open descriptor of the file, be it that of a loop device. One question to the kernel,
 * where a search of all loop devices grows with their number.
 * @returns undefined, without having run it, when somebody has the file open or the filesystem knows no leases
 */
export function withWriteLease<T>(fd: number, work: () => T): { readonly result: T } | undefined {
  try {
    fcntl(fd, F_SETSIG, SIGURG);
    fcntl(fd, F_SETLEASE, F_WRLCK);
  } catch (thrown) {
    if (failedWith(thrown, 'EAGAIN', 'EINVAL', 'EOPNOTSUPP')) return undefined;
    throw thrown;
  }
  try {
    return { result: work() };
  } finally {
    fcntl(fd, F_SETLEASE, F_UNLCK);
  }
}
