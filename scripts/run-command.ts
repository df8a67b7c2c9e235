import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join, resolve } from 'node:path';

/** The checkout that this script belongs to. */
export const projectRoot = resolve(import.meta.dirname, '..');

const stopSignals = ['SIGINT', 'SIGTERM'] as const;

export interface CommandResult {
  /** Exit code; 128 + number when a signal ended it, 127 when it could not be started. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Lets the command write to our own stdout and stderr instead of capturing them. */
  readonly inherit?: boolean;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Gets both outputs as they come, beside the result. */
  readonly onOutput?: (text: string) => void;
}

/** Our environment, with this checkout's tools first, Node among them: the host's Node may be too old to run them. */
export function toolEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const path = process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin';
  return { ...process.env, PATH: `${join(projectRoot, 'node_modules/.bin')}:${path}`, ...extra };
}

/** Runs an argv (never a shell line) in the project root. Resolves whatever the exit code is. */
export function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [command = '', ...args] = argv;
  const output = options.inherit === true ? 'inherit' : 'pipe';
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd: projectRoot,
      env: toolEnvironment(options.env),
      stdio: [options.input === undefined ? 'ignore' : 'pipe', output, output],
    });
    // A child in the foreground is told to stop when we are; its own clean-up decides when it ends.
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    if (options.inherit === true) for (const signal of stopSignals) process.on(signal, forward);
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const { onOutput } = options;
    if (onOutput !== undefined) for (const stream of [child.stdout, child.stderr]) stream?.on('data', onOutput);
    child.stdin?.on('error', () => undefined).end(options.input);
    child.on('error', (error) => done({ code: 127, stdout, stderr: `Cannot start "${command}": ${error.message}\n` }));
    child.on('close', (code, signal) => {
      for (const each of stopSignals) process.off(each, forward);
      done({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), stdout, stderr });
    });
  });
}

/** "3.4 s", for the tables that the scripts print. */
export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
