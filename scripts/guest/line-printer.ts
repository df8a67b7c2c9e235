import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';

/** Prints whole lines with a name before each, so that several programs can write side by side. */
export class LinePrinter {
  readonly #name: string;
  readonly #decoder = new StringDecoder('utf8');
  #pending = '';

  constructor(name: string) {
    this.#name = name;
  }

  print(chunk: Buffer | string): void {
    const lines = (this.#pending + this.#decoder.write(chunk)).split('\n');
    this.#pending = lines.pop() ?? '';
    for (const line of lines) this.#write(line);
  }

  end(): void {
    if (this.#pending !== '') this.#write(this.#pending);
    this.#pending = '';
  }

  #write(line: string): void {
    const text = stripVTControlCharacters(line).trimEnd();
    if (text !== '') process.stdout.write(`${this.#name.padEnd(8)}| ${text}\n`);
  }
}
