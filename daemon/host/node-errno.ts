import { SyscallError } from './syscall-error.ts';

/** A call of node:fs whose failure is thrown as a SyscallError, as our own calls do. */
export function fromNode<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    if (!isErrnoException(thrown)) throw thrown;
    // "ENOSPC: no space left on device, write"
    const text = thrown.message.replace(/^\w+: /, '').replace(/, \w+.*$/s, '');
    throw new SyscallError(thrown.syscall, -thrown.errno, text);
  }
}

function isErrnoException(thrown: unknown): thrown is Error & { readonly errno: number; readonly syscall: string } {
  return thrown instanceof Error && 'errno' in thrown && typeof thrown.errno === 'number' && 'syscall' in thrown;
}
