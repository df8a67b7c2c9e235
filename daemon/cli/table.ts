import type { Style } from './style.ts';

const gap = '   ';

export interface TableOptions {
  readonly style: Style;
  /** Undefined for a table without a heading line. */
  readonly headers?: readonly string[];
  /** Index of the column whose words are states and get a color. */
  readonly stateColumn?: number | undefined;
  /** At least these widths, so that rows printed later stay below their headings. */
  readonly minWidths?: readonly number[];
  readonly indent?: string;
}

/** Rows padded as kubectl does: three spaces between columns, nothing after the last. `<none>` stands for ''. */
export function formatTable(rows: readonly (readonly string[])[], options: TableOptions): string {
  const cells = rows.map((row) => row.map(cellText));
  const widths = columnWidths(options.headers === undefined ? cells : [options.headers, ...cells], options.minWidths);
  const { style, stateColumn, indent = '' } = options;
  const heading = options.headers === undefined ? [] : [formatRow(options.headers, widths)];
  const body = cells.map((row) =>
    formatRow(row, widths, (text, column) => (column === stateColumn ? style.state(text) : text)),
  );
  return [...heading, ...body].map((line) => `${indent}${line}`).join('\n');
}

/** Widths in code points; names, paths and messages are shown one column a code point. */
export function columnWidths(rows: readonly (readonly string[])[], minWidths: readonly number[] = []): number[] {
  const widths = [...minWidths];
  for (const row of rows) {
    for (const [column, text] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, lengthOf(text));
  }
  return widths;
}

/** A cell is one line: what would break it is spelled out. */
export function cellText(text: string): string {
  return text === '' ? '<none>' : text.replaceAll('\n', '\\n').replaceAll('\t', '\\t');
}

function formatRow(
  cells: readonly string[],
  widths: readonly number[],
  paint: (text: string, column: number) => string = (text) => text,
): string {
  const last = cells.length - 1;
  return cells.map((text, column) => paint(column === last ? text : pad(text, widths[column] ?? 0), column)).join(gap);
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - lengthOf(text)));
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
