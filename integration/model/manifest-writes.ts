/** What a step of a history writes into the manifest directory. */
import { textOf } from './declarations.ts';
import type { Step } from './history.ts';
import type { Random } from './random.ts';

export type Write = Extract<Step, { kind: 'write' }>;

export const fileName = (index: number): string => `file-${index}.yaml`;

export function writtenText({ declarations, how }: Write, random: Random): string {
  const text = textOf(declarations);
  switch (how) {
    case 'whole':
      return text;
    case 'half':
      return text.slice(0, random.below(text.length + 1));
    case 'garbage':
      return `{{{ ${text}`;
  }
}
