import { createHash } from 'node:crypto';
import type { ChildProcesses, ChildResult } from '../ports/child-processes.ts';
import type { IscsiWay } from '../ports/iscsi-initiator.ts';
import type { IscsiRecordFiles } from './iscsi-record-file.ts';
import { iscsiadmError } from './iscsiadm-exit.ts';

/**
 * Every login goes through an interface record of our own: nobody else uses it, so a session under it was opened here,
 * and no record of an administrator (his CHAP, his node.startup) is ever changed.
 */
const ourInterfaces = 'moored';
const deadlineMs = 15_000;

export function isOurInterface(name: string): boolean {
  return name === ourInterfaces || name.startsWith(`${ourInterfaces}-`);
}

/** One for each pair of base interface and initiator name. */
export function ourInterface({ interface: base, initiatorName = '' }: IscsiWay): string {
  if (base === 'default' && initiatorName === '') return ourInterfaces;
  return `${ourInterfaces}-${createHash('sha256').update(`${base}\n${initiatorName}`).digest('hex').slice(0, 8)}`;
}

interface Use {
  count: number;
  readonly made: Promise<void>;
}

/**
 * The record is there only while somebody logs in or out: a discovery without -I binds every target to all interfaces
 * that there are, and an administrator's must not find ours (iscsiadm(8)). Sessions go on without it.
 */
export class IscsiInterfaces {
  readonly #children: ChildProcesses;
  readonly #records: IscsiRecordFiles;
  readonly #uses = new Map<string, Use>();

  constructor(children: ChildProcesses, records: IscsiRecordFiles) {
    this.#children = children;
    this.#records = records;
  }

  /** Users of one interface work side by side: the first makes it, the last removes it. */
  async use<T>(way: IscsiWay, signal: AbortSignal, work: (name: string) => Promise<T>): Promise<T> {
    const name = ourInterface(way);
    const use = this.#uses.get(name) ?? { count: 0, made: this.#make(name, way, signal) };
    this.#uses.set(name, use);
    use.count++;
    try {
      await use.made;
      return await work(name);
    } finally {
      use.count--;
      if (use.count === 0) {
        this.#uses.delete(name);
        this.#records.removeInterface(name);
      }
    }
  }

  /** A record that a crash left behind is made anew. */
  async #make(name: string, way: IscsiWay, signal: AbortSignal): Promise<void> {
    const settings = await this.#settings(way, signal);
    this.#records.removeInterface(name);
    mustSucceed(await this.#run(name, ['-o', 'new'], signal), `Cannot make interface "${name}"`);
    for (const [key, value] of settings) {
      const result = await this.#run(name, ['-o', 'update', '-n', key, '-v', value], signal);
      mustSucceed(result, `Cannot set "${key}" of interface "${name}"`);
    }
  }

  /** What the interface that is asked for says, with the initiator name that is asked for. A new one is for tcp. */
  async #settings({ interface: base, initiatorName }: IscsiWay, signal: AbortSignal) {
    const settings = base === 'default' ? [] : await this.#settingsOf(base, signal);
    if (initiatorName === undefined) return settings;
    return [
      ...settings.filter(([key]) => key !== 'iface.initiatorname'),
      ['iface.initiatorname', initiatorName] as const,
    ];
  }

  async #settingsOf(base: string, signal: AbortSignal): Promise<readonly (readonly [string, string])[]> {
    const shown = await this.#run(base, ['-o', 'show'], signal);
    mustSucceed(shown, `Cannot read interface "${base}"`);
    const lines = [...shown.stdout.matchAll(/^(iface\.\w+) = (.+)$/gm)];
    return lines
      .map(([, key = '', value = '']) => [key, value] as const)
      .filter(([key, value]) => key !== 'iface.iscsi_ifacename' && value !== '<empty>' && value !== '0');
  }

  #run(name: string, verb: readonly string[], signal: AbortSignal): Promise<ChildResult> {
    return this.#children.run('iscsiadm', ['-m', 'iface', '-I', name, ...verb], { signal, deadlineMs });
  }
}

function mustSucceed({ exitCode, stderr }: ChildResult, action: string): void {
  if (exitCode !== 0) throw iscsiadmError(action, exitCode, stderr);
}
