import type { GetFilter, GetReplies, OperationView, RecordedEvent, ResourceKind } from './protocol.ts';

/** The part of a get reply that a filter lets pass; pure, the same for every daemon and every test. */
export function filterReply<K extends ResourceKind>(kind: K, reply: GetReplies[K], filter: GetFilter): GetReplies[K] {
  return filters[kind](reply, filter);
}

type Filters = { readonly [K in ResourceKind]: (reply: GetReplies[K], filter: GetFilter) => GetReplies[K] };

const filters: Filters = {
  pods: ({ items, ...list }, filter) => ({ ...list, items: items.filter(namespacedObject(filter)) }),
  statefulsets: ({ items, ...list }, filter) => ({ ...list, items: items.filter(namespacedObject(filter)) }),
  persistentvolumeclaims: ({ items, ...list }, filter) => ({ ...list, items: items.filter(namespacedObject(filter)) }),
  persistentvolumes: ({ items, ...list }, filter) => ({ ...list, items: items.filter(clusterObject(filter)) }),
  storageclasses: ({ items, ...list }, filter) => ({ ...list, items: items.filter(clusterObject(filter)) }),
  volumesnapshots: ({ items, ...list }, filter) => ({ ...list, items: items.filter(namespacedObject(filter)) }),
  volumesnapshotclasses: ({ items, ...list }, filter) => ({ ...list, items: items.filter(clusterObject(filter)) }),
  volumesnapshotcontents: ({ items, ...list }, filter) => ({ ...list, items: items.filter(clusterObject(filter)) }),
  nodes: ({ items, ...list }, filter) => ({ ...list, items: items.filter(clusterObject(filter)) }),
  volumes: ({ volumes }, filter) => ({ volumes: volumes.filter(named(filter)) }),
  dsw: ({ volumes }, filter) => ({ volumes: volumes.filter(named(filter)) }),
  asw: ({ volumes }, filter) => ({ volumes: volumes.filter(named(filter)) }),
  operations: ({ operations }, filter) => ({ operations: operations.filter(ofVolume(filter)) }),
  trash: ({ trash }, filter) => ({ trash: trash.filter(named(filter)) }),
  events: ({ events }, filter) => ({ events: events.filter(regarding(filter)) }),
  manifests: ({ manifests, ...directory }, filter) => ({ ...directory, manifests: manifests.filter(named(filter)) }),
};

interface WithMetadata {
  readonly metadata: { readonly namespace: string; readonly name: string };
}

function matches(wanted: string | undefined, actual: string): boolean {
  return wanted === undefined || wanted === actual;
}

/** Also for who makes a reply: what is not asked for need not be made. */
export function namespacedObject(filter: GetFilter): (object: WithMetadata) => boolean {
  return ({ metadata }) => matches(filter.namespace, metadata.namespace) && matches(filter.name, metadata.name);
}

function clusterObject(filter: GetFilter): (object: WithMetadata) => boolean {
  return ({ metadata }) => matches(filter.name, metadata.name);
}

function named(filter: GetFilter): (view: { readonly name: string }) => boolean {
  return (view) => matches(filter.name, view.name);
}

function ofVolume(filter: GetFilter): (operation: OperationView) => boolean {
  return (operation) => matches(filter.name, operation.volume);
}

function regarding(filter: GetFilter): (event: RecordedEvent) => boolean {
  return (event) =>
    matches(filter.name, event.regarding) &&
    (filter.namespace === undefined || [undefined, filter.namespace].includes(namespaceOf(event.regarding)));
}

const namespacedKinds: ReadonlySet<string> = new Set(['Pod', 'StatefulSet', 'PersistentVolumeClaim', 'VolumeSnapshot']);

/** The namespace in "Pod/default/web"; undefined for what lives in none ("Manifest/web.yaml", "Volume/a/b/c"). */
function namespaceOf(regarding: string): string | undefined {
  const [kind, namespace] = regarding.split('/');
  return kind !== undefined && namespacedKinds.has(kind) ? namespace : undefined;
}
