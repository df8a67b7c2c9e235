import type { CommandContext, CommandSpec, OptionValues } from '../command.ts';
import { parseDuration } from '../duration.ts';
import { escapeControls } from '../escape-controls.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { notifyStatus } from '../notify-status.ts';
import { timeoutAfter, type Unmet, untilMet } from '../until-met.ts';

export const holdCommand: CommandSpec = {
  name: 'hold',
  summary: 'wait until the volumes of a pod are mounted, and keep them until a unit has stopped',
  details: [
    'What moored-pod@.service starts. The unit gets a lease: before moored unmounts a volume of the pod it has systemd stop',
    'the unit, and with it whatever is bound to it, and waits for that. The lease ends with the file',
    '/run/moored/leases/UNIT, which the unit removes when it has stopped. A daemon that is not there yet is waited for.',
    'Under systemd each reason to wait becomes the status text of the unit.',
  ].join('\n'),
  arguments: [{ name: 'INSTANCE', description: '"namespace-name" or "namespace/name"', required: true }],
  options: [
    { name: 'unit', value: 'UNIT', description: 'the whole name of the unit that gets the lease' },
    { name: 'timeout', value: 'DURATION', description: 'how long to wait, such as 1m30s; 0 looks once (default: 5m)' },
  ],
  run: hold,
};

async function hold(context: CommandContext, args: readonly string[], options: OptionValues): Promise<ExitCode> {
  const { client, output, signal } = context;
  const [instance = ''] = args;
  const unit = options.text('unit');
  if (unit === undefined) throw new UsageError('Cannot hold: --unit is missing');
  const timeoutText = options.text('timeout') ?? '5m';
  const timeout = timeoutAfter(parseDuration(timeoutText));
  const tell = statusTeller();
  try {
    const unmet = await untilMet(
      context,
      async (): Promise<Unmet> => {
        // Until the manifests were read a pod may be missing, or the only one of its name.
        if (!(await client.version(signal)).ready) return 'the daemon is still rebuilding its worlds';
        const { held, message } = await client.hold({ instance, unit }, signal);
        await tell(message);
        return held ? undefined : message;
      },
      timeout,
    );
    if (unmet === undefined) {
      output.print(`${escapeControls(instance)} held by ${escapeControls(unit)}`);
      return exitCode.ok;
    }
    await tell(unmet);
    output.error(`Cannot hold "${instance}": timed out after ${timeoutText}: ${unmet}`);
    return exitCode.failed;
  } catch (error) {
    await tell(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** Tells systemd each text once. */
function statusTeller(): (text: string) => Promise<void> {
  let told = '';
  return async (text) => {
    if (text === told) return;
    told = text;
    await notifyStatus(escapeControls(text), process.env);
  };
}
