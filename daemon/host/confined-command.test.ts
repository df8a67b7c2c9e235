import { expect, it } from 'vitest';
import { confiningWords } from './confined-command.ts';

it('takes all privileges but the one that is needed, for good', () => {
  expect(confiningWords('privileges', {}, 30)).toEqual(
    'setpriv --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set=-all --'.split(' '),
  );
  expect(confiningWords('privileges', { capability: 'sys_admin' }, 30)).toContain('--bounding-set=-all,+sys_admin');
});

it('allows writes to the one device where Landlock is there', () => {
  const words = confiningWords('landlock', { writes: '/dev/loop3' }, 30);
  expect(words.filter((word) => word.startsWith('path-beneath:'))).toEqual([
    'path-beneath:write-file:/dev/null',
    'path-beneath:write-file:/dev/loop3',
  ]);
  expect(words.at(-1)).toBe('--');
  expect(confiningWords('landlock', {}, 30).join(' ')).not.toContain('/dev/loop3');
});

it('limits a tool that may take much, before it begins', () => {
  const words = confiningWords('privileges', { memoryBytes: 1024, writes: '/dev/loop3' }, 30);
  expect(words.slice(0, 7)).toEqual('prlimit --as=1024 --fsize=0 --core=0 --cpu=30 -- setpriv'.split(' '));
});

it('adds nothing where setpriv is of no use', () => {
  expect(confiningWords('none', { memoryBytes: 1, writes: '/dev/loop3' }, 30)).toEqual([]);
});
