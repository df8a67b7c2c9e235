import { setTimeout } from 'node:timers/promises';
import type { ControlClient } from '../../control/control-client.ts';
import type { PodView, PodVolumeStatus } from '../../control/protocol.ts';
import { type CommandContext, type CommandSpec, namespaceOf, namespaceOption, type OptionValues } from '../command.ts';
import { parseDuration } from '../duration.ts';
import { escapeControls } from '../escape-controls.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { volumesReady } from '../resources/object-resources.ts';
import { describeProblem } from '../resources/record-resources.ts';
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
    'Exits 1 with the reason when the time is over; when no attempt will succeed until somebody changes something, already',
    'then, unless --keep-waiting is given. A daemon that restarts meanwhile is waited for.',
  ].join('\n'),
  arguments: [{ name: 'pod/NAME', description: 'the pod', required: true, completes: 'pod' }],
  options: [
    { name: 'for', value: 'CONDITION', description: 'what to wait for (default: mounted)', choices: conditions },
    { name: 'timeout', value: 'DURATION', description: 'how long, such as 1m30s; 0 looks once (default: 30s)' },
    { name: 'keep-waiting', description: 'wait on although only a change will help' },
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
  const timeout = timeoutAfter(timeoutMs);
  const obstacle = () => obstacles[wanted.condition](client, wanted, context.signal);
  const keepsWaiting = options.isSet('keep-waiting');
  const check = async () => (keepsWaiting ? (await obstacle())?.text : unlessLasting(obstacle, timeout));
  const action = `Cannot wait for pod "${wanted.name}" in namespace "${wanted.namespace}" to be ${wanted.condition}`;
  try {
    const unmet = await untilMet(context, check, timeout, revision);
    if (unmet === undefined) {
      output.print(`pod/${escapeControls(wanted.name)} ${wanted.condition}`);
      return exitCode.ok;
    }
    output.error(`${action}: timed out after ${timeoutText}: ${unmet}`);
  } catch (error) {
    if (!(error instanceof LastingObstacle)) throw error;
    output.error(`${action}: waiting will not mend it: ${error.message}`);
  }
  return exitCode.failed;
}

/** What stands in the way, word for word, and whether it stays until somebody changes something. */
interface Unready {
  readonly text: string;
  readonly needsChange: boolean;
}

class LastingObstacle extends Error {}

/**
 * A manifest that was mended a moment ago is read by the daemon within a second; until then it still tells of the old one.
 * Only what it tells for this long is believed to last.
 */
const lastingMs = 2_000;

async function unlessLasting(look: () => Promise<Unready | undefined>, timeout: AbortSignal): Promise<Unmet> {
  const first = await look();
  if (first?.needsChange !== true || timeout.aborted) return first?.text;
  await setTimeout(lastingMs, undefined, { signal: timeout }).catch(() => undefined);
  const second = await look();
  if (second?.needsChange === true && !timeout.aborted) throw new LastingObstacle(second.text);
  return second?.text;
}

function readWait([podArgument = '']: readonly string[], options: OptionValues): Wait {
  const word = options.text('for') ?? 'mounted';
  const condition = conditions.find((known) => known === word);
  if (condition === undefined) throw new UsageError(`Cannot wait for "${word}": wanted ${conditions.join(' or ')}`);
  return { condition, namespace: namespaceOf(options), name: parsePodName(podArgument) };
}

type Look = (client: ControlClient, wanted: Wait, signal: AbortSignal) => Promise<Unready | undefined>;

const obstacles: Readonly<Record<WaitCondition, Look>> = { mounted: whyNotMounted, unmounted: whyNotUnmounted };

async function whyNotMounted(
  client: ControlClient,
  { namespace, name }: Wait,
  signal: AbortSignal,
): Promise<Unready | undefined> {
  const [pod] = (await client.get('pods', { namespace, name }, signal)).items;
  if (pod === undefined) return { text: await whyNoPod(client, signal), needsChange: false };
  const condition = volumesReady(pod);
  if (condition?.status === 'True') return undefined;
  const volumes = pod.status.volumes.filter(({ state }) => state !== 'Mounted');
  const why = condition?.message || `the pod is ${pod.status.phase}`;
  return {
    text: [why, ...schedulingLines(pod), ...volumes.flatMap(volumeLines)].join('\n'),
    needsChange: volumes.some(({ needsChange }) => needsChange === true),
  };
}

function schedulingLines({ status }: PodView): readonly string[] {
  return status.conditions
    .filter(({ type, status: holds }) => type === 'PodScheduled' && holds === 'False')
    .map(({ reason, message }) => `  no node (${reason}): ${message}`);
}

function volumeLines({ name, state, reason, message, help }: PodVolumeStatus): readonly string[] {
  const status = reason === undefined ? state : `${state} (${reason})`;
  const advice = help === undefined ? [] : help.split('\n').map((line) => `    -> ${line}`);
  return [`  volume "${name}" ${status}${message === undefined ? '' : `: ${message}`}`, ...advice];
}

/** A file that is not understood may be the one that the pod is in. */
async function whyNoPod(client: ControlClient, signal: AbortSignal): Promise<string> {
  const { manifests } = await client.get('manifests', {}, signal);
  const bad = manifests.flatMap(({ name, problems: [first] }) =>
    first === undefined ? [] : [`  manifest "${name}" is not understood: ${describeProblem(first)}`],
  );
  return ['no such pod', ...bad].join('\n');
}

async function whyNotUnmounted(
  client: ControlClient,
  { namespace, name }: Wait,
  signal: AbortSignal,
): Promise<Unready | undefined> {
  // Before that the actual state of world may lack what is mounted.
  if (!(await client.version(signal)).ready) {
    return { text: 'the daemon is still rebuilding its worlds', needsChange: false };
  }
  const { volumes } = await client.get('asw', {}, signal);
  const left = volumes.flatMap((volume) =>
    volume.pods
      .filter((pod) => pod.namespace === namespace && pod.name === name)
      .map((pod) => `  volume "${volume.name}" ${pod.mountState} at "${pod.targetPath}"`),
  );
  if (left.length === 0) return undefined;
  return { text: [`${left.length} still in the actual state of world`, ...left].join('\n'), needsChange: false };
}
