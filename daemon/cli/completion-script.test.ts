import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { commands } from './commands.ts';
import { bashCompletion, zshCompletion } from './completion-script.ts';

/** What bash offers for a command line, whose last word is being typed; `moorctl` itself is a function of the script. */
function complete(words: readonly string[], moorctl = 'true'): string[] {
  const script = [
    'moorctl() { true; }; timeout() { shift 2; fake_moorctl "$@"; }',
    `fake_moorctl() { ${moorctl}; }`,
    bashCompletion(commands),
    'COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _moorctl; printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', ...words], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

describe('bash completion', () => {
  test('commands', () => {
    expect(complete(['moorctl', 'd'])).toEqual(['describe', 'drain', 'doctor']);
    for (const { name } of commands) expect(complete(['moorctl', name])).toEqual([name]);
  });

  test('every option of every command', () => {
    for (const { name, options } of commands) {
      for (const option of options)
        expect(complete(['moorctl', name, `--${option.name}`])).toEqual([`--${option.name}`]);
    }
  });

  test('kinds, values and files', () => {
    expect(complete(['moorctl', 'get', 'pv'])).toEqual(['pvc', 'pv']);
    expect(complete(['moorctl', '--socket', '/x', 'get', '-o', ''])).toEqual(['wide', 'json', 'yaml', 'name']);
    expect(complete(['moorctl', 'wait', 'pod/web', '--for', '=', 'u'])).toEqual(['unmounted']);
    expect(complete(['moorctl', 'completion', ''])).toEqual(['bash', 'zsh']);
    expect(complete(['moorctl', 'plan', '-f', '/etc/host'])).toContain('/etc/hosts');
  });

  test('names come from the daemon', () => {
    const names = 'if [[ $1 == get ]]; then echo pod/web; echo pod/db; fi';
    expect(complete(['moorctl', 'path', 'pod/'], names)).toEqual(['pod/web', 'pod/db']);
    expect(complete(['moorctl', 'get', 'pods', 'w'], names)).toEqual(['web']);
  });

  test('a name that a shell would run is not offered and not run', () => {
    const trace = `/tmp/moored-completion-${process.pid}`;
    const hostile = `echo 'manifest/$(touch ${trace}).yaml'; echo 'manifest/\`touch ${trace}\`'; echo manifest/ok.yaml`;
    expect(complete(['moorctl', 'get', 'mf', ''], hostile)).toEqual(['ok.yaml']);
    expect(existsSync(trace)).toBe(false);
  });
});

test('zsh gets the same script behind its bash emulation', () => {
  expect(zshCompletion(commands)).toMatch(
    /^autoload [^\n]*compinit\nautoload [^\n]*bashcompinit && bashcompinit\n# bash/,
  );
});
