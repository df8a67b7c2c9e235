import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';

/** Nothing here takes so long: this ends a run that hangs. */
const deadlineMs = 180_000;

/** A child that is asked with a line and answers with lines. */
export class LineProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #name: string;
  readonly #ended: Promise<unknown>;
  #stderr = '';

  constructor(command: string, args: readonly string[]) {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#name = command;
    this.#child = child;
    this.#ended = new Promise((resolve) => child.once('close', resolve));
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    const reader: Interface = createInterface({ input: child.stdout });
    this.#lines = reader[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  ask(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** The lines up to the first that begins with `end`, that one included. */
  async until(end: string): Promise<readonly string[]> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), deadlineMs);
    try {
      const lines: string[] = [];
      for (;;) {
        const { value, done } = await this.#lines.next();
        if (done === true) throw new Error(`"${this.#name}" ended before "${end}": ${this.#stderr.trim()}`);
        lines.push(value);
        if (value.startsWith(end)) return lines;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await this.#ended;
    clearTimeout(timer);
  }
}
