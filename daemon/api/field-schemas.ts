/** Fields that more than one kind has. */
import {
  dnsLabelProblem,
  dnsSubdomainProblem,
  hasControlCharacters,
  labelValueProblem,
  qualifiedNameProblem,
  quoted,
} from './names.ts';
import { parseQuantity, quantitySpelling } from './quantity.ts';
import { constrained, listOf, mapOf, mapped, oneOf, type Schema, text, textWith, valueWith } from './schema.ts';

export const dnsLabel = textWith(dnsLabelProblem);
export const dnsSubdomain = textWith(dnsSubdomainProblem);
export const qualifiedName = textWith(qualifiedNameProblem);
export const singleLine = textWith(singleLineProblem);
/** '' means: no class. */
export const className = textWith((name) => (name === '' ? undefined : dnsSubdomainProblem(name)));

export const labels = textMap(qualifiedNameProblem, labelValueProblem);
export const annotations = textMap(qualifiedNameProblem, () => undefined);
/** Parameters and attributes of drivers: any keys, values on one line. */
export const attributes = textMap(singleLineProblem, singleLineProblem);

export const volumeMode = oneOf(['Filesystem', 'Block']);

const accessMode = oneOf(['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod']);

export const accessModes = constrained(listOf(accessMode), (modes) => {
  if (modes.length === 0) return [{ keys: [], message: 'required: at least one access mode' }];
  if (modes.length === 1 || !modes.includes('ReadWriteOncePod')) return [];
  return [{ keys: [], message: 'ReadWriteOncePod allows no other access mode beside it' }];
});

/** One option a string; which options are allowed is the mounter's business (world/mount-options.ts). */
export const mountOptions = listOf(textWith(mountOptionProblem));

/** A quantity above zero (or from zero on), as text: YAML's `storage: 1000` is a number. */
export function quantity(least: 'positive' | 'zero'): Schema<string> {
  const spelled = mapped(valueWith('a quantity', isTextOrNumber), String);
  return constrained(spelled, (spelling) => {
    const message = quantityProblem(spelling, least);
    return message === undefined ? [] : [{ keys: [], message }];
  });
}

export function quantityProblem(spelling: string, least: 'positive' | 'zero'): string | undefined {
  try {
    const { milli } = parseQuantity(spelling);
    if (milli > 0n || (milli === 0n && least === 'zero')) return undefined;
    return `${quoted(spelling)} is too small: want ${least === 'zero' ? 'zero or more' : 'more than zero'}`;
  } catch {
    return `${quoted(spelling)} is not a quantity: ${quantitySpelling}`;
  }
}

export function singleLineProblem(line: string): string | undefined {
  return hasControlCharacters(line) ? `${quoted(line)} contains control characters` : undefined;
}

export function absolutePathProblem(path: string): string | undefined {
  // PATH_MAX counts the ending NUL.
  if (path.length > 4095) return `${quoted(path)} is longer than 4095 characters`;
  if (!path.startsWith('/')) return `${quoted(path)} is not an absolute path`;
  return climbingProblem(path);
}

export function climbingProblem(path: string): string | undefined {
  return path.split('/').includes('..') ? `${quoted(path)} contains ".."` : singleLineProblem(path);
}

/** A comma would smuggle a second option past an allow-list that looks at one. */
function mountOptionProblem(option: string): string | undefined {
  if (option === '') return 'an option is empty';
  if (option.includes(',')) return `${quoted(option)} contains ",": want one option an entry`;
  return singleLineProblem(option);
}

function textMap(
  keyProblem: (key: string) => string | undefined,
  valueProblem: (value: string) => string | undefined,
): Schema<Record<string, string>> {
  return constrained(mapOf(text()), (map) =>
    Object.entries(map).flatMap(([key, value]) => {
      const message = keyProblem(key) ?? valueProblem(value);
      return message === undefined ? [] : [{ keys: [key], message }];
    }),
  );
}

function isTextOrNumber(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
