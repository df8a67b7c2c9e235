import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildProcesses } from '../ports/child-processes.ts';
import type { Held, MountHolders } from '../ports/mount-holders.ts';
import type { MountHolder } from '../world/mount-holder.ts';

const deadlineMs = 5_000;

/** Beside this file: a bundle of its own in dist/lib, the module itself when run from source. */
const bundled = join(import.meta.dirname, 'mount-holders.js');
const program = existsSync(bundled) ? bundled : join(import.meta.dirname, 'holders/main.ts');

/** /proc/PID/maps waits for a lock that a process hung on a dead server may have: hence in a child. */
export class LinuxMountHolders implements MountHolders {
  readonly #children: ChildProcesses;

  constructor(children: ChildProcesses) {
    this.#children = children;
  }

  async find(held: Held, signal: AbortSignal): Promise<readonly MountHolder[]> {
    try {
      const args = [program, JSON.stringify(held), String(process.pid)];
      const { exitCode, stdout } = await this.#children.run(process.execPath, args, { signal, deadlineMs });
      return exitCode === 0 ? (JSON.parse(stdout) as MountHolder[]) : [];
    } catch {
      return [];
    }
  }
}
