/**
 * C0 but for newline and tab, DEL, C1, and the Unicode marks that end a line or turn the direction of writing: what a
 * terminal obeys instead of showing.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this file is about
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The same value with every control character in its strings (and keys) spelled out: ESC becomes `\x1b`. */
export function escapeControls<T>(value: T): T {
  return escapeDeep(value) as T;
}

function escapeDeep(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(controls, spellOut);
  if (Array.isArray(value)) return value.map(escapeDeep);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [escapeDeep(key), escapeDeep(field)]));
}

function spellOut(character: string): string {
  const code = character.charCodeAt(0).toString(16);
  return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
}

/** JSON that a terminal can only show: JSON.stringify leaves DEL, C1 and the direction marks as they are. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, undefined, 4).replace(controls, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
