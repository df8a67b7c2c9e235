import type { OrphansReply } from '../../control/protocol.ts';
import { ageOf } from '../age.ts';
import { type CommandContext, type CommandSpec, type OptionValues, structuredOutputOption } from '../command.ts';
import { escapeControls } from '../escape-controls.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { printStructured } from '../structured-output.ts';
import { formatTable } from '../table.ts';

export const orphansCommand: CommandSpec = {
  name: 'orphans',
  summary: 'list what is left on this machine and belongs to nobody, trash and quarantine included',
  details: 'Nothing is removed; moorctl gc does that, when it is told to. ACTION is what gc would do.',
  arguments: [],
  options: [structuredOutputOption],
  run: orphans,
};

async function orphans(context: CommandContext, _args: readonly string[], options: OptionValues): Promise<ExitCode> {
  const reply = await context.client.orphans(context.signal);
  if (!printStructured(context, options, reply)) printOrphans(context, escapeControls(reply));
  return exitCode.ok;
}

function printOrphans({ output, style, now }: CommandContext, reply: OrphansReply): void {
  const rows = reply.orphans.map(({ kind, since, action, path, reason, obstacle }) => {
    const why = obstacle === '' ? reason : `${reason} (${obstacle})`;
    return [kind, since === '' ? '' : ageOf(since, now()), obstacle === '' ? action : 'none', path, why];
  });
  if (rows.length === 0) output.note('No orphans.');
  else output.print(formatTable(rows, { style, headers: ['KIND', 'AGE', 'ACTION', 'PATH', 'REASON'] }));
  for (const cause of reply.incomplete) output.note(`warning: not all was looked at: ${cause}`);
  if (reply.held !== '') output.note(`gc would do nothing now: ${reply.held}`);
}
