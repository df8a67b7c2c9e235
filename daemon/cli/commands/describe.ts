import type { GetFilter, RecordedEvent, ResourceKind } from '../../control/protocol.ts';
import { ageOf } from '../age.ts';
import { type CommandContext, type CommandSpec, namespaceOf, namespaceOption, type OptionValues } from '../command.ts';
import { adviceSection } from '../describe/advice-section.ts';
import {
  describeClaim,
  describeNode,
  describePersistentVolume,
  describePod,
  describeStorageClass,
} from '../describe/describe-objects.ts';
import {
  describeVolumeSnapshot,
  describeVolumeSnapshotClass,
  describeVolumeSnapshotContent,
} from '../describe/describe-snapshots.ts';
import { describeStatefulSet } from '../describe/describe-stateful-set.ts';
import {
  describeActual,
  describeDesired,
  describeManifest,
  describeOperation,
  describeVolume,
} from '../describe/describe-worlds.ts';
import { type Description, formatDescription, type Section } from '../describe/section.ts';
import { escapeControls } from '../escape-controls.ts';
import { type ExitCode, exitCode, NotFoundError, UsageError } from '../exit-code.ts';
import type { Items } from '../resources/resource.ts';
import { describeReference, parseReferences, type ResourceReference } from '../resources/resource-reference.ts';
import { resources } from '../resources/resources.ts';

export const describeCommand: CommandSpec = {
  name: 'describe',
  summary: 'show all about an object or a volume, with its conditions, mounts and events',
  arguments: [
    { name: 'KIND', description: 'a kind, or KIND/NAME', required: true, completes: 'kind' },
    { name: 'NAME', description: 'which of them (default: all)', required: false, variadic: true },
  ],
  options: [namespaceOption],
  run: describe,
};

async function describe(context: CommandContext, args: readonly string[], options: OptionValues): Promise<ExitCode> {
  const namespace = namespaceOf(options);
  const texts: string[] = [];
  for (const reference of parseReferences(args)) texts.push(...(await describeAll(context, reference, namespace)));
  if (texts.length === 0) context.output.note('No resources found');
  else context.output.print(texts.join('\n\n'));
  return exitCode.ok;
}

async function describeAll(
  context: CommandContext,
  reference: ResourceReference,
  namespace: string,
): Promise<string[]> {
  const { kind, name } = reference;
  if (kind === 'events') throw new UsageError('Cannot describe events: use get events');
  const found = await describeKind(context, kind, { namespace, ...(name === undefined ? {} : { name }) });
  if (found.length === 0 && name !== undefined) {
    throw new NotFoundError(`Cannot describe ${describeReference({ kind, name }, namespace)}: not found`);
  }
  return found;
}

async function describeKind<K extends ResourceKind>(
  context: CommandContext,
  kind: K,
  filter: GetFilter,
): Promise<string[]> {
  const { client, signal, style } = context;
  const items = resources[kind].items(await client.get(kind, filter, signal));
  const texts: string[] = [];
  for (const item of items) {
    const { fields, sections } = await describers[kind](escapeControls(item), context);
    const events = await eventSection(context, kind, item);
    texts.push(formatDescription({ fields, sections: [...sections, ...events] }, style));
  }
  return texts;
}

type Describe<Item> = (item: Item, context: CommandContext) => Description | Promise<Description>;

const describers: { readonly [K in ResourceKind]: Describe<Items[K]> } = {
  pods: (pod, { now }) => describePod(pod, now()),
  statefulsets: async (set, { client, signal, now }) => {
    const { items } = await client.get('pods', { namespace: set.metadata.namespace }, signal);
    return describeStatefulSet(set, escapeControls(items), now());
  },
  persistentvolumeclaims: async (claim, { client, signal, now }) => {
    const { items } = await client.get('pods', { namespace: claim.metadata.namespace }, signal);
    const { namespace, name } = claim.metadata;
    const explanation = await client.explain('persistentvolumeclaims', namespace, name, signal);
    return describeClaim(claim, escapeControls({ pods: items, explanation }), now());
  },
  persistentvolumes: (volume, { now }) => describePersistentVolume(volume, now()),
  storageclasses: (storageClass, { now }) => describeStorageClass(storageClass, now()),
  volumesnapshots: async (snapshot, { client, signal, now }) => {
    const { operations } = await client.get('operations', {}, signal);
    return describeVolumeSnapshot(snapshot, escapeControls(operations), now());
  },
  volumesnapshotclasses: (snapshotClass, { now }) => describeVolumeSnapshotClass(snapshotClass, now()),
  volumesnapshotcontents: (content, { now }) => describeVolumeSnapshotContent(content, now()),
  nodes: (node, { now }) => describeNode(node, now()),
  volumes: async (volume, { client, signal, now }) => {
    const [actual] = (await client.get('asw', { name: volume.name }, signal)).volumes;
    const { operations } = await client.get('operations', { name: volume.name }, signal);
    return describeVolume(volume, escapeControls({ actual, operations }), now());
  },
  dsw: (volume) => describeDesired(volume),
  asw: (volume) => describeActual(volume),
  operations: (operation, { now }) => describeOperation(operation, now()),
  events: () => ({ fields: [], sections: [] }),
  trash: ({ name, owner, size, deletedAt, keptUntil, path }) => ({
    fields: Object.entries({ Name: name, Owner: owner, Size: size, Deleted: deletedAt, Kept: keptUntil, Path: path }),
    sections: [],
  }),
  manifests: (manifest) => describeManifest(manifest),
};

async function eventSection<K extends ResourceKind>(
  { client, signal, now }: CommandContext,
  kind: K,
  item: Items[K],
): Promise<Section[]> {
  const { eventKind, namespaceOf: namespaceOfItem, nameOf } = resources[kind];
  if (eventKind === '') return [];
  const name = [eventKind, namespaceOfItem(item), nameOf(item)].filter((part) => part !== '').join('/');
  const { events } = await client.get('events', { name }, signal);
  const rows = escapeControls(resources.events.items({ events })).map((event) => eventRow(event, now()));
  const section = { title: 'Events', headers: ['Type', 'Reason', 'Age', 'Message'], rows, stateColumn: 0 };
  return [section, ...(toldByEvents.includes(kind) ? adviceOf(events) : [])];
}

/** Kinds whose state does not say what stands in the way: the last event does, while it is a warning. */
const toldByEvents: readonly ResourceKind[] = [
  'persistentvolumes',
  'volumesnapshots',
  'volumesnapshotcontents',
  'manifests',
];

function adviceOf(events: readonly RecordedEvent[]): readonly Section[] {
  const last = events.at(-1);
  return last?.type === 'Warning' ? adviceSection([{ ...escapeControls(last), subject: last.regarding }]) : [];
}

function eventRow(
  { type, reason, count, firstTimestamp, lastTimestamp, message }: RecordedEvent,
  nowMs: number,
): string[] {
  const last = ageOf(lastTimestamp, nowMs);
  const age = count > 1 ? `${last} (x${count} over ${ageOf(firstTimestamp, nowMs)})` : last;
  return [type, reason, age, message];
}
