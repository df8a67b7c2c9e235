/** undelete, release, adopt, recover: what is done to volumes by hand. Each asks the daemon, which does it. */
import type { VolumeReply, VolumeRequest } from '../../control/protocol.ts';
import {
  type CommandContext,
  type CommandSpec,
  namespaceOf,
  namespaceOption,
  type OptionValues,
  structuredOutputOption,
} from '../command.ts';
import { escapeControls } from '../escape-controls.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { parseReference } from '../resources/resource-reference.ts';
import { printStructured } from '../structured-output.ts';
import { formatTable } from '../table.ts';

export const undeleteCommand: CommandSpec = {
  name: 'undelete',
  summary: 'bring a deleted volume back from the trash',
  details: [
    'The image goes back to its place, and the volume is there again: Released, with the policy Retain, so that a claim of',
    'the namespace and name that it had finds it. NAME is as moorctl get trash prints it, or the PATH there.',
  ].join('\n'),
  arguments: [{ name: 'NAME', description: 'a volume in the trash', required: true }],
  options: [structuredOutputOption],
  run: (context, [name = ''], options) => ask(context, { verb: 'undelete', name: volumeName(name) }, options),
};

export const releaseCommand: CommandSpec = {
  name: 'release',
  summary: 'make a released volume available to any claim that it fits',
  details: 'The data stays as it is: the next claim has it. To give it to a certain claim, use moorctl adopt.',
  arguments: [{ name: 'pv/NAME', description: 'a volume in phase Released', required: true }],
  options: [structuredOutputOption],
  run: (context, [name = ''], options) => ask(context, { verb: 'release', name: volumeName(name) }, options),
};

export const adoptCommand: CommandSpec = {
  name: 'adopt',
  summary: 'reserve a volume, or an image file, for a claim by name',
  details: [
    'A claim of that name, there already or still to come, is bound to it if it fits: size, access modes, class, mode.',
    'An image is used as it is: never formatted unless it is proven blank, and never deleted.',
  ].join('\n'),
  arguments: [{ name: 'pv/NAME|FILE', description: 'a volume, or the absolute path of an image', required: true }],
  options: [
    { name: 'claim', value: 'NAME', description: 'the claim that shall have it' },
    namespaceOption,
    { name: 'fs-type', value: 'TYPE', description: 'what is on the image (default: ext4)' },
    { name: 'class', value: 'CLASS', description: 'the class of a claim that does not exist yet (default: none)' },
    structuredOutputOption,
  ],
  run: adopt,
};

export const recoverCommand: CommandSpec = {
  name: 'recover',
  summary: 'make the objects of volumes anew from the records beside their images: shows them, and acts with --yes',
  details: [
    'For a state directory that was lost. Only an image that says what volume it was, that agrees with it and that nothing',
    'else has is taken; a claim of the namespace and name that it had finds it. No image is written to.',
  ].join('\n'),
  arguments: [],
  options: [
    { name: 'from-data', description: 'from the images that are here' },
    { name: 'yes', short: 'y', description: 'do it' },
    structuredOutputOption,
  ],
  run: recover,
};

async function adopt(
  context: CommandContext,
  [text = '']: readonly string[],
  options: OptionValues,
): Promise<ExitCode> {
  const name = options.text('claim');
  if (name === undefined) throw new UsageError(`Cannot adopt "${text}": give --claim NAME`);
  const [fsType, storageClass] = [options.text('fs-type'), options.text('class')];
  const request: VolumeRequest = {
    ...{ verb: 'adopt', source: text.startsWith('/') ? text : volumeName(text) },
    claim: { namespace: namespaceOf(options), name },
    ...(fsType === undefined ? {} : { fsType }),
    ...(storageClass === undefined ? {} : { storageClass }),
  };
  return await ask(context, request, options);
}

async function recover(context: CommandContext, _args: readonly string[], options: OptionValues): Promise<ExitCode> {
  if (!options.isSet('from-data')) throw new UsageError('Cannot recover: give --from-data');
  const execute = options.isSet('yes');
  return await ask(context, { verb: 'recover', execute }, options);
}

async function ask(context: CommandContext, request: VolumeRequest, options: OptionValues): Promise<ExitCode> {
  const reply = await context.client.volumes(request, context.signal);
  if (!printStructured(context, options, reply)) printResults(context, escapeControls(reply));
  return exitCode.ok;
}

function printResults({ output, style }: CommandContext, { results }: VolumeReply): void {
  if (results.length === 0) {
    output.note('Nothing to do.');
    return;
  }
  const rows = results.map(({ subject, state, message }) => [state, subject, message]);
  output.print(formatTable(rows, { style, headers: ['STATE', 'SUBJECT', 'MESSAGE'] }));
  if (results.some(({ state }) => state === 'planned')) output.note('Nothing was executed: add --yes.');
}

/** The NAME of `pv/NAME`; a bare NAME is a volume too, and so is a path in the trash. */
function volumeName(text: string): string {
  if (text.startsWith('/') || !text.includes('/')) return text;
  const { kind, name } = parseReference([text]);
  if (kind !== 'persistentvolumes') throw new UsageError(`Cannot use "${text}": wanted pv/NAME`);
  return name;
}
