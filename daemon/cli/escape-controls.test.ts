import { expect, test } from 'vitest';
import { escapeControls, toJson } from './escape-controls.ts';

test('what a terminal would obey is spelled out, in values and keys, at any depth', () => {
  const hostile = { 'a\u001b[31m': ['\u009b2J', { b: '\u202egnp.exe\r\u0007\u007f' }], c: 1, d: null, e: undefined };
  expect(escapeControls(hostile)).toEqual({
    'a\\x1b[31m': ['\\x9b2J', { b: '\\u202egnp.exe\\x0d\\x07\\x7f' }],
    c: 1,
    d: null,
    e: undefined,
  });
});

test('newline, tab and letters of any script stay', () => {
  expect(escapeControls('Größe\t容量\n')).toBe('Größe\t容量\n');
});

test('JSON stays the same JSON but holds no control character', () => {
  const value = { message: 'a\u001b[2J\u009b\u007f\u202e\u2028é', list: [] };
  const text = toJson(value);
  expect(JSON.parse(text)).toEqual(value);
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
});
