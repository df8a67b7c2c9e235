import { expect, test } from 'vitest';
import { Style } from './style.ts';
import { formatTree } from './tree.ts';

const tree = {
  label: 'web\nsecond line',
  children: [
    { label: 'data\nmore', children: [{ label: 'leaf\nlast', children: [] }] },
    { label: 'logs', children: [] },
  ],
};

test('box characters where the locale has them', () => {
  expect(formatTree(tree, new Style({ color: false, unicode: true })).split('\n')).toEqual([
    'web',
    '│  second line',
    '├─ data',
    '│  │  more',
    '│  └─ leaf',
    '│     last',
    '└─ logs',
  ]);
});

test('ASCII elsewhere', () => {
  expect(formatTree(tree, new Style({ color: false, unicode: false })).split('\n')).toEqual([
    'web',
    '|  second line',
    '|- data',
    '|  |  more',
    '|  `- leaf',
    '|     last',
    '`- logs',
  ]);
});
