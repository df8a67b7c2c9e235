import { ControlReplyError, DaemonUnreachableError } from '../control/control-client.ts';

/** What moorctl exits with; listed in its help and in docs/moorctl.md, and never renumbered. */
export const exitCode = {
  ok: 0,
  /** It failed, or what was asked about is not (yet) so. */
  failed: 1,
  usage: 2,
  notFound: 3,
  unreachable: 4,
} as const;
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** The command line makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The named object does not exist. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return exitCode.usage;
  if (error instanceof NotFoundError) return exitCode.notFound;
  if (error instanceof ControlReplyError && error.code === 'NotFound') return exitCode.notFound;
  if (error instanceof DaemonUnreachableError) return exitCode.unreachable;
  return exitCode.failed;
}
