import { UsageError } from './exit-code.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration as kubectl's flags take it: "30s", "1m30s", "1.5h", "500ms", "0". */
export function parseDuration(text: string): number {
  if (text === '0') return 0;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) {
    throw new UsageError(`Cannot read the duration "${text}": wanted numbers with units ms, s, m or h, such as 1m30s`);
  }
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g);
  return Array.from(parts, ([, value, unit]) => Number(value) * (unitMs[unit ?? ''] ?? 0)).reduce((a, b) => a + b, 0);
}
