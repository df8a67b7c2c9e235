import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../../scripts/run-command.ts';

export const parts = ['a', 'b', 'single', 'idle'] as const;
export type Part = (typeof parts)[number];

export interface Options {
  /** How often each tool does each job; the tools take turns. */
  readonly runs: number;
  readonly counts: readonly number[];
  readonly only: ReadonlySet<Part>;
  readonly idleMs: number;
  /** Directory with moored.js, to compare builds. */
  readonly dist: string;
  /** Directory for CPU profiles of the daemon. */
  readonly profile: string | undefined;
  /** Directory of a real disk for the filesystem of the root dir; undefined: in memory. */
  readonly disk: string | undefined;
  /** File that gets the whole report. */
  readonly write: string | undefined;
}

export const usage = `Usage: npm run bench -- [options]

  --quick          one run, 1 and 50 pods, short idle
  --runs N         runs of each tool                        (default 5)
  --counts N,N     numbers of pods                          (default 1,10,50,250)
  --only PART,…    a (tmpfs), b (loop), single, idle        (default all)
  --dist DIR       the built moored                         (default dist)
  --disk DIR       root dir on this disk                    (default in memory)
  --profile DIR    a V8 CPU profile of each daemon          (makes it slower)
  --write FILE     write the whole report to FILE
`;

/** @throws Error with the usage for what it does not understand */
export function parseOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      counts: { type: 'string' },
      only: { type: 'string', default: parts.join(',') },
      dist: { type: 'string', default: 'dist' },
      profile: { type: 'string' },
      disk: { type: 'string' },
      write: { type: 'string' },
    },
  });
  const { quick } = values;
  return {
    runs: positive('runs', values.runs ?? (quick ? '1' : '5')),
    counts: (values.counts ?? (quick ? '1,50' : '1,10,50,250')).split(',').map((text) => positive('counts', text)),
    only: new Set(values.only.split(',').map(partOf)),
    idleMs: quick ? 2000 : 20_000,
    dist: resolve(projectRoot, values.dist),
    profile: values.profile === undefined ? undefined : resolve(values.profile),
    disk: values.disk === undefined ? undefined : resolve(values.disk),
    write: values.write === undefined ? undefined : resolve(projectRoot, values.write),
  };
}

function positive(name: string, text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new Error(`Cannot take --${name} "${text}": not a positive number`);
}

function partOf(text: string): Part {
  const part = parts.find((known) => known === text);
  if (part === undefined) throw new Error(`Cannot take --only "${text}": there are ${parts.join(', ')}`);
  return part;
}
