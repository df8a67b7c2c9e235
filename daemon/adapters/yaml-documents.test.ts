import { describe, expect, it } from 'vitest';
import { longestText, parseYamlDocuments } from './yaml-documents.ts';

function valueOf(text: string): unknown {
  const { documents, problems } = parseYamlDocuments('f.yaml', text);
  expect(problems).toEqual([]);
  expect(documents).toHaveLength(1);
  return documents[0]?.value;
}

function problemsOf(text: string): unknown {
  return parseYamlDocuments('f.yaml', text).problems;
}

describe('what Kubernetes means', () => {
  it('by scalars, whichever reader sees them', () => {
    const text = 'mode: 0644\nyes: off\ny: n\ndate: 2026-01-02\nbig: 9007199254740993\nversion: "1.10"\n';
    const value = { mode: 420, true: false, y: 'n', date: '2026-01-02', big: '9007199254740993', version: '1.10' };
    expect(valueOf(text)).toEqual(value);
    expect(valueOf('{mode: 0644, empty: , tilde: ~, octal: 0o17}')).toEqual({
      mode: 420,
      empty: null,
      tilde: null,
      octal: 15,
    });
  });

  it('by explicit tags', () => {
    expect(valueOf('a: !!str 0644\nb: !!int "5"\nc: !!float 1\n')).toEqual({ a: '0644', b: 5, c: 1 });
    expect(problemsOf('a: !!binary aGVsbG8=\n')).toMatchObject([
      { line: 1, message: expect.stringContaining('binary') },
    ]);
    expect(problemsOf('a: !secret x\n')).toMatchObject([{ message: expect.stringContaining('secret') }]);
  });

  it('by block scalars, folded text and comments', () => {
    expect(valueOf('a: |\n  one\n  two\nb: >-\n  one\n  two\nc: x # why\n')).toEqual({
      a: 'one\ntwo\n',
      b: 'one two',
      c: 'x',
    });
  });

  it('by anchors and merge keys: what a mapping says itself wins, then the earlier source', () => {
    const text = 'a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\nd: *a\n';
    expect(valueOf(text)).toMatchObject({ c: { x: 3, y: 1, z: 2 }, d: { x: 1, y: 1 } });
    expect(problemsOf('a: &a 1\nb:\n  <<: *a\n')).toMatchObject([
      { line: 3, message: expect.stringContaining('"<<"') },
    ]);
  });

  it('by several documents', () => {
    const { documents } = parseYamlDocuments('f', '# head\n---\na: 1\n---\n---\nb: {c: 2} # é\n');
    expect(documents.map(({ document, line, value }) => [document, line, value])).toEqual([
      [1, 3, { a: 1 }],
      [2, 4, null],
      [3, 6, { b: { c: 2 } }],
    ]);
  });

  it('by CRLF, a file without an end of line, and nothing', () => {
    expect(valueOf('a: 1\r\nb:\r\n- x\r\n')).toEqual({ a: 1, b: ['x'] });
    expect(valueOf('a: "é"')).toEqual({ a: 'é' });
    expect(parseYamlDocuments('f', '').documents).toEqual([]);
    expect(parseYamlDocuments('f', '# only this\n').documents).toEqual([]);
  });
});

describe('JSON', () => {
  it('is read, with the lines of its places', () => {
    const text = '\n{\n  "a": [1, {"b": "x"}],\n  "c": null\n}\n';
    const { documents, problems } = parseYamlDocuments('f.json', text);
    expect(problems).toEqual([]);
    expect(documents[0]).toMatchObject({ document: 1, line: 2, value: { a: [1, { b: 'x' }], c: null } });
    expect(documents[0]?.lineOf(['a', 1, 'b'])).toBe(3);
    expect(documents[0]?.lineOf(['c'])).toBe(4);
  });

  it('keeps integers beyond 2^53', () => {
    expect(valueOf('{"storage": 9007199254740993}')).toEqual({ storage: '9007199254740993' });
  });

  it('with a key twice is an error, also where the key is escaped or looks like a value', () => {
    expect(problemsOf('{"a": 1,\n "a": 2}')).toEqual([
      { file: 'f.yaml', document: 1, line: 2, message: 'duplicate key "a"' },
    ]);
    expect(problemsOf('{"a": 1, "\\u0061": 2}')).toMatchObject([{ message: 'duplicate key "a"' }]);
    expect(valueOf('{"a": "\\"b\\": 1", "c": ":"}')).toEqual({ a: '"b": 1', c: ':' });
  });

  it('keeps "__proto__" as a key, for the validation to refuse', () => {
    expect(Object.keys(valueOf('{"__proto__": {"x": 1}}') as object)).toEqual(['__proto__']);
    expect(Object.keys(valueOf('__proto__: {x: 1}') as object)).toEqual(['__proto__']);
  });
});

describe('lines', () => {
  const text = `apiVersion: v1
spec:
  volumes:
  - name: a
    emptyDir: {}
  - name: b
    emptyDir:
      sizelimit: 1Mi
`;
  it.each([
    ['block style', text],
    ['a text for the package', `${text}# é`],
  ])('of places in %s', (_title, yaml) => {
    const [document] = parseYamlDocuments('f', yaml).documents;
    expect(document?.lineOf(['spec', 'volumes', 1, 'emptyDir', 'sizelimit'])).toBe(8);
    expect(document?.lineOf(['spec', 'volumes', 1])).toBe(6);
    expect(document?.lineOf(['spec', 'volumes', 1, 'absent', 'below'])).toBe(6);
    expect(document?.lineOf([])).toBe(1);
  });

  it('of places behind an alias', () => {
    const [document] = parseYamlDocuments('f', 'a: &a\n  b: 1\nc: *a\n').documents;
    expect(document?.lineOf(['c', 'b'])).toBe(2);
  });
});

describe('what is refused', () => {
  it.each([
    ['a key twice', 'a: 1\nb: 2\na: 3\n', { document: 1, line: 3, message: 'duplicate key "a"' }],
    ['a key twice, in another spelling', 'yes: 1\n"true": 2\n', { line: 2, message: 'duplicate key "true"' }],
    ['a mapping as a key', '{a: 1}: 2\n', { message: 'a key is a mapping, a list or an alias' }],
    ['an empty key', ': 1\n', { message: 'a key is empty' }],
    ['an alias without its anchor', 'a: *b\n', { message: expect.stringMatching(/alias/i) }],
    ['an alias in itself', 'a: &a [*a]\n', { message: 'the alias "*a" contains itself' }],
    ['a bad indent', 'a:\n  b: 1\n c: 2\n', { document: 1, line: 3 }],
    ['a NUL', 'a: 1\nb: \0\n', { line: 2, message: 'not a text file: control character "\\u0000"' }],
    ['a tab as indent', 'a:\n\tb: 1\n', { line: 2 }],
  ])('%s', (_title, text, problem) => {
    expect(parseYamlDocuments('f.yaml', text).problems[0]).toMatchObject({ file: 'f.yaml', ...problem });
  });

  it('keeps the good documents beside a bad one, with their numbers', () => {
    const { documents, problems } = parseYamlDocuments('f', 'a: 1\n---\nb: [\n---\nc: 3\n');
    expect(documents.map(({ document, value }) => [document, value])).toEqual([
      [1, { a: 1 }],
      [3, { c: 3 }],
    ]);
    expect(problems[0]).toMatchObject({ document: 2 });
  });
});

describe('limits', () => {
  it('on the text', () => {
    expect(problemsOf(`a: ${'x'.repeat(longestText)}`)).toEqual([
      { file: 'f.yaml', message: 'longer than 1048576 bytes' },
    ]);
  });

  it('on documents', () => {
    expect(problemsOf('---\na: 1\n'.repeat(1001))).toEqual([{ file: 'f.yaml', message: 'more than 1000 documents' }]);
    expect(problemsOf('---\na: 1\n'.repeat(1000))).toEqual([]);
    expect(problemsOf('%a\n'.repeat(300_000))).toEqual([{ file: 'f.yaml', message: 'more than 1000 documents' }]);
  });

  it('on aliases', () => {
    const aliases = (count: number) => `a: &a x\nb: [${Array(count).fill('*a').join(', ')}]\n`;
    expect(problemsOf(aliases(100))).toEqual([]);
    expect(problemsOf(aliases(101))).toMatchObject([{ line: 2, message: 'more than 100 aliases' }]);
  });

  it('on what aliases stand for: a billion laughs', () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const items = level === 0 ? Array(10).fill('lol') : Array(10).fill(`*l${level - 1}`);
      return `l${level}: &l${level} [${items.join(', ')}]`;
    });
    expect(problemsOf(levels.join('\n'))).toMatchObject([{ message: expect.stringMatching(/aliases/) }]);
    const wide = `a: &a [${Array(2000).fill('x').join(', ')}]\nb: [*a, *a, *a, *a, *a, *a]\n`;
    expect(problemsOf(wide)).toMatchObject([{ message: 'aliases that stand for more than 10000 values' }]);
  });

  it.each([
    ['flow lists', '['.repeat(20_000)],
    ['closed flow lists', `a: ${'['.repeat(150)}${']'.repeat(150)}`],
    ['flow mappings', '{a: '.repeat(5000)],
    ['block lists', '- '.repeat(50_000)],
    ['block mappings', Array.from({ length: 150 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['JSON', `{"a": ${'['.repeat(150)}${']'.repeat(150)}}`],
  ])('on the depth of %s', (_title, text) => {
    expect(parseYamlDocuments('f', text).problems.length).toBeGreaterThan(0);
  });

  it('on tokens', () => {
    expect(problemsOf(`é: [${'a,'.repeat(300_000)}]`)).toEqual([
      { file: 'f.yaml', message: 'more than 400000 tokens' },
    ]);
  });

  it('on problems', () => {
    expect(parseYamlDocuments('f', '[,'.repeat(1000)).problems.length).toBeLessThanOrEqual(20);
  });
});
