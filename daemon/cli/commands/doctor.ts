import { execFile } from 'node:child_process';
import { DaemonUnreachableError } from '../../control/control-client.ts';
import type { DoctorCheck, DoctorReply } from '../../control/protocol.ts';
import { type CommandContext, type CommandSpec, type OptionValues, structuredOutputOption } from '../command.ts';
import { escapeControls } from '../escape-controls.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { printStructured } from '../structured-output.ts';
import { formatTable } from '../table.ts';

export const doctorCommand: CommandSpec = {
  name: 'doctor',
  summary: 'check kernel features, tools and permissions, with the fix for each that is missing',
  details:
    'Asks the daemon, or runs its checks without it when it is not reachable. Exits 1 when a required one is missing.',
  arguments: [],
  options: [structuredOutputOption],
  run: doctor,
};

const localDeadlineMs = 60_000;

async function doctor(context: CommandContext, _args: readonly string[], options: OptionValues): Promise<ExitCode> {
  const reply = await ask(context);
  if (!printStructured(context, options, reply)) printChecks(context, escapeControls(reply));
  return reply.checks.every(({ ok, required }) => ok || !required) ? exitCode.ok : exitCode.failed;
}

async function ask(context: CommandContext): Promise<DoctorReply> {
  try {
    return await context.client.doctor(context.signal);
  } catch (error) {
    if (!(error instanceof DaemonUnreachableError)) throw error;
    context.output.note(`warning: ${error.message}; checking without it`);
    return await runLocally(context);
  }
}

/** `moored --doctor` prints a DoctorReply; it may exit 1 to say that something is missing. */
async function runLocally({ doctorProgram: [program = '', ...args], signal }: CommandContext): Promise<DoctorReply> {
  const { stdout, stderr } = await new Promise<{ readonly stdout: string; readonly stderr: string }>((resolve) => {
    const limits = { timeout: localDeadlineMs, maxBuffer: 4 * 1024 * 1024, signal };
    // Whether it worked shows in what it printed, whatever its exit code.
    execFile(program, args, limits, (error, out, err) =>
      resolve({ stdout: out, stderr: err || (error?.message ?? '') }),
    );
  });
  const reply = parseReply(stdout);
  if (reply === undefined)
    throw new Error(`Cannot run "${[program, ...args].join(' ')}": ${stderr.trim() || 'no answer'}`);
  return reply;
}

function parseReply(text: string): DoctorReply | undefined {
  try {
    const reply: unknown = JSON.parse(text);
    const checks: unknown = typeof reply === 'object' && reply !== null && 'checks' in reply ? reply.checks : undefined;
    return Array.isArray(checks) ? { checks: checks as readonly DoctorCheck[] } : undefined;
  } catch {
    return undefined;
  }
}

function printChecks({ output, style }: CommandContext, { checks }: DoctorReply): void {
  const rows = checks.map(({ name, ok, required, detail, fix }) => [name, stateOf(ok, required), detail, fix]);
  output.print(formatTable(rows, { style, headers: ['CHECK', 'STATE', 'DETAIL', 'FIX'], stateColumn: 1 }));
  const missing = checks.filter(({ ok, required }) => !ok && required).length;
  if (missing > 0) output.note(`${missing} required ${missing === 1 ? 'check fails' : 'checks fail'}.`);
}

/** `optional`: missing, but needed by some volumes only. */
function stateOf(ok: boolean, required: boolean): string {
  if (ok) return 'ok';
  return required ? 'missing' : 'optional';
}
