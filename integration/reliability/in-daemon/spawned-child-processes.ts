/** Takes the place of daemon/host/spawned-child-processes.ts in the bundle of the crash matrix. */
import { basename } from 'node:path';
import { SpawnedChildProcesses as RealChildren } from '../../../daemon/host/spawned-child-processes.ts';
import type { ChildOptions, ChildProcesses, ChildResult } from '../../../daemon/ports/child-processes.ts';
import { around, forCopyingChild } from './crash-point.ts';

/** A login is one call of a port and four of iscsiadm: each of these is a step of its own. */
export class SpawnedChildProcesses implements ChildProcesses {
  readonly #children = new RealChildren();

  run(tool: string, args: readonly string[], options: ChildOptions): Promise<ChildResult> {
    const isCopy = basename(args[0] ?? '') === 'image-copy.js';
    const run = (): Promise<ChildResult> =>
      this.#children.run(tool, isCopy ? [...args, ...forCopyingChild] : args, options);
    if (tool !== 'iscsiadm') return run();
    return around({ port: tool, method: verbOf(args), args }, run) as Promise<ChildResult>;
  }
}

/** "iface-new", "node-login" */
function verbOf(args: readonly string[]): string {
  const after = (option: string): string => args[args.indexOf(option) + 1] ?? '';
  const verb = args.find((word) => word.startsWith('--'))?.slice(2) ?? after('-o');
  return `${after('-m')}-${verb}`;
}
