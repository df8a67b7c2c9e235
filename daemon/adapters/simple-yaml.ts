/**
 * The YAML that manifests are written in: block mappings and lists, values on one line, comments on lines of their own.
 * Twenty times as fast as the `yaml` package, and it never guesses: at anything else (anchors, tags, block scalars,
 * escapes, tabs, a duplicate key, any error) it answers undefined, and the text goes to `yaml`. simple-yaml.test.ts
 * holds the two against each other.
 */
import { plainScalar } from './plain-scalar.ts';
import { readSimpleFlow } from './simple-flow.ts';
import { oddKey, SimpleYamlRefusal } from './simple-key.ts';

export interface SimpleDocument {
  /** 1-based line of the first key; of the separator when the document is empty. */
  readonly line: number;
  readonly value: unknown;
}

export function readSimpleYaml(text: string): readonly SimpleDocument[] | undefined {
  if (/[^\n\x20-\x7e]/.test(text)) return undefined;
  try {
    return new SimpleYamlReader(text).documents();
  } catch (thrown) {
    if (thrown instanceof SimpleYamlRefusal) return undefined;
    throw thrown;
  }
}

const deepest = 100;
const endOfText = -1;
/** YAML 1.2.2, 7.4.2: an implicit key has at most 1024 characters. */
const keyLine = /^([A-Za-z_][\w./-]{0,1000}):(?: +(.*))?$/;
const quotedText = /^(?:"([^"\\]*)"|'([^']*)')$/;
/** Nothing that may begin a plain scalar but means something else, and no "#", which may begin a comment. */
const plainText = /^(?:[\w./+]|-[\w.])[\w./+:@=,-]*(?: [\w./+:@=,-]+)*$/;

class SimpleYamlReader {
  readonly #lines: readonly string[];
  /** The current line: its index, the column where its content begins, and the content. */
  #at = -1;
  #column = 0;
  #content = '';

  constructor(text: string) {
    this.#lines = text.split('\n');
    this.#nextLine();
  }

  documents(): readonly SimpleDocument[] {
    const documents: SimpleDocument[] = [];
    if (this.#column !== endOfText && this.#content !== '---') documents.push(this.#document());
    while (this.#column !== endOfText) {
      const separator = this.#at;
      this.#nextLine();
      const isEmpty = this.#column === endOfText || this.#content === '---';
      documents.push(isEmpty ? { line: separator + 1, value: null } : this.#document());
    }
    return documents;
  }

  #document(): SimpleDocument {
    const line = this.#at + 1;
    const value = this.#collection(this.#column, 0);
    if (this.#column !== endOfText && this.#content !== '---') throw new SimpleYamlRefusal();
    return { line, value };
  }

  #collection(column: number, depth: number): unknown {
    if (depth > deepest) throw new SimpleYamlRefusal();
    return isItem(this.#content) ? this.#list(column, depth) : this.#mapping(column, depth);
  }

  #mapping(column: number, depth: number): Record<string, unknown> {
    const mapping: Record<string, unknown> = {};
    while (this.#column === column && this.#content !== '---') {
      const [, key = '', rest = ''] = keyLine.exec(this.#content) ?? [];
      if (key === '' || oddKey.test(key) || Object.hasOwn(mapping, key)) throw new SimpleYamlRefusal();
      this.#nextLine();
      mapping[key] = rest === '' ? this.#valueBelow(column, depth) : this.#valueBeside(rest, column);
    }
    if (this.#column > column) throw new SimpleYamlRefusal();
    return mapping;
  }

  /** The items of a list below a key may stand in the column of the key. */
  #valueBelow(column: number, depth: number): unknown {
    if (this.#column > column) return this.#collection(this.#column, depth + 1);
    if (this.#column === column && isItem(this.#content)) return this.#list(column, depth + 1);
    return null;
  }

  /** A deeper next line would continue the scalar. */
  #valueBeside(text: string, column: number): unknown {
    if (this.#column > column) throw new SimpleYamlRefusal();
    return scalarOrFlow(text);
  }

  #list(column: number, depth: number): unknown[] {
    const list: unknown[] = [];
    while (this.#column === column && isItem(this.#content)) list.push(this.#item(column, depth));
    if (this.#column > column) throw new SimpleYamlRefusal();
    return list;
  }

  /** What follows "- " is a collection in its own column, or a scalar. */
  #item(column: number, depth: number): unknown {
    const content = this.#content.slice(1).trimStart();
    if (isItem(content) || keyLine.test(content)) {
      this.#column += this.#content.length - content.length;
      this.#content = content;
      return this.#collection(this.#column, depth + 1);
    }
    this.#nextLine();
    return this.#valueBeside(content, column);
  }

  /** To the next line that is neither blank nor a comment. */
  #nextLine(): void {
    for (this.#at += 1; this.#at < this.#lines.length; this.#at += 1) {
      const line = this.#lines[this.#at] ?? '';
      const content = line.trim();
      if (content === '' || content.startsWith('#')) continue;
      this.#column = line.indexOf(content);
      this.#content = content;
      // Markers count in the first column only; elsewhere, or with something behind, they are for `yaml`.
      if (content.startsWith('...') || (content.startsWith('---') && (content !== '---' || this.#column > 0)))
        throw new SimpleYamlRefusal();
      return;
    }
    this.#column = endOfText;
    this.#content = '';
  }
}

function isItem(content: string): boolean {
  return content.startsWith('- ');
}

function scalarOrFlow(text: string): unknown {
  if (plainText.test(text) && !text.includes(': ') && !text.endsWith(':')) return plainScalar(text);
  const quoted = quotedText.exec(text);
  if (quoted !== null) return quoted[1] ?? quoted[2];
  if (text.startsWith('{') || text.startsWith('[')) return readSimpleFlow(text);
  throw new SimpleYamlRefusal();
}
