import { mooredVersion, type VersionReply } from '../../control/protocol.ts';
import { ageOf } from '../age.ts';
import { type CommandContext, type CommandSpec, type OptionValues, structuredOutputOption } from '../command.ts';
import { escapeControls } from '../escape-controls.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { printStructured } from '../structured-output.ts';

export const versionCommand: CommandSpec = {
  name: 'version',
  summary: 'print the versions of moorctl and of the daemon',
  arguments: [],
  options: [{ name: 'client', description: 'only that of moorctl' }, structuredOutputOption],
  run: version,
};

async function version(context: CommandContext, _args: readonly string[], options: OptionValues): Promise<ExitCode> {
  const { client, output, signal, now } = context;
  const isText = options.text('output') === undefined;
  if (isText) output.print(`Client Version: ${mooredVersion}`);
  const server = options.isSet('client') ? undefined : await client.version(signal);
  printStructured(context, options, { clientVersion: mooredVersion, ...(server === undefined ? {} : { server }) });
  if (isText && server !== undefined) output.print(describeServer(escapeControls(server), now()));
  return exitCode.ok;
}

function describeServer(
  { version: daemonVersion, protocol, pid, startedAt, ready }: VersionReply,
  nowMs: number,
): string {
  const state = ready ? 'ready' : 'not ready: it is still rebuilding its worlds';
  return `Server Version: ${daemonVersion} (protocol ${protocol}, pid ${pid}, up ${ageOf(startedAt, nowMs)}, ${state})`;
}
