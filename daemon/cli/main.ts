#!/usr/bin/env node
import { join } from 'node:path';
import { ControlClient } from '../control/control-client.ts';
import { defaultSocketPath } from '../control/protocol.ts';
import type { CommandContext } from './command.ts';
import { commands } from './commands.ts';
import { type ExitCode, exitCode, exitCodeOf } from './exit-code.ts';
import { Output } from './output.ts';
import { runProgram } from './program.ts';
import { styleFor } from './style.ts';

const closed = new AbortController();

const output = new Output(process.stdout, process.stderr);

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  closed.abort();
  // `moorctl get -w | head`: when nobody reads any more there is nothing left to do, and nothing to say.
  if (error.code === 'EPIPE') return;
  output.error(`Cannot write to stdout: ${error.message}`);
  process.once('exit', () => {
    process.exitCode = exitCode.failed;
  });
});
// There is nowhere left to say it.
process.stderr.on('error', () => undefined);

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<ExitCode> {
  const text = {
    commands,
    writeOut: (help: string) => process.stdout.write(help),
    writeError: (message: string) => process.stderr.write(message),
  };
  return await runProgram(argv, text, async (command, args, options, socketPath) => {
    try {
      return await command.run(contextFor(socketPath), args, options);
    } catch (error) {
      if (closed.signal.aborted) return exitCode.ok;
      output.error(error);
      return exitCodeOf(error);
    }
  });
}

function contextFor(socketPath: string | undefined): CommandContext {
  const isTerminal = process.stdout.isTTY === true;
  return {
    client: new ControlClient(socketPath ?? (process.env['MOORED_SOCKET'] || defaultSocketPath)),
    output,
    style: styleFor(isTerminal, process.env),
    isTerminal,
    signal: closed.signal,
    now: Date.now,
    doctorProgram: [process.execPath, daemonScript(), '--doctor'],
  };
}

/** The daemon beside this file: moored.js in dist, ../main.ts when run from source. */
function daemonScript(): string {
  return import.meta.filename.endsWith('.ts')
    ? join(import.meta.dirname, '..', 'main.ts')
    : join(import.meta.dirname, 'moored.js');
}
