import type { CommandContext, CommandSpec } from '../command.ts';
import { bashCompletion, zshCompletion } from '../completion-script.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';

/** Completes the given commands and itself. */
export function completionCommand(others: readonly CommandSpec[]): CommandSpec {
  const command: CommandSpec = {
    name: 'completion',
    summary: 'print the shell completion script',
    details: 'bash: source <(moorctl completion bash)\nzsh:  source <(moorctl completion zsh)',
    arguments: [{ name: 'SHELL', description: 'bash or zsh', required: true, completes: 'shell' }],
    options: [],
    run: async ({ output }: CommandContext, [shell]: readonly string[]): Promise<ExitCode> => {
      const all = [...others, command];
      output.print(shell === 'zsh' ? zshCompletion(all) : bashCompletion(all));
      return exitCode.ok;
    },
  };
  return command;
}
