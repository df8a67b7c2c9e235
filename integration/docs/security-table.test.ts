/** docs/security.md names a test for each rule: a test that was renamed or removed is missed here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const rows = readFileSync(join(root, 'docs/security.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| S\d+ \|/.test(line));

it('has every threat from S1 to S18, each with a rule', () => {
  const cells = rows.map((row) => row.split(' | '));
  expect(cells.map(([number]) => number)).toEqual(Array.from({ length: 18 }, (_, index) => `| S${index + 1}`));
  for (const [, threat = '', rule = ''] of cells) expect(threat.length * rule.length).toBeGreaterThan(0);
});

it('names tests that exist', () => {
  const named = rows.flatMap((row) => [...row.matchAll(/`([\w./-]+\.\w+)` "((?:[^"\\]|\\.)+)"/g)]);
  expect(named.length).toBeGreaterThan(30);
  const missing = named.filter(([, file = '', name = '']) => {
    return !readFileSync(join(root, file), 'utf8').includes(name.replaceAll('\\"', '"'));
  });
  expect(missing.map(([reference]) => reference)).toEqual([]);
});
