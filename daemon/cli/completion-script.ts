import { resourceKinds } from '../control/protocol.ts';
import type { CommandSpec, OptionSpec } from './command.ts';
import { resources } from './resources/resources.ts';

/**
 * A bash script made from the command tree. Names of objects are asked of the daemon while completing, with a deadline
 * so that a daemon that hangs does not hang the shell. `compgen -W` expands its words as the shell does (bash(1),
 * Programmable Completion), so a name with a character that could run something is never offered.
 */
export function bashCompletion(commands: readonly CommandSpec[]): string {
  return `# bash completion for moorctl
_moorctl_names() {
  timeout 1 moorctl get "$1" -A -o name 2>/dev/null | sed -n 's,^[^/]*/\\([A-Za-z0-9@%_.:^/+-]*\\)$,\\1,p'
}

_moorctl() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command= kind= position=0 i
  # COMP_WORDBREAKS makes three words of --for=mounted.
  if [[ $current == '=' ]]; then current= ; elif [[ $previous == '=' ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
      ${valueFlags(commands).join('|')}) i=$((i + 1)); if [[ "\${COMP_WORDS[i]}" == '=' ]]; then i=$((i + 1)); fi ;;
      -*|=) ;;
      *)
        if [[ -z $command ]]; then command="\${COMP_WORDS[i]}"; else
          position=$((position + 1))
          if [[ -z $kind ]]; then kind="\${COMP_WORDS[i]}"; fi
        fi ;;
    esac
  done
  COMPREPLY=()
  if [[ $previous == --socket ]]; then ${complete('-f')}; return; fi
  case "$command" in
    '') ${complete(words([...commands.map(({ name }) => name), '--socket', '--help', '--version']))} ;;
${commands.map(commandCase).join('\n')}
  esac
}
complete -o default -F _moorctl moorctl`;
}

/** zsh runs the same script through its emulation of bash's completion (zshcompsys(1), bashcompinit). */
export function zshCompletion(commands: readonly CommandSpec[]): string {
  return `autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bashCompletion(commands)}`;
}

function commandCase(command: CommandSpec): string {
  const values = command.options.filter(({ value }) => value !== undefined).map(valueCase);
  const argument = argumentWords(command);
  const lines = [
    `    ${command.name})`,
    '      case "$previous" in',
    ...values,
    '        *)',
    `          if [[ $current == -* ]]; then ${complete(words([...flags(command.options), '--socket', '--help']))}`,
    ...argument.map((line) => `          ${line}`),
    '          fi ;;',
    '      esac ;;',
  ];
  return lines.join('\n');
}

function valueCase(option: OptionSpec): string {
  const action = option.completes === 'file' ? '-f' : words(option.choices ?? []);
  return `        ${flags([option]).join('|')}) ${complete(action)} ;;`;
}

function argumentWords({ arguments: [first, second] }: CommandSpec): string[] {
  const kinds = resourceKinds.map((kind) => resources[kind].aliases[0] ?? kind);
  switch (first?.completes) {
    case 'kind': {
      const names = `else ${complete('-W "$(_moorctl_names "$kind")"')}`;
      return [`elif ((position == 0)); then ${complete(words(kinds))}`, ...(second === undefined ? [] : [names])];
    }
    case 'pod':
      return [`elif ((position == 0)); then ${complete('-P pod/ -W "$(_moorctl_names pods)"', '${current#pod/}')}`];
    case 'shell':
      return [`elif ((position == 0)); then ${complete(words(['bash', 'zsh']))}`];
    default:
      return [];
  }
}

function words(list: readonly string[]): string {
  return `-W '${list.join(' ')}'`;
}

function complete(action: string, current = '$current'): string {
  return `COMPREPLY=($(compgen ${action} -- "${current}"))`;
}

function flags(options: readonly OptionSpec[]): string[] {
  return options.flatMap(({ name, short }) => (short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`]));
}

function valueFlags(commands: readonly CommandSpec[]): string[] {
  const options = commands.flatMap((command) => command.options.filter(({ value }) => value !== undefined));
  return ['--socket', ...new Set(flags(options))];
}
