import type { Section } from './section.ts';

/** What stands in the way of something, as the daemon says it. */
export interface Advised {
  readonly subject: string;
  readonly reason?: string | undefined;
  /** A line each. */
  readonly help?: string | undefined;
}

/** What to do about each of these, a row a line; no section when there is nothing to do. */
export function adviceSection(advised: readonly Advised[]): readonly Section[] {
  const rows = advised.flatMap(({ subject, reason = '', help = '' }) =>
    help === '' ? [] : help.split('\n').map((line) => [subject, reason, line]),
  );
  return rows.length === 0 ? [] : [{ title: 'What To Do', headers: ['About', 'Reason', 'Advice'], rows }];
}
