import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { projectRoot } from '../../scripts/run-command.ts';

export interface TestOutcome {
  /** Relative to the project. */
  readonly file: string;
  readonly fullName: string;
  readonly status: string;
}

interface JsonReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** A report of vitest's reporter "json". */
export function readReport(path: string): readonly TestOutcome[] {
  const { testResults } = JSON.parse(readFileSync(path, 'utf8')) as JsonReport;
  return testResults.flatMap(({ name, assertionResults }) => {
    // A guest and a container have the project elsewhere.
    const file = name.startsWith(projectRoot)
      ? relative(projectRoot, name)
      : name.replace(/^.*?\/(?=(daemon|plugins|integration)\/)/, '');
    return assertionResults.map(({ fullName, status }) => ({ file, fullName, status }));
  });
}
