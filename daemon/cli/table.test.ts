import { expect, test } from 'vitest';
import { Style } from './style.ts';
import { columnWidths, formatTable } from './table.ts';

const plain = new Style({ color: false, unicode: false });
const colored = new Style({ color: true, unicode: true });

test('three spaces between columns, nothing after the last, <none> for nothing', () => {
  const text = formatTable(
    [
      ['web', '', 'x'],
      ['a-long-name', 'y', ''],
    ],
    { style: plain, headers: ['NAME', 'B', 'C'] },
  );
  expect(text.split('\n')).toEqual([
    'NAME          B        C',
    'web           <none>   x',
    'a-long-name   y        <none>',
  ]);
});

test('color does not count as width', () => {
  const options = { style: colored, headers: ['S', 'N'], stateColumn: 0 };
  expect(
    formatTable(
      [
        ['Failed', 'a'],
        ['x', 'b'],
      ],
      options,
    ).split('\n'),
  ).toEqual(['S        N', '\u001b[31mFailed\u001b[0m   a', 'x        b']);
});

test('a cell stays one line', () => {
  expect(formatTable([['a\nb\tc']], { style: plain })).toBe('a\\nb\\tc');
});

test('columns are as wide as their longest text in code points', () => {
  expect(
    columnWidths(
      [
        ['ab', 'größer'],
        ['😀😀😀', ''],
      ],
      [5],
    ),
  ).toEqual([5, 6]);
});

test('minimal widths keep later rows in their columns; indentation is before all', () => {
  expect(formatTable([['a', 'b']], { style: plain, minWidths: [4], indent: '  ' })).toBe('  a      b');
});
