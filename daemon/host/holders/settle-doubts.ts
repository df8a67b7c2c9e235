import { stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Doubt } from './process-uses.ts';

/** A detached mount may be that of a dead server: whoever does not answer by then is left out. */
const patienceMs = 1_500;

/** Those whose file is on the device; on btrfs none, whose files show a number that no table has. */
export async function settleDoubts<D extends Doubt>(doubts: readonly D[], deviceNumber: string): Promise<readonly D[]> {
  const settled: D[] = [];
  const asked = doubts.map(async (doubt) => {
    try {
      const { dev } = await stat(doubt.link, { bigint: true });
      if (numberOf(dev) === deviceNumber) settled.push(doubt);
    } catch {
      // It ended, or was closed, meanwhile.
    }
  });
  await Promise.race([Promise.all(asked), sleep(patienceMs, undefined, { ref: false })]);
  return [...settled];
}

/** makedev(3) packs them so. */
function numberOf(dev: bigint): string {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}
