import { existsSync } from 'node:fs';
import type { ChildProcesses } from '../ports/child-processes.ts';
import type { ServiceManager } from '../ports/service-manager.ts';
import { StorageError } from '../world/storage-error.ts';

/** systemctl answers at once or, when systemd is busy with itself, within its D-Bus timeout of 25 s. */
const deadlineMs = 30_000;

export class Systemd implements ServiceManager {
  readonly #children: ChildProcesses;

  constructor(children: ChildProcesses) {
    this.#children = children;
  }

  async stop(unit: string, signal: AbortSignal): Promise<'stopping' | 'inactive'> {
    // sd_booted(3): the directory is there exactly where systemd is the first process.
    if (!existsSync('/run/systemd/system')) throw refused(unit, 'this machine is not run by systemd');
    const state = await this.#systemctl(unit, ['show', '--property=ActiveState', '--value', '--', unit], signal);
    if (state === 'inactive' || state === 'failed') return 'inactive';
    await this.#systemctl(unit, ['stop', '--no-block', '--', unit], signal);
    return 'stopping';
  }

  async #systemctl(unit: string, args: readonly string[], signal: AbortSignal): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#children.run('systemctl', args, { signal, deadlineMs });
    if (exitCode === 0) return stdout.trim();
    throw refused(unit, `systemctl ${args[0]} exited with ${exitCode}: ${stderr.trim()}`);
  }
}

function refused(unit: string, cause: string): StorageError {
  return new StorageError(`Cannot stop unit "${unit}": ${cause}`, {
    code: 'Unavailable',
    progress: 'transient',
    operation: 'stopUnit',
    target: unit,
  });
}
