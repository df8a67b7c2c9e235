import type { ControlClient } from '../../control/control-client.ts';
import { type CommandContext, type CommandSpec, namespaceOf, namespaceOption, type OptionValues } from '../command.ts';
import { parseDuration } from '../duration.ts';
import { escapeControls } from '../escape-controls.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { volumesReady } from '../resources/object-resources.ts';
import { parsePodName } from '../resources/resource-reference.ts';
import { timeoutAfter, type Unmet, untilMet } from '../until-met.ts';

const conditions = ['mounted', 'unmounted'] as const;
type WaitCondition = (typeof conditions)[number];

export const waitCommand: CommandSpec = {
  name: 'wait',
  summary: 'wait until the volumes of a pod are mounted, or unmounted',
  details: [
    'mounted: the pod is there and its condition VolumesReady is True. A pod that does not exist yet is waited for, as',
    'its manifest may just have been written. unmounted: no volume of this pod is in the actual state of world.',
    'Exits 1 with the reason when the time is over. A daemon that restarts meanwhile is waited for.',
  ].join('\n'),
  arguments: [{ name: 'pod/NAME', description: 'the pod', required: true, completes: 'pod' }],
  options: [
    { name: 'for', value: 'CONDITION', description: 'what to wait for (default: mounted)', choices: conditions },
    { name: 'timeout', value: 'DURATION', description: 'how long, such as 1m30s; 0 looks once (default: 30s)' },
    namespaceOption,
  ],
  run: wait,
};

interface Wait {
  readonly condition: WaitCondition;
  readonly namespace: string;
  readonly name: string;
}

async function wait(context: CommandContext, args: readonly string[], options: OptionValues): Promise<ExitCode> {
  const { client, output } = context;
  const wanted = readWait(args, options);
  const timeoutText = options.text('timeout') ?? '30s';
  const timeoutMs = parseDuration(timeoutText);
  // Nobody there from the start is an error at once; only a daemon seen alive is waited for.
  const { revision } = await client.changes(undefined, context.signal);
  const check = () => checks[wanted.condition](client, wanted, context.signal);
  const unmet = await untilMet(context, check, timeoutAfter(timeoutMs), revision);
  if (unmet === undefined) {
    output.print(`pod/${escapeControls(wanted.name)} ${wanted.condition}`);
    return exitCode.ok;
  }
  const pod = `pod "${wanted.name}" in namespace "${wanted.namespace}"`;
  output.error(`Cannot wait for ${pod} to be ${wanted.condition}: timed out after ${timeoutText}: ${unmet}`);
  return exitCode.failed;
}

function readWait([podArgument = '']: readonly string[], options: OptionValues): Wait {
  const word = options.text('for') ?? 'mounted';
  const condition = conditions.find((known) => known === word);
  if (condition === undefined) throw new UsageError(`Cannot wait for "${word}": wanted ${conditions.join(' or ')}`);
  return { condition, namespace: namespaceOf(options), name: parsePodName(podArgument) };
}

type Check = (client: ControlClient, wanted: Wait, signal: AbortSignal) => Promise<Unmet>;

const checks: Readonly<Record<WaitCondition, Check>> = { mounted: whyNotMounted, unmounted: whyNotUnmounted };

async function whyNotMounted(client: ControlClient, { namespace, name }: Wait, signal: AbortSignal): Promise<Unmet> {
  const [pod] = (await client.get('pods', { namespace, name }, signal)).items;
  if (pod === undefined) return 'no such pod';
  const condition = volumesReady(pod);
  if (condition?.status === 'True') return undefined;
  const volumes = pod.status.volumes.filter(({ state }) => state !== 'Mounted');
  const lines = volumes.map((one) => `  volume "${one.name}" ${one.state}${one.message ? `: ${one.message}` : ''}`);
  return [condition?.message || `the pod is ${pod.status.phase}`, ...lines].join('\n');
}

async function whyNotUnmounted(client: ControlClient, { namespace, name }: Wait, signal: AbortSignal): Promise<Unmet> {
  // Before that the actual state of world may lack what is mounted.
  if (!(await client.version(signal)).ready) return 'the daemon is still rebuilding its worlds';
  const { volumes } = await client.get('asw', {}, signal);
  const left = volumes.flatMap((volume) =>
    volume.pods
      .filter((pod) => pod.namespace === namespace && pod.name === name)
      .map((pod) => `  volume "${volume.name}" ${pod.mountState} at "${pod.targetPath}"`),
  );
  return left.length === 0 ? undefined : [`${left.length} still in the actual state of world`, ...left].join('\n');
}
