const endMark = /\0end (\d+) (\d+)\0/;
/** What may be the beginning of an end mark, at the end of what has arrived. */
const beginningOfEndMark = /\0(?:e(?:n(?:d(?: [\d ]*)?)?)?)?$/;

/** Takes a serial line of a guest apart: the output of a command, byte by byte, and the mark that ends it. */
export class OutputReader {
  readonly #onOutput: (bytes: Buffer) => void;
  readonly #onEnd: (command: number, code: number) => void;
  /** One character a byte. */
  #pending = '';

  constructor(onOutput: (bytes: Buffer) => void, onEnd: (command: number, code: number) => void) {
    this.#onOutput = onOutput;
    this.#onEnd = onEnd;
  }

  feed(bytes: Buffer): void {
    this.#pending += bytes.toString('latin1');
    for (let mark = endMark.exec(this.#pending); mark !== null; mark = endMark.exec(this.#pending)) {
      this.#emit(mark.index);
      this.#pending = this.#pending.slice(mark[0].length);
      this.#onEnd(Number(mark[1]), Number(mark[2]));
    }
    this.#emit(beginningOfEndMark.exec(this.#pending)?.index ?? this.#pending.length);
  }

  #emit(length: number): void {
    if (length > 0) this.#onOutput(Buffer.from(this.#pending.slice(0, length), 'latin1'));
    this.#pending = this.#pending.slice(length);
  }
}
