import { spawn } from 'node:child_process';
import { mkdtempSync, rmdirSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type ControlServer,
  type ControlServerOptions,
  startControlServer,
} from '../../daemon/control/control-server.ts';
import { StubHandlers } from './stub-handlers.ts';
import { stubState } from './stub-state.ts';

/** A stub daemon on a socket of its own; dispose it with `await using`. */
export interface RunningStub extends AsyncDisposable {
  readonly handlers: StubHandlers;
  readonly server: ControlServer;
  readonly socketPath: string;
}

/** The path of a socket in a directory that does not exist yet. */
export function freshSocketPath(): string {
  return join(mkdtempSync(join(tmpdir(), 'moored-control-')), 'run', 'moored.sock');
}

export async function startStub(options: Partial<ControlServerOptions> = {}): Promise<RunningStub> {
  const handlers = new StubHandlers(stubState);
  const socketPath = options.socketPath ?? freshSocketPath();
  const server = await startControlServer({ handlers, ...options, socketPath });
  return {
    handlers,
    server,
    socketPath,
    async [Symbol.asyncDispose]() {
      await server.close();
      removeDirectories(socketPath);
    },
  };
}

/** Removes the two directories that freshSocketPath stands for; they must be empty but for the socket. */
export function removeDirectories(socketPath: string): void {
  try {
    unlinkSync(socketPath);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  rmdirSync(dirname(socketPath));
  rmdirSync(dirname(dirname(socketPath)));
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Called with all of stdout so far, whenever there is more. */
  readonly onStdout?: (text: string, kill: () => void) => void;
}

export const cliScript = new URL('../../daemon/cli/main.ts', import.meta.url).pathname;

/** Runs moorctl from source as a child, with no terminal and an almost empty environment. */
export function moorctl(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [cliScript, ...args], { env: { PATH: '/usr/bin:/bin', ...options.env } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    options.onStdout?.(stdout, () => child.kill());
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Polls until the condition holds; throws after the deadline. */
export async function eventually(condition: () => boolean | Promise<boolean>, deadlineMs = 10_000): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`Cannot see the condition within ${deadlineMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
