import { describe, expect, it } from 'vitest';
import { readCases } from './case-format.ts';
import { CaseRun, expectation } from './case-run.ts';

const cases = readCases(import.meta.dirname, '*/*.yaml');

describe('scenario cases', () => {
  it.each(cases)('$id $says', async (each) => {
    const run = new CaseRun(each);
    await run.run();
    expect(run.problems).toEqual([]);
    const { objects, ...words } = run.outcome;
    const { objects: wantedObjects, ...wantedWords } = expectation(each.then);
    expect(words).toEqual(wantedWords);
    if (wantedObjects !== undefined) expect(objects).toMatchObject(wantedObjects);
    // Whatever it is, the whole comes to rest from there.
    await run.settle();
    expect(run.problems).toEqual([]);
  });

  it('have an id each', () => {
    const ids = cases.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.length).toBeGreaterThan(0);
  });
});
