/**
 * What an unquoted scalar of a manifest means to Kubernetes, whose parser (goyaml) speaks YAML 1.1 where it differs:
 * 0644 is octal, yes and off are booleans; but `y` and dates stay text.
 */
const nullWords = /^(?:~|null|Null|NULL)?$/;
const trueWords = /^(?:true|True|TRUE|yes|Yes|YES|on|On|ON)$/;
const falseWords = /^(?:false|False|FALSE|no|No|NO|off|Off|OFF)$/;
const octal = /^[-+]?0o?[0-7]+$/;
const hexadecimal = /^0x[0-9a-fA-F]+$/;
const decimal = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const longestWord = 5;

export function plainScalar(text: string): string | number | boolean | null {
  const first = text.charCodeAt(0);
  // Digits, and + - . that may begin a number; NaN is the empty text.
  if ((first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e) return numberOrText(text);
  if (text.length > longestWord) return text;
  if (nullWords.test(text)) return null;
  if (trueWords.test(text)) return true;
  return falseWords.test(text) ? false : text;
}

function numberOrText(text: string): number | string {
  if (octal.test(text)) return exactOrText(octalValue(text), text);
  if (hexadecimal.test(text)) return exactOrText(Number(text), text);
  return decimal.test(text) ? exactOrText(Number(text), text) : text;
}

/** 1e999, and integers that a double cannot hold, stay text: quantities read it exactly. */
function exactOrText(value: number, text: string): number | string {
  const isExact = Number.isSafeInteger(value) || !/^[-+]?(?:0[xo]?)?[0-9a-fA-F]+$/.test(text);
  return Number.isFinite(value) && isExact ? value : text;
}

function octalValue(text: string): number {
  const value = Number.parseInt(text.replace(/^[-+]?0o?/, ''), 8);
  return text.startsWith('-') ? -value : value;
}
