import { constants } from 'node:os';

const nameOfErrno = new Map<number, string>(
  // Two names share a number on Linux; the later entry wins, and these two are the ones people search for.
  [...Object.entries(constants.errno), ['EUCLEAN', 117] as const]
    .filter(([name]) => name !== 'EWOULDBLOCK' && name !== 'ENOTSUP')
    .map(([name, number]) => [number, name]),
);

/** A system call that answered -1. */
export class SyscallError extends Error {
  /** Name of the call, e.g. "umount2". */
  readonly call: string;
  /** Positive errno, e.g. 16. */
  readonly errno: number;
  /** errno(3) name, e.g. "EBUSY"; "errno 512" where it has none. */
  readonly code: string;

  /** @param text what strerror(3) says, e.g. "Device or resource busy" */
  constructor(call: string, errno: number, text: string) {
    const code = nameOfErrno.get(errno) ?? `errno ${errno}`;
    super(`${call}: ${text} (${code})`);
    this.name = 'SyscallError';
    this.call = call;
    this.errno = errno;
    this.code = code;
  }
}

/** Whether `thrown` is a failed call with one of these errno names. */
export function failedWith(thrown: unknown, ...codes: readonly string[]): thrown is SyscallError {
  return thrown instanceof SyscallError && codes.includes(thrown.code);
}
