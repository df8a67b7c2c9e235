import { ControlReplyError, DaemonUnreachableError } from '../control/control-client.ts';
import type { CommandContext } from './command.ts';

/** Undefined when the condition is met, else why not, word for word. */
export type Unmet = string | undefined;

/** How soon a daemon that went away while we waited is asked again. */
const reconnectMs = 250;

/** setTimeout's largest delay, 24 days. */
const maxTimerMs = 2 ** 31 - 1;

export function timeoutAfter(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.min(ms, maxTimerMs));
}

/**
 * Looks after every change of the daemon until the condition is met or the time is over; the last look decides. A daemon
 * that is away, or has no connection left, is waited for.
 * @param start the revision of a look before, if there was one
 */
export async function untilMet(
  context: CommandContext,
  check: () => Promise<Unmet>,
  timeout: AbortSignal,
  start?: number,
): Promise<Unmet> {
  let revision = start;
  for (;;) {
    try {
      const unmet = await check();
      if (unmet === undefined || timeout.aborted) return unmet;
      revision = await nextRevision(context, revision, timeout);
    } catch (error) {
      if (timeout.aborted || !mayComeBack(error)) throw error;
      // A restarted daemon counts its revisions anew.
      revision = undefined;
      await new Promise((resolve) => setTimeout(resolve, reconnectMs));
    }
  }
}

function mayComeBack(error: unknown): boolean {
  return (
    error instanceof DaemonUnreachableError || (error instanceof ControlReplyError && error.code === 'Unavailable')
  );
}

async function nextRevision(
  { client, signal }: CommandContext,
  since: number | undefined,
  timeout: AbortSignal,
): Promise<number | undefined> {
  try {
    return (await client.changes(since, AbortSignal.any([signal, timeout]))).revision;
  } catch (error) {
    if (timeout.aborted && !signal.aborted) return since;
    throw error;
  }
}
