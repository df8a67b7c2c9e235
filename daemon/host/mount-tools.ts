import type { ChildResult } from '../ports/child-processes.ts';
import type { DeviceMountRequest } from '../ports/mounter.ts';
import { StorageError, type StorageErrorFacts } from '../world/storage-error.ts';
import { codeOfStderr, mountArguments } from './mount-commands.ts';

/** `ChildProcesses.run` with a signal: rejects when the child could not be started or was ended before it was done. */
export type RunTool = (
  tool: string,
  args: readonly string[],
  signal: AbortSignal,
) => Promise<Pick<ChildResult, 'exitCode' | 'stderr'>>;

/** mount(8) and umount(8) in children: what touches a device or a server may hang, and only a child can be given up. */
export class MountTools {
  readonly #run: RunTool;

  constructor(run: RunTool) {
    this.#run = run;
  }

  /** @param place path that leads to the opened target, e.g. "/proc/123/fd/7". */
  async mount(request: DeviceMountRequest, place: string, signal: AbortSignal): Promise<void> {
    const args = mountArguments(request, place);
    const result = await this.#run('mount', args, signal);
    const facts = {
      operation: 'mount',
      source: request.device,
      target: request.target,
      flags: args[args.indexOf('-o') + 1] ?? '',
    };
    const stderr = result.stderr.replaceAll(place, request.target);
    requireSuccess(`Cannot mount "${request.device}" at "${request.target}"`, { ...result, stderr }, facts);
  }

  /** Never lazy, never forced. -c: the path is not resolved, so nothing but the kernel looks at what is mounted. */
  async unmount(target: string, signal: AbortSignal): Promise<void> {
    const result = await this.#run('umount', ['-c', target], signal);
    requireSuccess(`Cannot unmount "${target}"`, result, { operation: 'umount', target });
  }
}

export function requireSuccess(
  action: string,
  { exitCode, stderr }: Pick<ChildResult, 'exitCode' | 'stderr'>,
  facts: StorageErrorFacts,
  codeOf = codeOfStderr,
): void {
  if (exitCode === 0) return;
  const said = stderr.trim();
  const cause = said.split('\n', 1)[0] || `exit status ${exitCode}`;
  throw new StorageError(`${action}: ${cause}`, { ...facts, stderr: said, exitCode, code: codeOf(said) });
}
