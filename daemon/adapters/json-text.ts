/** JSON by the engine's own parser. */

export interface JsonDocument {
  readonly line: number;
  readonly value: unknown;
}

/**
 * The value of a JSON text, as a list of one; undefined when it is not JSON or JSON.parse would lose something: it
 * keeps the last of two equal keys without a word, and rounds integers beyond 2^53.
 */
export function readJson(text: string): readonly JsonDocument[] | undefined {
  const start = text.search(/[^ \t\r\n]/);
  if (start === -1 || (text[start] !== '{' && text[start] !== '[')) return undefined;
  if (/\d{16}/.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const keys = countKeys(value, 0);
  if (keys === undefined || keys !== countWrittenKeys(text)) return undefined;
  return [{ line: text.slice(0, start).split('\n').length, value }];
}

function countWrittenKeys(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"[ \t\r\n]*(:)?/g)) {
    if (colon !== undefined) count += 1;
  }
  return count;
}

function countKeys(value: unknown, depth: number): number | undefined {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > 100) return undefined;
  const items = Array.isArray(value) ? (value as readonly unknown[]) : Object.values(value);
  let count = Array.isArray(value) ? 0 : items.length;
  for (const item of items) {
    const inside = countKeys(item, depth + 1);
    if (inside === undefined) return undefined;
    count += inside;
  }
  return count;
}
