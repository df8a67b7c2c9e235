/** Written plain, a YAML 1.1 reader would take these for something else (true, null, …), so they are quoted. */
const words = /^(?:y|n|yes|no|on|off|true|false|null|\.nan|\.inf)$/i;

/** What begins with a digit and still is no number: quantities and uids. */
const digitsFirst = /^(?:\d+(?:\.\d+)?(?:[KMGTPE]i|[munkMGTPE])|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/;

/** A letter or path sign first, then nothing that YAML gives a meaning; so never a number, a date or an indicator. */
const plain = /^[A-Za-z_/.][\w./@%+^~-]*(?:(?:[ =,()$;]|:(?=\S))+[\w./@%+^~-]+)*$/;

/** A dot alone or before digits is a number to some reader, as is e2; three dots end a document. */
const fraction = /^(?:\.[\d_.]*)?(?:e[-+]?\d+)?$/i;

/**
 * JSON values as YAML in kubectl's layout: two spaces, lists at the indentation of their key, strings plain where that
 * is safe for YAML 1.1 and 1.2 readers and else in double quotes, which hold any JSON string. undefined is left out.
 */
export function toYaml(value: unknown): string {
  return lines(value).join('\n');
}

function lines(value: unknown): string[] {
  if (Array.isArray(value) && value.length > 0) {
    return value.flatMap((item) => prefixed(lines(item ?? null), '- ', '  '));
  }
  const fields = fieldsOf(value);
  return fields.length > 0 ? fields.flatMap(([key, field]) => fieldLines(scalar(key), field)) : [scalar(value)];
}

function fieldLines(key: string, value: unknown): string[] {
  if (Array.isArray(value) && value.length > 0) return [`${key}:`, ...lines(value)];
  if (fieldsOf(value).length > 0) return [`${key}:`, ...prefixed(lines(value), '  ', '  ')];
  return [`${key}: ${scalar(value)}`];
}

function fieldsOf(value: unknown): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).filter(([, field]) => field !== undefined);
}

function prefixed(text: readonly string[], first: string, rest: string): string[] {
  return text.map((line, index) => (index === 0 ? first : rest) + line);
}

function scalar(value: unknown): string {
  if (typeof value === 'string') return isPlain(value) ? value : quoted(value);
  if (Array.isArray(value)) return '[]';
  if (typeof value === 'object' && value !== null) return '{}';
  return String(value);
}

function isPlain(text: string): boolean {
  return digitsFirst.test(text) || (plain.test(text) && !words.test(text) && !fraction.test(text));
}

/** A JSON string is a YAML double-quoted string; what JSON leaves bare beyond ASCII controls is escaped as well. */
function quoted(text: string): string {
  const unsafe = /[\u007f-\u00a0\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;
  return JSON.stringify(text).replace(unsafe, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
