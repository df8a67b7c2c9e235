import { expect, test } from 'vitest';
import { styleFor } from './style.ts';

const red = (text: string): string => `\u001b[31m${text}\u001b[0m`;

test('color only on a terminal, without NO_COLOR, not on a dumb one', () => {
  expect(styleFor(true, {}).state('Failed')).toBe(red('Failed'));
  expect(styleFor(true, { NO_COLOR: '' }).danger('x')).toBe(red('x'));
  expect(styleFor(false, {}).state('Failed')).toBe('Failed');
  expect(styleFor(true, { NO_COLOR: '1' }).state('Failed')).toBe('Failed');
  expect(styleFor(true, { TERM: 'dumb' }).danger('x')).toBe('x');
});

test('a word that is not a state stays plain, padding is kept', () => {
  const style = styleFor(true, {});
  expect(style.state('web')).toBe('web');
  expect(style.state('constructor')).toBe('constructor');
  expect(style.state('Lost  ')).toBe(red('Lost  '));
});

test('box characters only in a UTF-8 locale; LC_ALL wins over LC_CTYPE over LANG', () => {
  expect(styleFor(true, {}).hasUnicode).toBe(false);
  expect(styleFor(false, { LANG: 'en_US.UTF-8' }).hasUnicode).toBe(true);
  expect(styleFor(false, { LC_ALL: 'C', LANG: 'en_US.UTF-8' }).hasUnicode).toBe(false);
  expect(styleFor(false, { LC_ALL: '', LC_CTYPE: 'C.utf8' }).hasUnicode).toBe(true);
});
