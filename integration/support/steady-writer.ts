import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { eventually } from './eventually.ts';

/** Appends the numbers from 0 on, each synced before the next, and ends at the first error. */
const program = `
const { openSync, writeSync, fdatasyncSync } = require('node:fs');
const file = openSync(process.argv[1], 'ax');
let next = 0;
setInterval(() => { writeSync(file, next + '\\n'); fdatasyncSync(file); next += 1; }, 5);
`;

/** A workload that writes all the while. */
export class SteadyWriter {
  readonly #path: string;
  readonly #child: ChildProcess;
  readonly #exit: Promise<readonly unknown[]>;

  constructor(path: string) {
    this.#path = path;
    this.#child = spawn(process.execPath, ['--eval', program, path], { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#exit = once(this.#child, 'exit');
  }

  #written(): readonly string[] {
    return readFileSync(this.#path, 'utf8').trimEnd().split('\n');
  }

  /** Waits until it has written more than now. */
  async goesOn(): Promise<void> {
    let before: number | undefined;
    await eventually(() => {
      if (this.#child.exitCode !== null) throw new Error(`The writer has ended with ${this.#child.exitCode}`);
      try {
        before ??= this.#written().length;
        return this.#written().length > before || 'nothing was written';
      } catch (error) {
        return String(error);
      }
    });
  }

  /** Ends it. Returns how many numbers are there; throws when one is missing or twice. */
  async stop(): Promise<number> {
    if (this.#child.exitCode !== null) throw new Error(`The writer has ended with ${this.#child.exitCode}`);
    this.#child.kill('SIGTERM');
    await this.#exit;
    const lines = this.#written();
    const wrong = lines.findIndex((line, index) => line !== String(index));
    if (wrong >= 0) throw new Error(`Line ${wrong} of "${this.#path}" is "${lines[wrong]}"`);
    return lines.length;
  }
}
