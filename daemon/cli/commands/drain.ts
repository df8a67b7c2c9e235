import type { CommandContext, CommandSpec } from '../command.ts';
import { escapeControls } from '../escape-controls.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { formatTable } from '../table.ts';

export const drainCommand: CommandSpec = {
  name: 'drain',
  summary: 'unmount and detach everything; nothing is mounted again until moored restarts',
  details:
    'No data is deleted. Exits 1 and lists what is left when something stays, for instance because it is in use. ' +
    'Drain before you stop or disable the service: a daemon that is down leaves its mounts.',
  arguments: [],
  options: [],
  run: drain,
};

async function drain({ client, output, style, signal }: CommandContext): Promise<ExitCode> {
  const { drained, remaining } = await client.drain(signal);
  if (remaining.length > 0) {
    const rows = escapeControls(remaining).map(({ volume, pod, message }) => [volume, pod, message]);
    output.print(formatTable(rows, { style, headers: ['VOLUME', 'POD', 'MESSAGE'] }));
  }
  if (drained) {
    output.note('Drained: nothing is mounted, and nothing will be until moored is restarted.');
    return exitCode.ok;
  }
  output.error(`Cannot drain: ${remaining.length === 1 ? '1 mount is' : `${remaining.length} mounts are`} left`);
  return exitCode.failed;
}
