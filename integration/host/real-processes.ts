import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface RealProcess {
  readonly pid: number;
  /** One letter of proc_pid_stat(5): R, S, D, … */
  readonly state: string;
}

/** Processes that were started with exactly this argument and have not ended. */
export function processesWith(argument: string): readonly RealProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => readOrEmpty(`/proc/${pid}/cmdline`).split('\0').includes(argument))
    .map((pid) => ({ pid: Number(pid), state: /^State:\s*(\w)/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1] ?? 'X' }))
    .filter(({ state }) => state !== 'Z' && state !== 'X');
}

/** '' for a process that has just ended. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export async function until(isDone: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isDone()) {
    if (performance.now() > deadline) throw new Error(`Not within ten seconds: ${isDone.toString()}`);
    await sleep(10);
  }
}
