import type { GcReply } from '../../control/protocol.ts';
import { type CommandContext, type CommandSpec, type OptionValues, structuredOutputOption } from '../command.ts';
import { parseDuration } from '../duration.ts';
import { escapeControls } from '../escape-controls.ts';
import { type ExitCode, exitCode, NotFoundError, UsageError } from '../exit-code.ts';
import { printStructured } from '../structured-output.ts';
import { formatTable } from '../table.ts';

export const gcCommand: CommandSpec = {
  name: 'gc',
  summary: 'put orphans away: shows what it would do, and acts with --yes',
  details: [
    'Directories go to a quarantine, images to the trash, loop devices are detached; what has been there for 7 days is',
    'removed by a later gc. PATH is as moorctl orphans prints it. What is marked with ! cannot be taken back.',
    'Exits 1 when something that was named is kept.',
  ].join('\n'),
  arguments: [{ name: 'PATH', description: 'an orphan', required: false, variadic: true }],
  options: [
    { name: 'all', description: 'every orphan on which gc may act' },
    { name: 'yes', short: 'y', description: 'do it' },
    {
      name: 'older-than',
      value: 'DURATION',
      description: 'remove what has been in trash or quarantine for so long (default: 168h)',
    },
    structuredOutputOption,
  ],
  run: gc,
};

async function gc(context: CommandContext, names: readonly string[], options: OptionValues): Promise<ExitCode> {
  const all = options.isSet('all');
  const execute = options.isSet('yes');
  const olderThan = options.text('older-than');
  if (all && names.length > 0) throw new UsageError('Cannot collect all and some: give PATH or --all');
  if (execute && !all && names.length === 0) throw new UsageError('Cannot collect: give PATH, or --all');
  const age = olderThan === undefined ? {} : { olderThanMs: parseDuration(olderThan) };
  const request = { names, all: all || names.length === 0, execute, ...age };
  const reply = await context.client.gc(request, context.signal);
  if (!printStructured(context, options, reply)) printResults(context, escapeControls(reply), execute);
  const [unknown] = reply.unknown;
  if (unknown !== undefined) throw new NotFoundError(`Cannot collect "${unknown}": it is not an orphan`);
  if (reply.held !== '') throw new Error(`Cannot collect anything now: ${reply.held}`);
  // Of all, what is not due yet is kept as it should be; what was named was meant.
  return !all && execute && reply.results.some(({ state }) => state === 'kept') ? exitCode.failed : exitCode.ok;
}

function printResults({ output, style }: CommandContext, { results }: GcReply, execute: boolean): void {
  if (results.length === 0) {
    output.note('Nothing to do.');
    return;
  }
  const rows = results.map(({ action, state, path, message }) => {
    return [action === 'purge' && state !== 'kept' ? '!' : ' ', action, state, path, message];
  });
  output.print(formatTable(rows, { style, headers: [' ', 'ACTION', 'STATE', 'PATH', 'MESSAGE'] }));
  if (!execute) output.note('Nothing was executed: add --yes.');
}
