import { describe, expect, it } from 'vitest';
import { readCases } from './case-format.ts';
import { CaseRun, expectation } from './case-run.ts';

const cases = readCases(import.meta.dirname, '*/*.yaml');

describe('scenario cases', () => {
  it.each(cases)('$id $says', async (each) => {
    const run = new CaseRun(each);
    await run.run();
    expect(run.problems).toEqual([]);
    expect(run.outcome).toMatchObject(expectation(each.then));
  });

  it('have an id each', () => {
    const ids = cases.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.length).toBeGreaterThan(0);
  });
});
