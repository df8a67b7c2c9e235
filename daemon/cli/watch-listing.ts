import type { CommandContext } from './command.ts';
import type { Entry, Listing } from './resources/listing.ts';

/** What is new since the listing before; at first everything is. */
export interface ListingChange {
  readonly changed: readonly Entry[];
  readonly deleted: readonly Entry[];
}

/**
 * The listing, then its changes, for as long as the daemon answers. The revision is read before each listing, so a
 * change in between shows in the next round instead of nowhere.
 */
export async function* watchListing(
  { client, signal }: Pick<CommandContext, 'client' | 'signal'>,
  fetchOne: () => Promise<Listing>,
): AsyncGenerator<ListingChange, void, undefined> {
  let { revision } = await client.changes(undefined, signal);
  let before: readonly Entry[] = [];
  for (let isFirst = true; ; isFirst = false) {
    const { entries } = await fetchOne();
    const change = diff(before, entries);
    if (isFirst || change.changed.length > 0 || change.deleted.length > 0) yield change;
    before = entries;
    ({ revision } = await client.changes(revision, signal));
  }
}

function diff(before: readonly Entry[], after: readonly Entry[]): ListingChange {
  const known = new Map(before.map((entry) => [entry.identity, JSON.stringify(entry.value)]));
  const present = new Set(after.map(({ identity }) => identity));
  return {
    changed: after.filter(({ identity, value }) => known.get(identity) !== JSON.stringify(value)),
    deleted: before.filter(({ identity }) => !present.has(identity)),
  };
}
