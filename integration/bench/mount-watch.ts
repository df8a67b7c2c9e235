import { LineProcess } from './line-process.ts';

/** A mount below the root that came or went, at a time of process.hrtime.bigint() in ms. */
export interface MountChange {
  readonly kind: 'mounted' | 'unmounted';
  readonly at: number;
  readonly path: string;
}

/** The mount table as a process outside of the tools sees it. */
export class MountWatch implements AsyncDisposable {
  readonly #process: LineProcess;
  #method = '';

  constructor(program: string, root: string) {
    this.#process = new LineProcess(program, [root]);
  }

  /** How the table was read; known after the first answer. */
  get method(): string {
    return this.#method;
  }

  /** Resolves once exactly `count` mounts are below the root, with what changed since the last answer. */
  async until(count: number): Promise<readonly MountChange[]> {
    this.#process.ask(String(count));
    const lines = await this.#process.until('.');
    this.#method = lines.at(-1)?.slice(2) ?? '';
    return lines.slice(0, -1).map(changeOf);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}

function changeOf(line: string): MountChange {
  const [sign, at = '', ...path] = line.split(' ');
  return { kind: sign === '+' ? 'mounted' : 'unmounted', at: Number(at) / 1e6, path: path.join(' ') };
}

/** The clock of the C programs, ms. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
