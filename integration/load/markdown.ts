import { spread } from '../bench/sample.ts';

export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = heading.map((_, index) => (index === 0 ? '---' : '---:'));
  return [heading, rule, ...rows].map(line).join('\n');
}

export function digits(value: number): string {
  return value.toFixed(Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0);
}

/** min / median / max */
export function spreadText(values: readonly number[]): string {
  if (values.length === 0) return '–';
  const { min, median, max } = spread(values);
  return `${digits(min)} / ${digits(median)} / ${digits(max)}`;
}
