import type { ControlClient } from '../../control/control-client.ts';
import type { GetFilter, ResourceKind } from '../../control/protocol.ts';
import { escapeControls } from '../escape-controls.ts';
import { resources } from './resources.ts';

/** One item of any kind, ready to be shown. */
export interface Entry {
  readonly name: string;
  readonly namespace: string;
  /** Unique in its listing, the same in the next one. */
  readonly identity: string;
  readonly labels: Readonly<Record<string, string>>;
  /** As the daemon sent it. */
  readonly value: object;
  /** One text a column of its kind; escaped for a terminal. */
  cells(nowMs: number): readonly string[];
}

/** The items of one kind, sorted by namespace and name (events by time), whatever the kind. */
export interface Listing {
  readonly kind: ResourceKind;
  readonly entries: readonly Entry[];
  /** What the daemon said about the listing as a whole; '' when nothing. */
  readonly warning: string;
  /** The daemon's reply with these entries only. */
  replyWith(entries: readonly Entry[]): object;
}

export async function fetchListing<K extends ResourceKind>(
  client: ControlClient,
  kind: K,
  filter: GetFilter,
  signal: AbortSignal,
): Promise<Listing> {
  const resource = resources[kind];
  const reply = await client.get(kind, filter, signal);
  const entries = resource.items(reply).map((item): Entry => {
    const shown = escapeControls(item);
    const name = resource.nameOf(item);
    const namespace = resource.namespaceOf(item);
    return {
      name,
      namespace,
      identity: resource.identityOf?.(item) ?? `${namespace}/${name}`,
      labels: labelsOf(item),
      value: item,
      cells: (nowMs) => resource.columns.map(({ cell }) => cell(shown, nowMs)),
    };
  });
  return {
    kind,
    entries: kind === 'events' ? entries : entries.toSorted(byNamespaceAndName),
    warning: resource.warning?.(reply) ?? '',
    replyWith: (chosen) =>
      resource.withItems(
        reply,
        chosen.map(({ value }) => value),
      ),
  };
}

function byNamespaceAndName(a: Entry, b: Entry): number {
  return compare(a.namespace, b.namespace) || compare(a.name, b.name);
}

/** By code units, as etcd and so kubectl sort; not by the caller's locale. */
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function labelsOf(item: object): Readonly<Record<string, string>> {
  const metadata: unknown = 'metadata' in item ? item.metadata : undefined;
  const labels: unknown =
    typeof metadata === 'object' && metadata !== null && 'labels' in metadata ? metadata.labels : {};
  return typeof labels === 'object' && labels !== null ? Object.fromEntries(Object.entries(labels)) : {};
}
