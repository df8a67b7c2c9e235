import type { GetFilter, ResourceKind } from '../../control/protocol.ts';
import { type CommandContext, type CommandSpec, namespaceOption, type OptionValues } from '../command.ts';
import { escapeControls, toJson } from '../escape-controls.ts';
import { type ExitCode, exitCode, NotFoundError, UsageError } from '../exit-code.ts';
import { type GetRequest, isSingle, readGetRequest } from '../get-request.ts';
import { type Entry, fetchListing, type Listing } from '../resources/listing.ts';
import { ListingTable } from '../resources/listing-table.ts';
import { describeReference, type ResourceReference } from '../resources/resource-reference.ts';
import { knownKinds, resources } from '../resources/resources.ts';
import { type ListingChange, watchListing } from '../watch-listing.ts';
import { toYaml } from '../yaml-printer.ts';

export const getCommand: CommandSpec = {
  name: 'get',
  summary: 'list objects, worlds, operations, events and manifests',
  details: `Kinds: ${knownKinds()}`,
  arguments: [
    { name: 'KIND[,KIND]', description: 'the kinds, or KIND/NAME', required: true, completes: 'kind' },
    { name: 'NAME', description: 'only these', required: false, variadic: true },
  ],
  options: [
    {
      name: 'output',
      short: 'o',
      value: 'FORMAT',
      description: 'how to print',
      choices: ['wide', 'json', 'yaml', 'name'],
    },
    namespaceOption,
    { name: 'all-namespaces', short: 'A', description: 'look in every namespace' },
    {
      name: 'selector',
      short: 'l',
      value: 'SELECTOR',
      description: 'only objects with these labels: a=b,c!=d,e in (f,g),h,!i',
    },
    { name: 'watch', short: 'w', description: 'print the list, then each item that changes' },
    { name: 'no-headers', description: 'leave out the heading line' },
  ],
  run: get,
};

async function get(context: CommandContext, args: readonly string[], options: OptionValues): Promise<ExitCode> {
  const request = readGetRequest(args, options);
  if (options.isSet('watch')) return await watch(context, request);
  const listings = await fetchAll(context, request);
  for (const { warning } of listings) if (warning !== '') context.output.note(`warning: ${warning}`);
  print(context, request, listings);
  checkAllFound(request, listings);
  return exitCode.ok;
}

async function watch(context: CommandContext, request: GetRequest): Promise<ExitCode> {
  const [reference, ...more] = request.references;
  if (reference === undefined || more.length > 0) throw new UsageError('Cannot watch several at once: name one kind');
  const table = tableFor(context, request, reference.kind, false);
  const fetchOne = async (): Promise<Listing> => {
    const listings = await fetchAll(context, request);
    return listings[0] ?? Promise.reject(new Error(`Cannot watch ${reference.kind}: no listing`));
  };
  let isFirst = true;
  for await (const change of watchListing(context, fetchOne)) {
    if (isFirst) checkAllFound(request, [{ kind: reference.kind, entries: change.changed }]);
    isFirst = false;
    printChange(context, request, table, change);
  }
  return exitCode.ok;
}

function printChange(
  { output, now }: CommandContext,
  request: GetRequest,
  table: ListingTable,
  change: ListingChange,
): void {
  const { changed, deleted } = change;
  switch (request.format) {
    case 'json':
      for (const { value } of changed) output.print(toJson(value));
      return;
    case 'yaml':
      for (const { value } of changed) output.print(`---\n${toYaml(value)}`);
      return;
    case 'name':
      for (const entry of changed) output.print(qualifiedName(request.references[0]?.kind ?? 'pods', entry));
      return;
    default: {
      const rows = deleted.map((entry) => table.formatDeleted(entry, now()));
      if (changed.length > 0) rows.push(table.format(changed, now()));
      for (const row of rows) if (row !== '') output.print(row);
    }
  }
}

/** One listing a reference: named ones hold one item or none. */
async function fetchAll({ client, signal }: CommandContext, request: GetRequest): Promise<Listing[]> {
  const listings: Listing[] = [];
  for (const { kind, name } of request.references) {
    const listing = await fetchListing(client, kind, filterOf(request.namespace, name), signal);
    listings.push({ ...listing, entries: listing.entries.filter(request.selects) });
  }
  return listings;
}

function filterOf(namespace: string | undefined, name: string | undefined): GetFilter {
  return { ...(namespace === undefined ? {} : { namespace }), ...(name === undefined ? {} : { name }) };
}

function print(context: CommandContext, request: GetRequest, listings: readonly Listing[]): void {
  const { output } = context;
  const entries = listings.flatMap((listing) => listing.entries);
  switch (request.format) {
    case 'json':
    case 'yaml': {
      if (entries.length === 0 && isSingle(request)) return;
      const value = structured(request, listings);
      output.print(request.format === 'json' ? toJson(value) : toYaml(value));
      return;
    }
    case 'name':
      for (const listing of listings)
        for (const entry of listing.entries) output.print(qualifiedName(listing.kind, entry));
      return;
    default:
      printTables(context, request, byKind(listings));
  }
}

/** The item itself when one was named, else the daemon's reply, or one List of several kinds of objects. */
function structured(request: GetRequest, listings: readonly Listing[]): object {
  const entries = listings.flatMap((listing) => listing.entries);
  const [first] = entries;
  if (isSingle(request) && first !== undefined) return first.value;
  const [listing, ...more] = byKind(listings);
  if (listing !== undefined && more.length === 0) return listing.replyWith(listing.entries);
  return { apiVersion: 'v1', kind: 'List', items: entries.map(({ value }) => value) };
}

/** Listings of the same kind (several names) become one. */
function byKind(listings: readonly Listing[]): Listing[] {
  const merged = new Map<ResourceKind, Listing>();
  for (const listing of listings) {
    const known = merged.get(listing.kind);
    merged.set(listing.kind, { ...listing, entries: [...(known?.entries ?? []), ...listing.entries] });
  }
  return [...merged.values()];
}

function printTables(context: CommandContext, request: GetRequest, listings: readonly Listing[]): void {
  const filled = listings.filter(({ entries }) => entries.length > 0);
  const isNamed = request.references.some(({ name }) => name !== undefined);
  if (filled.length === 0 && !isNamed) context.output.note(nothingFound(request));
  for (const [index, { kind, entries }] of filled.entries()) {
    if (index > 0) context.output.print('');
    context.output.print(tableFor(context, request, kind, listings.length > 1).format(entries, context.now()));
  }
}

function tableFor(context: CommandContext, request: GetRequest, kind: ResourceKind, withKind: boolean): ListingTable {
  return new ListingTable({
    kind,
    isWide: request.format === 'wide',
    withHeaders: request.withHeaders,
    withNamespace: request.namespace === undefined,
    withKind,
    style: context.style,
  });
}

function nothingFound({ references, namespace }: GetRequest): string {
  const isNamespaced = references.some(({ kind }) => resources[kind].isNamespaced);
  return namespace !== undefined && isNamespaced
    ? `No resources found in ${namespace} namespace.`
    : 'No resources found';
}

function qualifiedName(kind: ResourceKind, { name }: Entry): string {
  return `${resources[kind].qualified}/${escapeControls(name)}`;
}

type Found = Pick<Listing, 'kind' | 'entries'>;

function checkAllFound(request: GetRequest, listings: readonly Found[]): void {
  const missing = request.references.filter((reference) => !isFound(reference, listings));
  if (missing.length === 0) return;
  const names = missing.map(({ kind, name = '' }) => describeReference({ kind, name }, request.namespace ?? ''));
  throw new NotFoundError(`Cannot get ${names.join(', ')}: not found`);
}

function isFound({ kind, name }: ResourceReference, listings: readonly Found[]): boolean {
  if (name === undefined) return true;
  return listings.some((listing) => listing.kind === kind && listing.entries.some((entry) => entry.name === name));
}
