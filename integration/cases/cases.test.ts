import { describe, expect, it } from 'vitest';
import { type Case, readCases } from './case-format.ts';
import { CaseRun, type Run } from './case-run.ts';
import { sorted } from './case-store.ts';
import { SnapshotRun } from './snapshot-run.ts';
import { StatefulSetRun } from './stateful-set-run.ts';

const cases = readCases(import.meta.dirname, '*/*.yaml');

/** By the folder of the id; the controllers of claims and volumes unless it is another's. */
function runOf(each: Case): Run {
  if (each.id.startsWith('ss/')) return new StatefulSetRun(each);
  return each.id.startsWith('snap/') ? new SnapshotRun(each) : new CaseRun(each);
}

const ofObjects = ['pvs', 'pvcs', 'pods', 'sets', 'snapshots', 'contents'];

/** The expectation in the order of an outcome. */
function expectation(then: Case['then']): Case['then'] {
  return Object.fromEntries(
    Object.entries(then).map(([word, value]) => [word, ofObjects.includes(word) ? sorted(value) : value]),
  );
}

describe('scenario cases', () => {
  it.each(cases)('$id $says', async (each) => {
    const run = runOf(each);
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
