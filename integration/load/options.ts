import { parseArgs } from 'node:util';

export const parts = ['churn', 'growth', 'newcomer', 'crowded', 'planner', 'starvation'] as const;
export type Part = (typeof parts)[number];

export interface Options {
  readonly only: ReadonlySet<Part>;
  /** Everything a tenth as large. */
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly repeats: number;
}

export const usage = `Usage: npm run load -- [options]

  --quick          a tenth of everything
  --only PART,…    ${parts.join(', ')}  (default all)
  --rounds N       of pods that come and go                       (default 5)
  --repeats N      of each number of pods that growth is fitted to (default 3)

A V8 CPU profile of each daemon goes into the directory $MOORED_LOAD_PROFILE, if it is set.
`;

/** @throws Error for what it does not understand */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', default: parts.join(',') },
      rounds: { type: 'string', default: '5' },
      repeats: { type: 'string', default: '3' },
    },
  });
  return {
    only: new Set(values.only.split(',').map(partOf)),
    isQuick: values.quick,
    rounds: positive('rounds', values.rounds),
    repeats: positive('repeats', values.repeats),
  };
}

function positive(name: string, text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new Error(`Cannot take --${name} "${text}": not a positive number`);
}

function partOf(text: string): Part {
  const part = parts.find((known) => known === text);
  if (part === undefined) throw new Error(`Cannot take --only "${text}": there are ${parts.join(', ')}`);
  return part;
}
