/** Flow style on one line, `{ name: data, modes: [ReadWriteOnce] }`, of names, numbers and quoted text without escapes. */

import { plainScalar } from './plain-scalar.ts';
import { oddKey, SimpleYamlRefusal } from './simple-key.ts';

const deepest = 20;
const blanks = / */y;
const key = /([A-Za-z_][\w./-]{0,1000}): +/y;
/** A colon inside a scalar begins no value when no space follows it. */
const scalar = /"([^"\\]*)"|'([^']*)'|([\w./](?:[\w./+=@-]|:(?=[\w./]))*)/y;

/** @throws SimpleYamlRefusal for anything else. */
export function readSimpleFlow(text: string): unknown {
  const reader = new FlowReader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class FlowReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): unknown {
    if (depth > deepest) throw new SimpleYamlRefusal();
    if (this.#take('{')) return this.#mapping(depth);
    if (this.#take('[')) return this.#list(depth);
    const [, double, single, plain = ''] = this.#match(scalar);
    return double ?? single ?? plainScalar(plain);
  }

  end(): void {
    if (this.#at !== this.#text.length) throw new SimpleYamlRefusal();
  }

  #mapping(depth: number): Record<string, unknown> {
    const mapping: Record<string, unknown> = {};
    if (this.#take('}')) return mapping;
    do {
      const [, name = ''] = this.#match(key);
      if (oddKey.test(name) || Object.hasOwn(mapping, name)) throw new SimpleYamlRefusal();
      mapping[name] = this.value(depth + 1);
    } while (this.#take(','));
    if (!this.#take('}')) throw new SimpleYamlRefusal();
    return mapping;
  }

  #list(depth: number): unknown[] {
    const list: unknown[] = [];
    if (this.#take(']')) return list;
    do list.push(this.value(depth + 1));
    while (this.#take(','));
    if (!this.#take(']')) throw new SimpleYamlRefusal();
    return list;
  }

  /** The character and the blanks around it, when it is next. */
  #take(character: string): boolean {
    const before = this.#at;
    this.#match(blanks);
    if (this.#text[this.#at] === character) {
      this.#at += 1;
      this.#match(blanks);
      return true;
    }
    this.#at = before;
    return false;
  }

  #match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) throw new SimpleYamlRefusal();
    this.#at += match[0].length;
    return match;
  }
}
