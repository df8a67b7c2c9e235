import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { text } from 'node:stream/consumers';
import type { PlanReply, PlanRequest } from '../../control/protocol.ts';
import { type CommandContext, type CommandSpec, type OptionValues, structuredOutputOption } from '../command.ts';
import { escapeControls } from '../escape-controls.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { describeProblem } from '../resources/record-resources.ts';
import { printStructured } from '../structured-output.ts';
import { formatTable } from '../table.ts';

export const planCommand: CommandSpec = {
  name: 'plan',
  summary: 'show what would be done now, or if files were added; does nothing',
  details: 'Steps marked with ! cannot be taken back. Exits 1 when a file has problems.',
  arguments: [],
  options: [
    {
      name: 'filename',
      short: 'f',
      value: 'FILE',
      description: 'a manifest as if it were in the manifest directory, - for stdin',
      repeatable: true,
      completes: 'file',
    },
    structuredOutputOption,
  ],
  run: plan,
};

async function plan(context: CommandContext, _args: readonly string[], options: OptionValues): Promise<ExitCode> {
  const { client, output, signal } = context;
  const reply = await client.plan({ files: await readFiles(options.list('filename')) }, signal);
  if (!printStructured(context, options, reply)) printSteps(context, escapeControls(reply));
  for (const problem of reply.problems) output.error(`${problem.file}: ${describeProblem(problem)}`);
  return reply.problems.length === 0 ? exitCode.ok : exitCode.failed;
}

function printSteps({ output, style }: CommandContext, { steps }: PlanReply): void {
  if (steps.length === 0) {
    output.note('Nothing to do.');
    return;
  }
  const rows = steps.map(({ destructive, kind, subject, reason }) => [destructive ? '!' : ' ', kind, subject, reason]);
  const lines = formatTable(rows, { style, headers: [' ', 'STEP', 'SUBJECT', 'REASON'] }).split('\n');
  output.print(lines.map((line) => (line.startsWith('!') ? style.danger(line) : line)).join('\n'));
  const destructive = steps.filter((step) => step.destructive).length;
  const warning = destructive === 0 ? '' : `, ${destructive} of them cannot be taken back`;
  output.note(`${steps.length} ${steps.length === 1 ? 'step' : 'steps'}${warning}; nothing was executed.`);
}

async function readFiles(paths: readonly string[]): Promise<PlanRequest['files']> {
  if (paths.filter((path) => path === '-').length > 1) throw new UsageError('Cannot read stdin twice: give -f - once');
  return await Promise.all(paths.map(readManifest));
}

async function readManifest(path: string): Promise<PlanRequest['files'][number]> {
  if (path === '-') return { name: 'stdin.yaml', text: await text(process.stdin) };
  try {
    return { name: basename(path), text: await readFile(path, 'utf8') };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot read "${path}": ${cause}`, { cause: error });
  }
}
