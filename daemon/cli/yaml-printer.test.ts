import { describe, expect, test } from 'vitest';
import { toYaml } from './yaml-printer.ts';

test("kubectl's layout: two spaces, lists at the indentation of their key", () => {
  const value = {
    apiVersion: 'v1',
    items: [
      { metadata: { name: 'web', labels: {}, finalizers: [] }, spec: { volumes: [{ name: 'a' }, { name: 'b' }] } },
      [1, [true, null]],
    ],
    gone: undefined,
    last: -0.5,
  };
  expect(toYaml(value).split('\n')).toEqual([
    'apiVersion: v1',
    'items:',
    '- metadata:',
    '    name: web',
    '    labels: {}',
    '    finalizers: []',
    '  spec:',
    '    volumes:',
    '    - name: a',
    '    - name: b',
    '- - 1',
    '  - - true',
    '    - null',
    'last: -0.5',
  ]);
});

describe('strings that are safe stay plain', () => {
  test.each([
    'web',
    'ReadWriteOnce',
    '64Mi',
    '1.5Gi',
    'pvc-0f3c',
    '/var/lib/moored/pods',
    'kubernetes.io/csi/loop.moored.dev^pvc-1',
    'storageclass.kubernetes.io/is-default-class',
    '123e4567-e89b-12d3-a456-426614174000',
    'Cannot mount x',
    'size=64m,mode=0755',
    'a:b',
  ])('%s', (text) => {
    expect(toYaml({ key: text })).toBe(`key: ${text}`);
  });
});

describe('strings that a YAML reader would take for something else are quoted', () => {
  test.each([
    '',
    ' ',
    ' a',
    'a ',
    'true',
    'False',
    'null',
    '~',
    'yes',
    'No',
    'on',
    'OFF',
    'y',
    'N',
    '0',
    '0644',
    '0x1F',
    '0o17',
    '1e3',
    '1_000',
    '.',
    '._',
    'e2',
    '.5',
    '-1',
    '+1',
    '1.',
    '.inf',
    '-.Inf',
    '.nan',
    '12:30:45',
    '2026-01-02',
    '2026-01-02T03:04:05Z',
    '- a',
    'a: b',
    'a:',
    'a #b',
    '#a',
    '&a',
    '*a',
    '!a',
    '|',
    '>',
    '%a',
    '@a',
    '`a',
    '{a}',
    '[a]',
    "'a'",
    '"a"',
    '?',
    'a, [b',
    '---',
    '...',
    '<<',
    '=',
    'line\nbreak',
    'tab\t',
    '\u001b[31m',
    'größe',
    '\u0085',
    '\u2028',
    '\u202e',
    '\ufeff',
  ])('%j', (text) => {
    const line = toYaml({ key: text });
    expect(line.startsWith('key: "')).toBe(true);
    expect(JSON.parse(line.slice('key: '.length))).toBe(text);
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e\ufeff]/);
  });
});

test('keys are quoted by the same rules', () => {
  expect(toYaml({ 'a b:': 1, y: 2, '1': 3 }).split('\n')).toEqual(['"1": 3', '"a b:": 1', '"y": 2']);
});

test('a bare value', () => {
  expect(toYaml('x')).toBe('x');
  expect(toYaml([])).toBe('[]');
  expect(toYaml({})).toBe('{}');
  expect(toYaml(null)).toBe('null');
});
