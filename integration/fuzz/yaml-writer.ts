import type { Random } from './random.ts';
import type { Tree } from './tree.ts';

/** Documents as people and programs write them: block or flow style, JSON, quoted or not, with a list around them. */
export function printDocuments(random: Random, documents: readonly Tree[]): string {
  if (random.chance(8)) return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: documents })}\n`;
  if (documents.length === 1 && random.chance(6))
    return `${JSON.stringify(documents[0], undefined, random.pick([0, 2]))}\n`;
  const writer = new YamlWriter(random);
  const printed = documents.map((document) => {
    const comment = random.chance(5) ? '# a comment: [with] {signs}\n' : '';
    return comment + writer.document(document);
  });
  return `${random.chance(3) ? '---\n' : ''}${printed.join('---\n')}`;
}

/** One hand's habits: some quote wherever they like, most only where they must, so that the quick reader takes them. */
class YamlWriter {
  readonly #random: Random;
  readonly #quotesAtWill: boolean;

  constructor(random: Random) {
    this.#random = random;
    this.#quotesAtWill = random.chance(3);
  }

  document(document: Tree): string {
    return this.#random.chance(8) ? `${this.#flow(document)}\n` : this.#block(document, 0);
  }

  #block(value: unknown, column: number): string {
    const pad = ' '.repeat(column);
    if (isEmptyOrScalar(value)) return `${this.#scalar(value)}\n`;
    if (Array.isArray(value)) return value.map((item) => `${pad}- ${this.#item(item, column)}`).join('');
    return Object.entries(value as Tree)
      .map(([key, child]) => `${pad}${this.#text(key)}:${this.#child(child, column)}`)
      .join('');
  }

  #item(item: unknown, column: number): string {
    return isEmptyOrScalar(item) ? `${this.#scalar(item)}\n` : this.#block(item, column + 2).slice(column + 2);
  }

  #child(child: unknown, column: number): string {
    if (isEmptyOrScalar(child)) return ` ${this.#scalar(child)}\n`;
    if (this.#random.chance(8)) return ` ${this.#flow(child)}\n`;
    return `\n${this.#block(child, column + (Array.isArray(child) && this.#random.chance(2) ? 0 : 2))}`;
  }

  #flow(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map((item) => this.#flow(item)).join(', ')}]`;
    if (typeof value !== 'object' || value === null) return this.#scalar(value);
    const entries = Object.entries(value as Tree).map(([key, child]) => `${this.#text(key)}: ${this.#flow(child)}`);
    return `{ ${entries.join(', ')} }`;
  }

  #scalar(value: unknown): string {
    return typeof value === 'string' ? this.#text(value) : (JSON.stringify(value) ?? 'null');
  }

  /** Unquoted only where it means itself in every reader. */
  #text(value: string): string {
    const isPlain = /^[A-Za-z][\w./-]*$/.test(value) && !/^(y|yes|no|on|off|n|true|false|null)$/i.test(value);
    if (isPlain && !(this.#quotesAtWill && this.#random.chance(3))) return value;
    const isSimple = /^[\x20-\x7e]*$/.test(value) && !/['\\]/.test(value);
    return isSimple && this.#random.chance(3) ? `'${value}'` : JSON.stringify(value);
  }
}

function isEmptyOrScalar(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return (Array.isArray(value) ? value : Object.keys(value)).length === 0;
}
