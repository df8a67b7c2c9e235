/** Takes the place of a value wherever somebody prints it. */
const mask = '***';

/**
 * A text that must never be shown. It leaves this object through `reveal()` alone: printed, logged, serialised or
 * inspected it is `***`, so that a careless line loses nothing.
 */
export class SecretValue {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  equals(other: SecretValue): boolean {
    return this.#text === other.#text;
  }

  toString(): string {
    return mask;
  }

  toJSON(): string {
    return mask;
  }

  /** util.inspect, and with it the console, asks for this symbol. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return mask;
  }
}
