import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { ControlClient } from '../../control/control-client.ts';
import { type CommandContext, OptionValues } from '../command.ts';
import { Output } from '../output.ts';
import { Style } from '../style.ts';
import { doctorCommand } from './doctor.ts';

class Text extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** Runs `moorctl doctor` where no daemon is, with `script` in place of the daemon's program. */
async function doctorWithout(script: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const stdout = new Text();
  const stderr = new Text();
  const context: CommandContext = {
    client: new ControlClient('/nowhere/moored.sock'),
    output: new Output(stdout, stderr),
    style: new Style({ color: false, unicode: false }),
    isTerminal: false,
    signal: new AbortController().signal,
    now: () => 0,
    doctorProgram: [process.execPath, '-e', script],
  };
  const code = await doctorCommand.run(context, [], new OptionValues({}));
  return { code, stdout: stdout.text, stderr: stderr.text };
}

test('without a daemon its own program makes the checks, whatever it exits with', async () => {
  const check = { name: 'loop', ok: false, required: true, detail: 'none', fix: 'modprobe loop' };
  const script = `console.log(${JSON.stringify(JSON.stringify({ checks: [check] }))}); process.exitCode = 1`;
  expect(await doctorWithout(script)).toEqual({
    code: 1,
    stdout: 'CHECK   STATE     DETAIL   FIX\nloop    missing   none     modprobe loop\n',
    stderr:
      'warning: Cannot reach moored at "/nowhere/moored.sock": no such file; see: systemctl status moored; checking without it\n' +
      '1 required check fails.\n',
  });
});

test('a program that prints something else is an error with what it said', async () => {
  await expect(doctorWithout('console.error("no such module"); process.exit(7)')).rejects.toThrow(
    /^Cannot run ".* -e .*": no such module$/,
  );
  await expect(doctorWithout('console.log("[]")')).rejects.toThrow('no answer');
});
