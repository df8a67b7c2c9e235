/**
 * Kubernetes' resource.Quantity, exact at any size: BigInt milli-units instead of a double.
 * Grammar: k8s.io/apimachinery/pkg/api/resource, `<signedNumber><suffix>`.
 */

export interface Quantity {
  /** The value in thousandths; finer fractions are rounded away from zero, as upstream rounds up below nano. */
  readonly milli: bigint;
  /** The user's spelling: shown and stored, never compared. */
  readonly text: string;
}

const grammar = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE])|[eE]([+-]?\d{1,3}))?$/;

const binaryExponent: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const decimalExponent: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};

/** No disk and no memory needs more digits; without a limit `1e999` would be a number of 999 digits. */
const longestText = 64;
const largestExponent = 30;

/** Claims and volumes are compared again and again, and have few sizes. */
const parsed = new Map<string, Quantity>();
const mostParsed = 1_000;

/**
 * @throws RangeError naming the text and the accepted spellings.
 */
export function parseQuantity(text: string): Quantity {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const quantity = readQuantity(text);
  if (parsed.size >= mostParsed) parsed.clear();
  parsed.set(text, quantity);
  return quantity;
}

function readQuantity(text: string): Quantity {
  const match = text.length <= longestText ? grammar.exec(text) : null;
  const [, sign = '', whole = '', fraction = match?.[4] ?? '', , suffix = '', exponent = '0'] = match ?? [];
  if (match === null || Math.abs(Number(exponent)) > largestExponent) {
    throw new RangeError(`Cannot read quantity "${text.slice(0, longestText)}": ${quantitySpelling}`);
  }
  const power = (decimalExponent[suffix] ?? 0) + Number(exponent) + 3 - fraction.length;
  const digits = BigInt(whole + fraction) << BigInt(binaryExponent[suffix] ?? 0);
  const milli = power >= 0 ? digits * 10n ** BigInt(power) : divideRoundingUp(digits, 10n ** BigInt(-power));
  return { milli: sign === '-' ? -milli : milli, text };
}

/** What an error about a quantity tells the user to write. */
export const quantitySpelling =
  'want a number with an optional suffix Ki Mi Gi Ti Pi Ei, n u m k M G T P E, or an exponent (64Mi, 1.5G, 1e9)';

export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  if (a.milli === b.milli) return 0;
  return a.milli < b.milli ? -1 : 1;
}

/** Whole bytes, a fraction of one rounded up: who asks for 0.5 gets a byte. */
export function bytesOf(quantity: Quantity): bigint {
  return quantity.milli > 0n ? divideRoundingUp(quantity.milli, 1000n) : quantity.milli / 1000n;
}

/** The shortest exact spelling with a binary suffix: 67108864n is "64Mi", 1000n is "1000". */
export function formatBytes(bytes: bigint): string {
  const suffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
  let value = bytes;
  let unit = 0;
  while (value !== 0n && unit < suffixes.length - 1 && value % 1024n === 0n) {
    value /= 1024n;
    unit += 1;
  }
  return `${value}${suffixes[unit] ?? ''}`;
}

function divideRoundingUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
