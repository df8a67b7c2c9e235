import type { ControlClient } from '../control/control-client.ts';
import type { ExitCode } from './exit-code.ts';
import type { Output } from './output.ts';
import type { Style } from './style.ts';

/** What a command may use of the world. */
export interface CommandContext {
  readonly client: ControlClient;
  readonly output: Output;
  readonly style: Style;
  readonly isTerminal: boolean;
  /** Aborts when nobody reads stdout any more. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch, for ages. */
  readonly now: () => number;
  /** Program and arguments that run the daemon's own checks, for `doctor` without a daemon. */
  readonly doctorProgram: readonly string[];
}

export interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly variadic?: boolean;
  /** What the shell completes here. */
  readonly completes?: 'kind' | 'pod' | 'shell';
}

/** An option; one without `value` is a switch. A name beginning with "no-" is a switch like any other. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  readonly value?: string;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly repeatable?: boolean;
  readonly completes?: 'file';
}

/** One subcommand as data: the parser, the help and the completions are made from it. */
export interface CommandSpec {
  readonly name: string;
  readonly summary: string;
  /** More help, below the options. */
  readonly details?: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  /** `args` has one entry an argument given, in order, variadic ones spread. Errors go to exitCodeOf. */
  run(context: CommandContext, args: readonly string[], options: OptionValues): Promise<ExitCode>;
}

/** The options of one call, by name without dashes. */
export class OptionValues {
  readonly #values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

  constructor(values: Readonly<Record<string, string | boolean | readonly string[] | undefined>>) {
    this.#values = values;
  }

  isSet(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  list(name: string): readonly string[] {
    const value = this.#values[name];
    return typeof value === 'object' ? value : [];
  }
}

export const namespaceOption: OptionSpec = {
  name: 'namespace',
  short: 'n',
  value: 'NAMESPACE',
  description: 'the namespace to look in (default: "default")',
};

export const structuredOutputOption: OptionSpec = {
  name: 'output',
  short: 'o',
  value: 'FORMAT',
  description: 'json or yaml instead of text',
  choices: ['json', 'yaml'],
};

export function namespaceOf(options: OptionValues): string {
  return options.text('namespace') ?? 'default';
}
