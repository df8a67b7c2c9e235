import { ageOf } from '../age.ts';
import type { Style } from '../style.ts';
import { cellText, formatTable } from '../table.ts';

/** A line "Label:   text", or a label with lines below it. */
export type Field = readonly [label: string, text: string | readonly string[]];

/** A table below a heading, as describe shows conditions, volumes and events. */
export interface Section {
  readonly title: string;
  readonly headers: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly stateColumn?: number;
}

export interface Description {
  readonly fields: readonly Field[];
  readonly sections: readonly Section[];
}

export function formatDescription({ fields, sections }: Description, style: Style): string {
  const width = Math.max(...fields.map(([label]) => label.length + 1), 0) + 2;
  return [
    ...fields.flatMap((field) => fieldLines(field, width)),
    ...sections.map((one) => formatSection(one, width, style)),
  ].join('\n');
}

function fieldLines([label, text]: Field, width: number): string[] {
  const lines = typeof text === 'string' ? text.split('\n') : text;
  const [first = '', ...more] = lines.map(cellText);
  return [
    `${`${label}:`.padEnd(width)}${first === '' ? '<none>' : first}`,
    ...more.map((line) => ' '.repeat(width) + line),
  ];
}

function formatSection({ title, headers, rows, stateColumn }: Section, width: number, style: Style): string {
  if (rows.length === 0) return `${`${title}:`.padEnd(width)}<none>`;
  return `${title}:\n${formatTable(rows, { style, headers, stateColumn, indent: '  ' })}`;
}

/** "key=value" lines. */
export function pairs(record: Readonly<Record<string, string>> | undefined): readonly string[] {
  return Object.entries(record ?? {}).map(([key, value]) => `${key}=${value}`);
}

/** "2026-01-02T03:04:05Z (5m3s ago)". */
export function timeAndAge(timestamp: string | undefined, nowMs: number): string {
  return timestamp === undefined || timestamp === '' ? '' : `${timestamp} (${ageOf(timestamp, nowMs)} ago)`;
}
