import { hostileTexts } from './hostile-values.ts';
import type { Random } from './random.ts';

const fragments: readonly string[] = [
  ...[
    '&a ',
    '*a',
    '!!binary ',
    '!!str ',
    '!<tag:x> ',
    '<<: *a',
    '<<: {a: 1}',
    '? ',
    ': ',
    '- ',
    '|',
    '>-',
    '%YAML 1.1\n',
  ],
  ...[
    '---',
    '...',
    '\t',
    '\r\n',
    '\0',
    '\ufeff',
    '\u0085',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    ',',
    '#',
    ' #',
    '@',
    '`',
    '%',
  ],
  ...[
    '"\\x00"',
    '"\\ud800"',
    '"\\',
    '{a: 1, a: 2}',
    '__proto__: {polluted: 1}',
    '2026-01-01',
    '1:30',
    '0o17',
    '=',
    '.5',
  ],
];

/** Breaks the text of a manifest, once or a few times; what comes out may be anything. */
export function breakText(random: Random, text: string): string {
  let broken = text;
  for (let count = 1 + random.below(4); count > 0; count -= 1) broken = breakOnce(random, broken);
  return broken;
}

function breakOnce(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const lines = text.split('\n');
  const line = random.below(lines.length);
  // Large ones are slow: few of them, so that many others fit into the time.
  if (random.chance(40)) return `${bomb(random)}${text}`;
  if (random.chance(40)) return repeated(random, text);
  switch (random.below(10)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + random.below(5));
    case 2:
      return text.slice(0, at) + random.pick(fragments) + text.slice(at);
    case 3:
      return text.slice(0, at) + random.pick(hostileTexts) + text.slice(at);
    case 4:
      return lines.toSpliced(line, 0, lines[random.below(lines.length)] ?? '').join('\n');
    case 5:
      return lines.toSpliced(line, 1, `${' '.repeat(random.below(6))}${(lines[line] ?? '').trimStart()}`).join('\n');
    case 6:
      return lines.toSpliced(line, 1).join('\n');
    case 7:
      return text.slice(0, at) + random.bytes(1 + random.below(8)).toString('latin1') + text.slice(at);
    case 8:
      return lines.toSpliced(line, 0, lines[line] ?? '').join('\n');
    default:
      return text.replaceAll('\n', '\r\n');
  }
}

/** What grows when it is read: aliases of aliases, brackets in brackets, merges of merges, a very long scalar. */
function bomb(random: Random): string {
  const names = Array.from({ length: 2 + random.below(30) }, (_, index) => `b${index}`);
  const repeat = 2 + random.below(12);
  switch (random.below(6)) {
    case 0:
      return `${names
        .map(
          (name, index) =>
            `${name}: &${name} [${Array(repeat)
              .fill(index === 0 ? 'x' : `*b${index - 1}`)
              .join(', ')}]`,
        )
        .join('\n')}\n---\n`;
    case 1:
      return `a: ${random.pick(['[', '{a: '])}`.repeat(1) + random.pick(['[', '{a: ']).repeat(random.below(20_000));
    case 2:
      return `${names.map((name, index) => `${name}: &${name} {k${index}: 1${index === 0 ? '' : `, <<: *b${index - 1}`}}`).join('\n')}\n---\n`;
    case 3:
      return `a: "${'x'.repeat(random.below(400_000))}"\n---\n`;
    case 4:
      return `${Array.from({ length: random.below(3000) }, (_, index) => `${' '.repeat(index % 400)}a:`).join('\n')}\n`;
    default:
      return random
        .pick(['- ', '? ', '!a ', '&a ', '%x\n', '---\n', '# \n', '"\\\n', '[],'])
        .repeat(random.below(30_000));
  }
}

function repeated(random: Random, text: string): string {
  const times = 2 + random.below(30);
  const joined = Array(times)
    .fill(text)
    .join(random.pick(['', '---\n', '\n---\n', '...\n']));
  return joined.slice(0, 2_000_000);
}
