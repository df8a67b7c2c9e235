import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSimpleYaml } from './simple-yaml.ts';
import { parseYamlDocuments } from './yaml-documents.ts';

/** What the `yaml` package says: a letter beyond ASCII, in a comment, keeps the text from the quick reader. */
function readByPackage(text: string) {
  const { documents, problems } = parseYamlDocuments('f', `${text}\n# é`);
  return { problems, documents: documents.map(({ line, value }) => ({ line: value === null ? 0 : line, value })) };
}

function expectSameMeaning(text: string): boolean {
  const simple = readSimpleYaml(text);
  if (simple === undefined) return false;
  const documents = simple.map(({ line, value }) => ({ line: value === null ? 0 : line, value }));
  expect({ text, problems: [], documents }).toEqual({ text, ...readByPackage(text) });
  return true;
}

const fragments = {
  indent: fc.constantFrom('', '', '  ', '  ', '    ', '      ', ' ', '   ', '\t'),
  dash: fc.constantFrom('', '', '', '- ', '-   ', '- - ', '-', '? '),
  key: fc.constantFrom(
    '',
    'a:',
    'b:',
    'name:',
    'c/d.e:',
    'a :',
    '"q":',
    'on:',
    '<<:',
    '1:',
    '__proto__:',
    '---',
    '...',
    '{',
  ),
  value: fc.constantFrom(
    ...[
      '',
      ' ',
      'x',
      '0644',
      'yes',
      '"x y"',
      "'x'",
      '""',
      '{}',
      '[]',
      '[a, 1, "b"]',
      '[a,]',
      '[,]',
      '{a: 1}',
      '# note',
    ],
    ...[
      'x # note',
      'x #note',
      'x#y',
      'x: y',
      'x:y',
      'x:',
      ':x',
      '&a x',
      '*a',
      '!!str 1',
      '|',
      '>-',
      '"a\\n"',
      "'it''s'",
    ],
    ...[
      '- x',
      '-x',
      '--- x',
      '-',
      '~',
      'null',
      '1e3',
      '"unclosed',
      '[unclosed',
      'a b  c',
      '@x',
      '`x',
      '%x',
      'a, b',
      '}',
      ']',
    ],
    ...[
      '"a" b',
      '[a] b',
      '{} b',
      '/dev/x',
      '.5',
      '...',
      'x - y',
      'key: "v',
      '[a: b]',
      "['a', 'b']",
      '["a,b"]',
      '[a b]',
      '{a: [b, {c: "d"}], e: f:g}',
      '{ a: 1 , b: 2 }',
      '[ [a], {} ]',
      '{a: b c}',
      '{a:b}',
      '{a: }',
      '[a:]',
      '{a: 1} x',
      '[a , b]',
      '{a: -1}',
      "{a: 'b'}",
    ],
  ),
  gap: fc.constantFrom(' ', ' ', ' ', '', '  '),
  tail: fc.constantFrom('', '', '', ' ', '\r'),
};

type Tree = string | number | boolean | null | readonly Tree[] | { readonly [key: string]: Tree };

const { tree } = fc.letrec<{ tree: Tree; mapping: { readonly [key: string]: Tree }; leaf: Tree }>((tie) => ({
  leaf: fc.constantFrom<Tree>('web', 'a/b.c', '64Mi', 'nginx:alpine', 'two words', 7, 1.5, true, false, null),
  mapping: fc.dictionary(fc.constantFrom('a', 'name', 'app.kubernetes.io/name', 'x-y'), tie('tree'), {
    minKeys: 1,
    maxKeys: 4,
  }),
  tree: fc.oneof({ maxDepth: 5 }, tie('leaf'), tie('mapping'), fc.array(tie('tree'), { minLength: 1, maxLength: 3 })),
}));

/** Block style, as kubectl prints it: the items of a list in the column of their key. */
function print(value: Tree, column: number): string {
  const pad = ' '.repeat(column);
  if (Array.isArray(value)) {
    return (value as readonly Tree[]).map((item) => `${pad}- ${print(item, column + 2).trimStart()}`).join('');
  }
  if (typeof value !== 'object' || value === null) return `${value}\n`;
  return Object.entries(value)
    .map(([key, child]) => {
      if (typeof child !== 'object' || child === null) return `${pad}${key}: ${print(child, 0)}`;
      return `${pad}${key}:\n${print(child, Array.isArray(child) ? column : column + 2)}`;
    })
    .join('');
}

const soupLine = fc
  .record(fragments)
  .map(({ indent, dash, key, value, gap, tail }) => `${indent}${dash}${key}${key === '' ? '' : gap}${value}${tail}`);

/** A document as it is printed, with one line of the soup put in, or one character taken out. */
const damaged = fc.tuple(tree, soupLine, fc.nat(), fc.boolean()).map(([value, line, at, cut]) => {
  const text = print({ spec: value }, 0);
  if (cut) return text.slice(0, at % text.length) + text.slice((at % text.length) + 1);
  return text
    .split('\n')
    .toSpliced(at % text.split('\n').length, 0, line)
    .join('\n');
});

const soup = fc.array(soupLine, { minLength: 1, maxLength: 5 }).map((lines) => lines.join('\n'));

/** Brackets that mostly do not match, around what may stand in them. */
const flow = fc
  .array(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ', ',
      ' ',
      'a: ',
      'b: ',
      'c:',
      ':',
      '"d"',
      "'e'",
      'f',
      '7',
      'g:h',
      '-1',
      '- ',
      '#',
      ' #',
      '&x ',
      '*x',
    ),
    { maxLength: 9 },
  )
  .map((tokens) => tokens.join(''));
const flowLine = fc
  .tuple(fc.constantFrom('k: {', 'k: [', 'k: ', '- {', '- [', '- '), flow, fc.constantFrom('}', ']', '}]', ']}', ''))
  .map((parts) => parts.join(''));

describe('readSimpleYaml', () => {
  it('means what the package means, or declines', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(soup, damaged, flowLine), (text) => {
        if (expectSameMeaning(text)) taken += 1;
      }),
      { numRuns: Number(process.env['SIMPLE_YAML_RUNS'] ?? 2000) },
    );
    expect(taken).toBeGreaterThan(200);
  });

  it('reads every document that is printed in block style', () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.constantFrom('spec', 'kind'), tree, { minKeys: 1 }), { minLength: 1, maxLength: 3 }),
        (documents) => {
          const text = documents.map((document) => print(document, 0)).join('---\n');
          expect(readSimpleYaml(text)?.map(({ value }) => value)).toEqual(documents);
          expect(expectSameMeaning(text)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['', []],
    ['# nothing\n\n', []],
    ['---\n', [null]],
    ['a: 1\n---\n', [{ a: 1 }, null]],
    ['# one\n---\na: 1\n---\n# two\n---\nb:\n  - 2\n', [{ a: 1 }, null, { b: [2] }]],
    [
      'a:\n- x: 1\n  y: 2\n-   z: 3\n    w: 4\nb:\n',
      {
        a: [
          { x: 1, y: 2 },
          { z: 3, w: 4 },
        ],
        b: null,
      },
    ],
    ['- - a\n  - b\n- c: d\n', [['a', 'b'], { c: 'd' }]],
    ['  a: 1\n  b: 2\n', { a: 1, b: 2 }],
  ])('%j', (text, expected) => {
    const values = readSimpleYaml(text)?.map(({ value }) => value);
    expect(Array.isArray(expected) && !text.startsWith('- ') ? values : values?.[0]).toEqual(expected);
    expect(expectSameMeaning(text)).toBe(true);
  });

  it.each([
    'a: 1\na: 2\n',
    'a: &x 1\n',
    'a: |\n  text\n',
    'a: x\n  continued\n',
    'a: "\\u0041"\n',
    '\ta: 1\n',
    'a: 1\r\n',
    'ä: 1\n',
    'a: {b: 1 }, c\n',
    'a: {b: 1,\n  c: 2}\n',
    'a: {b: 1, b: 2}\n',
    'a: {b:1}\n',
    'a: {b}\n',
    'a: [b: 1]\n',
    'a: [x y]\n',
    'a: 1 # one\n',
    'yes: 1\n',
    '__proto__:\n  a: 1\n',
    'text\n',
    '-\n  a: 1\n',
    'a: 1\n...\n',
    '--- a\n',
    'a:\n    b: 1\n  c: 2\n',
  ])('declines %j', (text) => {
    expect(readSimpleYaml(text)).toBeUndefined();
  });

  it('declines a key that is longer than an implicit key may be', () => {
    for (const text of [`${'x'.repeat(1100)}: 1\n`, `a: {${'x'.repeat(1100)}: 1}\n`, `- ${'x'.repeat(1100)}: 1\n`]) {
      expect(readSimpleYaml(text)).toBeUndefined();
    }
    expect(expectSameMeaning(`${'x'.repeat(1000)}: 1\n`)).toBe(true);
  });

  it('declines what is nested too deeply, however it is nested', () => {
    expect(readSimpleYaml(`${'- '.repeat(200_000)}a`)).toBeUndefined();
    expect(
      readSimpleYaml(Array.from({ length: 200 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')),
    ).toBeUndefined();
  });
});
