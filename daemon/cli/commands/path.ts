import { type CommandContext, type CommandSpec, namespaceOf, namespaceOption, type OptionValues } from '../command.ts';
import { escapeControls } from '../escape-controls.ts';
import { type ExitCode, exitCode, NotFoundError } from '../exit-code.ts';
import { parsePodName } from '../resources/resource-reference.ts';

export const pathCommand: CommandSpec = {
  name: 'path',
  summary: 'print where on this host a volume of a pod is',
  details: 'The path is known before the volume is mounted; a note on stderr says when it is not.',
  arguments: [
    { name: 'pod/NAME', description: 'the pod', required: true, completes: 'pod' },
    { name: 'VOLUME', description: 'its name in spec.volumes', required: true },
  ],
  options: [namespaceOption],
  run: path,
};

async function path(context: CommandContext, args: readonly string[], options: OptionValues): Promise<ExitCode> {
  const { client, output, signal, isTerminal } = context;
  const [podArgument = '', volumeName = ''] = args;
  const name = parsePodName(podArgument);
  const namespace = namespaceOf(options);
  const action = `Cannot print the path of volume "${volumeName}" of pod "${name}" in namespace "${namespace}"`;
  const [pod] = (await client.get('pods', { namespace, name }, signal)).items;
  if (pod === undefined) throw new NotFoundError(`${action}: no such pod`);
  const volume = pod.status.volumes.find((one) => one.name === volumeName);
  if (volume === undefined) {
    const known = pod.status.volumes.map((one) => `"${one.name}"`).join(', ');
    throw new NotFoundError(`${action}: ${known === '' ? 'it uses no volumes' : `its volumes are ${known}`}`);
  }
  // A script gets the very path; only a terminal must not be made to obey it.
  output.print(isTerminal ? escapeControls(volume.path) : volume.path);
  if (volume.state !== 'Mounted') output.note(`warning: volume "${volumeName}" is ${volume.state}, not mounted`);
  return exitCode.ok;
}
