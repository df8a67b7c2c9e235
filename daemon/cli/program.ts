import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { mooredVersion } from '../control/protocol.ts';
import { type ArgumentSpec, type CommandSpec, type OptionSpec, OptionValues } from './command.ts';
import { type ExitCode, exitCode } from './exit-code.ts';

/** Runs one command; the options before it are those of moorctl itself. */
export type RunCommand = (
  command: CommandSpec,
  args: readonly string[],
  options: OptionValues,
  socketPath: string | undefined,
) => Promise<ExitCode>;

export interface ProgramText {
  readonly commands: readonly CommandSpec[];
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
}

const epilog = `
Kinds may be short, singular or plural: po, pvc, pv, sc, vol, dsw, asw, op, ev, mf.

Exit codes:
  0  done; what was waited for or checked is so
  1  it failed, is not ready, or the time of wait is over (the reason is on stderr)
  2  the command line is wrong
  3  the named object does not exist
  4  the daemon is not reachable

Environment:
  MOORED_SOCKET  path of the daemon's socket, when --socket is not given
  NO_COLOR       no color, whatever the terminal can do`;

/** Parses the command line (without program and script) and runs what it says. */
export async function runProgram(argv: readonly string[], text: ProgramText, run: RunCommand): Promise<ExitCode> {
  let code: ExitCode = exitCode.ok;
  const program = new Command('moorctl')
    .description('See and steer moored, the pod volume manager.')
    .option('--socket <PATH>', "the daemon's unix socket (default: $MOORED_SOCKET or /run/moored/moored.sock)")
    .version(`Client Version: ${mooredVersion}`, '-V, --version', 'print the version of moorctl')
    .addHelpText('after', epilog)
    .showHelpAfterError('Run moorctl --help for help.');
  // Subcommands inherit these when they are made.
  program.exitOverride().configureOutput({ writeOut: text.writeOut, writeErr: text.writeError });
  for (const spec of text.commands) {
    const command = toCommand(program.command(spec.name), spec);
    command.action(async () => {
      const values = optionValues(spec.options, command.opts());
      const socketPath: unknown = program.opts()['socket'];
      code = await run(spec, command.args, values, typeof socketPath === 'string' ? socketPath : undefined);
    });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
  }
}

function toCommand(command: Command, spec: CommandSpec): Command {
  command
    .summary(spec.summary)
    .description(`${sentence(spec.summary)}${spec.details === undefined ? '' : `\n\n${spec.details}`}`);
  for (const argument of spec.arguments) command.addArgument(toArgument(argument));
  for (const option of spec.options) command.addOption(toOption(option));
  return command;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function toArgument({ name, description, required, variadic, completes }: ArgumentSpec): Argument {
  const label = `${name}${variadic === true ? '...' : ''}`;
  const argument = new Argument(required ? `<${label}>` : `[${label}]`, description);
  return completes === 'shell' ? argument.choices(['bash', 'zsh']) : argument;
}

function toOption(spec: OptionSpec): Option {
  const short = spec.short === undefined ? '' : `-${spec.short}, `;
  const value = spec.value === undefined ? '' : ` <${spec.value}>`;
  const flags = `${short}--${spec.name}${value}`;
  const choices = spec.choices === undefined ? '' : `: ${spec.choices.join(', ')}`;
  const option = new Option(flags, `${spec.description}${choices}`);
  if (spec.value === undefined) return option;
  return option.argParser<string | readonly string[] | undefined>((raw, before) => {
    const given = checkedValue(raw, spec);
    if (spec.repeatable !== true) return given;
    return typeof before === 'object' ? [...before, given] : [given];
  });
}

/** kubectl takes `-o=json` as `-ojson`; so do we. */
function checkedValue(raw: string, { choices, short }: OptionSpec): string {
  const value = short !== undefined && raw.startsWith('=') ? raw.slice(1) : raw;
  if (choices !== undefined && !choices.includes(value)) {
    throw new InvalidArgumentError(`Wanted one of ${choices.join(', ')}.`);
  }
  return value;
}

/** commander files `--no-headers` as `headers: false`, `--all-namespaces` as `allNamespaces`; here they keep their names. */
function optionValues(specs: readonly OptionSpec[], parsed: Readonly<Record<string, unknown>>): OptionValues {
  const entries = specs.map(({ name, value }): readonly [string, string | boolean | readonly string[] | undefined] => {
    const given = parsed[camelCase(name.replace(/^no-/, ''))];
    if (value === undefined) return [name, name.startsWith('no-') ? given === false : given === true];
    return [name, given as string | readonly string[] | undefined];
  });
  return new OptionValues(Object.fromEntries(entries));
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_match, letter: string) => letter.toUpperCase());
}
