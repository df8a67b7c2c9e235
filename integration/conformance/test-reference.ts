import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/run-command.ts';
import { readCases } from '../cases/case-format.ts';

/** The runner of all cases. */
export const caseFile = 'integration/cases/cases.test.ts';

export interface TestReference {
  readonly file: string;
  /** A part of the full name; of a case "<id> ". */
  readonly title: string;
}

const cases = readCases(join(projectRoot, 'integration/cases'), '*/*.yaml');

/** "pv/1-1", or "daemon/a.test.ts > binds it". */
export function testReference(test: string): TestReference {
  const [file = '', title] = test.split(/ > (.*)/s);
  return title === undefined ? { file: caseFile, title: `${test} ` } : { file, title };
}

/** Why the test is not in its file, by the text of the file alone. */
export function missingIn({ file, title }: TestReference): readonly string[] {
  if (file === caseFile) {
    return cases.some(({ id }) => `${id} ` === title) ? [] : ['there is no case with this id'];
  }
  const path = join(projectRoot, file);
  if (!existsSync(path)) return [`there is no file ${file}`];
  return readFileSync(path, 'utf8').includes(title) ? [] : ['the file has no such title'];
}
