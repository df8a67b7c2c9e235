import { writeFile } from 'node:fs/promises';
import { type CommandContext, type CommandSpec, namespaceOf, namespaceOption, type OptionValues } from '../command.ts';
import { type ExitCode, exitCode, UsageError } from '../exit-code.ts';
import { toYaml } from '../yaml-printer.ts';

export const createCommand: CommandSpec = {
  name: 'create',
  summary: 'write the manifest of a snapshot of a claim; asks the daemon nothing',
  details: [
    'The manifest is printed, or written to a new FILE: whoever writes manifests is you, never moored. Put it into the',
    'manifest directory and the snapshot is taken; remove it there and the snapshot is deleted.',
  ].join('\n'),
  arguments: [
    { name: 'snapshot', description: 'the word snapshot', required: true },
    { name: 'NAME', description: 'its name', required: true },
  ],
  options: [
    { name: 'pvc', value: 'CLAIM', description: 'the claim to take it of' },
    {
      name: 'class',
      value: 'CLASS',
      description: 'its VolumeSnapshotClass (default: the default class of the driver)',
    },
    { name: 'output', short: 'o', value: 'FILE', description: 'a file that does not exist yet', completes: 'file' },
    namespaceOption,
  ],
  run: create,
};

async function create(
  { output }: CommandContext,
  [kind = '', name = '']: readonly string[],
  options: OptionValues,
): Promise<ExitCode> {
  if (!['snapshot', 'vs', 'volumesnapshot'].includes(kind))
    throw new UsageError(`Cannot create "${kind}": wanted snapshot`);
  const claim = options.text('pvc');
  if (claim === undefined) throw new UsageError(`Cannot create snapshot "${name}": --pvc CLAIM is missing`);
  const manifest = toYaml(
    snapshotManifest({ name, namespace: namespaceOf(options), claim, className: options.text('class') }),
  );
  const path = options.text('output');
  if (path === undefined) {
    output.print(manifest);
    return exitCode.ok;
  }
  try {
    await writeFile(path, `${manifest}\n`, { flag: 'wx', mode: 0o644 });
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot write "${path}": ${cause}`, { cause: error });
  }
  output.note(`"${path}" is written; in the manifest directory it is a snapshot`);
  return exitCode.ok;
}

interface SnapshotWish {
  readonly name: string;
  readonly namespace: string;
  readonly claim: string;
  readonly className: string | undefined;
}

function snapshotManifest({ name, namespace, claim, className }: SnapshotWish): object {
  return {
    apiVersion: 'snapshot.storage.k8s.io/v1',
    kind: 'VolumeSnapshot',
    metadata: { name, namespace },
    spec: { volumeSnapshotClassName: className, source: { persistentVolumeClaimName: claim } },
  };
}
