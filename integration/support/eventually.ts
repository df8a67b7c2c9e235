import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks again and again until the answer is true; a string or false is why it is not yet. Fails with the last reason.
 * The deadline is generous on purpose: it says that something never happens, not how fast it should.
 */
export async function eventually(
  check: () => boolean | string | Promise<boolean | string>,
  deadlineMs = 30_000,
  pauseMs = 20,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const answer = await check();
    if (answer === true) return;
    if (performance.now() > end) throw new Error(`It did not happen within ${deadlineMs} ms: ${String(answer)}`);
    await sleep(pauseMs);
  }
}
