import type { ResourceKind } from '../../control/protocol.ts';
import { type CommandContext, type CommandSpec, namespaceOf, namespaceOption, type OptionValues } from '../command.ts';
import { type ExitCode, exitCode, NotFoundError, UsageError } from '../exit-code.ts';
import { exportedObject } from '../export/exported-object.ts';
import { fetchListing } from '../resources/listing.ts';
import { describeReference, parseReferences, type ResourceReference } from '../resources/resource-reference.ts';
import { resources } from '../resources/resources.ts';
import { toYaml } from '../yaml-printer.ts';

/** What a cluster needs for the same claims, in the order in which it is applied. */
const everything: readonly ResourceReference[] = [
  { kind: 'storageclasses' },
  { kind: 'persistentvolumes' },
  { kind: 'persistentvolumeclaims' },
  { kind: 'statefulsets' },
  { kind: 'pods' },
];

export const exportCommand: CommandSpec = {
  name: 'export',
  summary: 'print objects as YAML for a real cluster, without what the store added',
  details: [
    'Without KIND: classes, volumes, claims, sets and pods. What a StatefulSet or a pod makes is left out, for it is made',
    'there too; so are volumes that moored provisioned, and claims lose the name of theirs: the cluster makes its own.',
    'With --with-volumes such volumes are there, retained and reserved for their claims by name.',
  ].join('\n'),
  arguments: [
    { name: 'KIND', description: 'a kind, or KIND/NAME', required: false, completes: 'kind' },
    { name: 'NAME', description: 'which of them (default: all)', required: false, variadic: true },
  ],
  options: [
    namespaceOption,
    { name: 'all-namespaces', short: 'A', description: 'the objects of all namespaces' },
    { name: 'with-volumes', description: 'volumes that moored provisioned too, and claims bound to them' },
  ],
  run: exportObjects,
};

async function exportObjects(
  context: CommandContext,
  args: readonly string[],
  options: OptionValues,
): Promise<ExitCode> {
  const namespace = options.isSet('all-namespaces') ? undefined : namespaceOf(options);
  const references = args.length === 0 ? everything : parseReferences(args);
  const documents: string[] = [];
  for (const reference of references) {
    const { kind, name } = reference;
    if (!resources[kind].isObject) throw new UsageError(`Cannot export ${kind}: they are no objects of a cluster`);
    const found = await objectsOf(context, kind, {
      ...(namespace === undefined ? {} : { namespace }),
      ...filterOf(name),
    });
    if (name !== undefined && found.length === 0) {
      throw new NotFoundError(`Cannot export ${describeReference({ kind, name }, namespace ?? 'default')}: not found`);
    }
    const withVolumes = options.isSet('with-volumes');
    for (const object of found) {
      const exported = exportedObject(object, { isNamed: name !== undefined, withVolumes });
      if (exported !== undefined) documents.push(toYaml(exported));
    }
  }
  if (documents.length === 0) context.output.note('Nothing to export');
  else context.output.print(documents.map((text) => text.trimEnd()).join('\n---\n'));
  return exitCode.ok;
}

function filterOf(name: string | undefined): { readonly name?: string } {
  return name === undefined ? {} : { name };
}

async function objectsOf(
  { client, signal }: CommandContext,
  kind: ResourceKind,
  filter: { readonly namespace?: string; readonly name?: string },
): Promise<readonly object[]> {
  return (await fetchListing(client, kind, filter, signal)).entries.map(({ value }) => value);
}
