/**
 * docs/troubleshooting.md from the tables of reasons and error codes: node integration/docs/troubleshooting.ts [--check]
 * With --check nothing is written: exits 1 when the page is not up to date, or a reason or code is used nowhere.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { claimReasons } from '../../daemon/world/reasons/claim-reasons.ts';
import { errorMeanings } from '../../daemon/world/reasons/error-meanings.ts';
import { manifestReasons } from '../../daemon/world/reasons/manifest-reasons.ts';
import type { Reason } from '../../daemon/world/reasons/reason.ts';
import { reasons } from '../../daemon/world/reasons/reason-table.ts';
import { serviceReasons } from '../../daemon/world/reasons/service-reasons.ts';
import { volumeReasons } from '../../daemon/world/reasons/volume-reasons.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = `${root}docs/troubleshooting.md`;

const intro = `# Troubleshooting

<!-- Made by \`npm run docs\` from daemon/world/reasons/. Do not edit. -->

Whatever keeps a volume from being mounted has a **reason**, a code such as \`FailedMount\`, and the cause word for word:

\`\`\`sh
moorctl explain pod/NAME              # what it waits for, why, the next attempt, and what to do
moorctl describe pod NAME             # the same with conditions, volumes and events
moorctl get events -A                 # what happened, newest last
moorctl doctor                        # what this machine lacks
journalctl -u moored                  # all of it, with every step
\`\`\`

The advice that is printed is the hint of the error itself, then that of its code, then that of the reason.
A pod's condition may also say \`Mounting\`, \`AllMounted\` or \`PodTerminated\`: then nothing is wrong.
Words in capitals (\`NAME\`, \`PATH\`, \`DEVICE\`) stand for what the message names.
`;

const codesIntro = `## Error codes

A failed step has a code as well: CSI's where the meaning is equal. **Waiting ends** says whether \`moorctl wait\` gives up at
once, with exit code 1, when an attempt has failed with this code and nothing was done (a final error): no later attempt will
succeed until somebody changes something. \`moorctl wait --keep-waiting\` waits on, and moored itself tries again in any case.
`;

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n');
}

function cell(lines: readonly string[]): string {
  return lines.map((text) => text.replaceAll('|', '\\|')).join('<br>');
}

function reasonTable(title: string, of: Readonly<Record<string, Reason>>): string {
  const rows = Object.entries(of).map(([code, { type, means, help }]) => [
    `\`${code}\``,
    type,
    cell([means]),
    cell(help),
  ]);
  return `## ${title}\n\n${table(['reason', 'type', 'what it means', 'what to do'], rows)}\n`;
}

function codeTable(): string {
  const rows = Object.entries(errorMeanings).map(([code, { means, help, needsChange }]) => [
    `\`${code}\``,
    cell([means]),
    cell(help),
    needsChange ? 'yes' : 'no',
  ]);
  return `${codesIntro}\n${table(['code', 'what it means', 'what to do', 'waiting ends'], rows)}\n`;
}

function text(): string {
  return [
    intro,
    reasonTable('Volumes', volumeReasons),
    reasonTable('Claims and their volumes', claimReasons),
    reasonTable('Manifests', manifestReasons),
    reasonTable('Servers, targets and units', serviceReasons),
    codeTable(),
  ].join('\n');
}

/** Codes that no line of the product names outside the tables: nobody can meet them. */
function unused(): readonly string[] {
  const files = globSync('{daemon,plugins}/**/*.ts', {
    cwd: root,
    exclude: ['**/*.test.ts', '**/testing/**', 'daemon/world/reasons/**', 'daemon/world/storage-error.ts'],
  });
  const code = files.map((file) => readFileSync(`${root}${file}`, 'utf8')).join('\n');
  return [...Object.keys(reasons), ...Object.keys(errorMeanings)].filter((name) => !code.includes(`'${name}'`));
}

if (process.argv.includes('--check')) {
  const isCurrent = readFileSync(page, 'utf8') === text();
  if (!isCurrent) process.stderr.write('docs/troubleshooting.md is not up to date: npm run docs\n');
  for (const name of unused()) process.stderr.write(`daemon/world/reasons: "${name}" is used nowhere: remove it\n`);
  process.exitCode = isCurrent && unused().length === 0 ? 0 : 1;
} else {
  writeFileSync(page, text());
}
