import type { Writable } from 'node:stream';
import { escapeControls } from './escape-controls.ts';

/** Data to stdout, messages to stderr. */
export class Output {
  readonly #stdout: Writable;
  readonly #stderr: Writable;

  constructor(stdout: Writable, stderr: Writable) {
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** One or more whole lines of data; the last newline is added. The caller has escaped what came from the daemon. */
  print(lines: string): void {
    this.#stdout.write(`${lines}\n`);
  }

  /** A message beside the data. */
  note(message: string): void {
    this.#stderr.write(`${escapeControls(message)}\n`);
  }

  error(error: unknown): void {
    this.note(`error: ${error instanceof Error ? error.message : String(error)}`);
  }
}
