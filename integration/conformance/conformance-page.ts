import { leftOut } from './left-out.ts';
import type { Area, Row } from './row.ts';
import { testReference } from './test-reference.ts';

const intro = `# Conformance

<!-- Made by \`npm run docs\` from integration/conformance/rows/; \`npm run conformance\` runs what it names. Do not edit. -->

What Kubernetes' storage does, what moored does about it, and the test that shows it. A test without a file is a case of
[integration/cases](../integration/cases/README.md), where upstream's scenario tables are data. Tests below \`integration/\`
need root and real mounts, below \`integration/vm\` a booted system. **no** says why nothing shows it.
`;

export function conformancePage(areas: readonly Area[]): string {
  const rows = areas.flatMap((area) => area.rows);
  const shown = rows.filter(({ tests }) => tests.length > 0).length;
  return [
    intro,
    `${shown} of ${rows.length} rows are shown by a test.\n`,
    ...areas.map(section),
    leftOutSection(),
  ].join('\n');
}

function section({ title, rows }: Area): string {
  return [`## ${title}`, '', '| id | what moored does | shown by |', '| --- | --- | --- |', ...rows.map(line), ''].join(
    '\n',
  );
}

function line({ id, says, tests, why }: Row): string {
  const shown = tests.length === 0 ? notShown(why) : tests.map(link).join('<br>');
  return `| ${id} | ${cell(says)} | ${shown} |`;
}

function notShown(why: string | undefined): string {
  return why === undefined ? '**not yet**' : `**no**: ${cell(why)}`;
}

function leftOutSection(): string {
  const rows = leftOut.map(({ cases, why }) => `| ${cell(cases)} | ${cell(why)} |`);
  const table = ['| left out | why |', '| --- | --- |', ...rows];
  return ["## What of upstream's tables is no case here", '', ...table, ''].join('\n');
}

function link(test: string): string {
  const { file, title } = testReference(test);
  const name = file.split('/').at(-1) ?? file;
  return test.includes(' > ') ? `[${name}](../${file})${title === '' ? '' : `: ${cell(title)}`}` : `\`${test}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
