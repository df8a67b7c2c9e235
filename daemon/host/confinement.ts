import { totalmem } from 'node:os';
import type { Confinement } from '../ports/child-processes.ts';
import { type ConfinementLevel, confiningWords } from './confined-command.ts';
import { findTool } from './find-tool.ts';
import { SpawnedChild } from './spawned-child.ts';

const mebibyte = 2 ** 20;
/** For a child that does nothing. */
const deadlineMs = 10_000;

/**
 * blkid, which knows eighty formats and reads a few MiB, whatever is on the device. cmp and od move bytes and understand
 * nothing: a second program for each would cost 0.7 ms and win nothing.
 */
export const forReading: Confinement = {};

/**
 * e2fsck may need a lot for a large filesystem, and allocates what a superblock says before it believes it: 1 GiB for one
 * in an image of 64 MiB. It must not be what brings the machine down.
 */
export function forWriting(device: string, capability?: Confinement['capability']): Confinement {
  const memoryBytes = Math.floor(Math.max(1024 * mebibyte, totalmem() / 2));
  return { writes: device, memoryBytes, ...(capability === undefined ? {} : { capability }) };
}

let found: Promise<ConfinementLevel> | undefined;

/** Tried once, with a child that does nothing: an old setpriv, a kernel without Landlock or a container may refuse. */
export function confinementLevel(): Promise<ConfinementLevel> {
  found ??= tryLevels();
  return found;
}

async function tryLevels(): Promise<ConfinementLevel> {
  for (const level of ['landlock', 'privileges'] as const) if (await works(level)) return level;
  return 'none';
}

async function works(level: ConfinementLevel): Promise<boolean> {
  const [tool = '', ...words] = confiningWords(level, forWriting('/dev/null'), 10);
  const [path, harmless] = [findTool(tool), findTool('true')];
  if (path === undefined || harmless === undefined) return false;
  const program = { path, args: [...words, harmless], environment: {}, input: undefined, isExpendable: false };
  const child = await SpawnedChild.start(program).catch(() => undefined);
  // A child keeps no event loop going, and `moored --doctor` has nothing else to wait for.
  const deadline = setTimeout(() => {
    if (child?.hasEnded === false) process.kill(-child.pid, 'SIGKILL');
  }, deadlineMs);
  try {
    return (await child?.closed)?.exitCode === 0;
  } finally {
    clearTimeout(deadline);
  }
}
