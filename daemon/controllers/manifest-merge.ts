/**
 * Manifests into the store: which objects are new, changed, gone or refused. Pure.
 *
 * Invariants
 * - An object goes only when every file is understood that may declare it: a bad file keeps what it declared before and
 *   what it names, an unreadable directory keeps everything.
 * - Of two files that declare one object the one that had it keeps it; with none, the file name that sorts first.
 * - Objects that the daemon made (no manifest annotation) are never taken over or removed by a file.
 */
import { keyOf, type ObjectKey } from '../api/meta.ts';
import type { DeclaredObject, StoredObject } from '../api/object.ts';
import { annotations } from '../api/well-known.ts';
import type { ManifestFile, ManifestListing, ManifestProblem } from '../ports/manifest-source.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import { applyDeclared, forbiddenChange } from './declared-update.ts';

export type MergeAction =
  | { readonly kind: 'create'; readonly object: DeclaredObject; readonly file: string }
  | { readonly kind: 'update'; readonly object: StoredObject }
  | { readonly kind: 'delete'; readonly object: StoredObject }
  /** The old object of this key is still ending: once it has, the declaration is a new object. */
  | { readonly kind: 'wait'; readonly key: ObjectKey }
  | {
      readonly kind: 'refuse';
      readonly key: ObjectKey;
      readonly reason: ReasonCode;
      readonly problem: ManifestProblem;
    };

interface Declaration {
  readonly object: DeclaredObject;
  readonly file: string;
}

export function mergeManifests(stored: readonly StoredObject[], listing: ManifestListing): readonly MergeAction[] {
  const byKey = new Map(stored.map((object) => [keyOf(object), object]));
  const declarations = readDeclarations(listing);
  const states = new Map(listing.files.map(({ name, state }) => [name, state]));
  const actions: MergeAction[] = [];
  for (const [key, candidates] of declarations) {
    const current = byKey.get(key);
    const origin = current?.metadata.annotations?.[annotations.manifest];
    const keeper = keeperNotUnderstood(current, candidates, states);
    if (keeper !== undefined) actions.push(...candidates.map((other) => conflict(key, other, keeper)));
    if (keeper !== undefined) continue;
    const chosen = candidates.find(({ file }) => file === origin) ?? candidates[0];
    if (chosen === undefined) continue;
    for (const other of candidates) if (other !== chosen) actions.push(conflict(key, other, chosen.file));
    actions.push(...mergeOne(key, chosen, current));
  }
  const naming = filesByWord(listing);
  for (const object of stored) {
    if (declarations.has(keyOf(object)) || !isGone(object, states)) continue;
    const maybe = naming.get(object.metadata.name);
    actions.push(maybe === undefined ? { kind: 'delete', object } : held(keyOf(object), maybe));
  }
  return actions;
}

/** After a restart nothing is known of a bad file: the object was its, and is not another's before the file is understood. */
function keeperNotUnderstood(
  current: StoredObject | undefined,
  candidates: readonly Declaration[],
  states: ReadonlyMap<string, ManifestFile['state']>,
): string | undefined {
  const { annotations: all, deletionTimestamp } = current?.metadata ?? {};
  const origin = all?.[annotations.manifest];
  if (origin === undefined || deletionTimestamp !== undefined || states.get(origin) !== 'bad') return undefined;
  return candidates.some(({ file }) => file === origin) ? undefined : origin;
}

/** By key, the candidates in the order of their file names. */
function readDeclarations(listing: ManifestListing): ReadonlyMap<ObjectKey, readonly Declaration[]> {
  const byKey = new Map<ObjectKey, Declaration[]>();
  for (const file of [...listing.files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    for (const object of file.objects) {
      const declaration = { object, file: file.name };
      const known = byKey.get(keyOf(object));
      if (known === undefined) byKey.set(keyOf(object), [declaration]);
      else known.push(declaration);
    }
  }
  return byKey;
}

function mergeOne(key: ObjectKey, { object, file }: Declaration, current: StoredObject | undefined): MergeAction[] {
  if (current === undefined) return [{ kind: 'create', object, file }];
  // The old object ends first, with its finalizers; then the file is a new object with a new uid.
  if (current.metadata.deletionTimestamp !== undefined) return [{ kind: 'wait', key }];
  if (current.metadata.annotations?.[annotations.manifest] === undefined) {
    return [refuse(key, file, 'Conflict', `${key} exists already and was made by moored itself`)];
  }
  if (agreed.get(object) === current) return [];
  const forbidden = forbiddenChange(current, object);
  if (forbidden !== undefined) return [refuse(key, file, 'Forbidden', `${key}: ${forbidden}`)];
  const next = applyDeclared(current, object, file);
  if (next === undefined) agreed.set(object, current);
  return next === undefined ? [] : [{ kind: 'update', object: next }];
}

/**
 * The stored object from which a declaration was seen not to differ. Neither ever changes, and a file that was not read
 * anew keeps its declarations: one edited file of thousands is one comparison.
 */
const agreed = new WeakMap<DeclaredObject, StoredObject>();

/** Gone is what no file declares while its own file is absent, or there and good without it. */
function isGone(object: StoredObject, states: ReadonlyMap<string, ManifestFile['state']>): boolean {
  const origin = object.metadata.annotations?.[annotations.manifest];
  if (origin === undefined || object.metadata.deletionTimestamp !== undefined) return false;
  const state = states.get(origin);
  return state === undefined || state === 'good';
}

/** By what is named in files that are not understood, the first that names it. */
function filesByWord({ files }: ManifestListing): ReadonlyMap<string, string> {
  const byWord = new Map<string, string>();
  for (const { name, words = [] } of files) for (const word of words) if (!byWord.has(word)) byWord.set(word, name);
  return byWord;
}

/** A bad file that has the object's name in it may be the one that the object has just moved to, half-written. */
function held(key: ObjectKey, file: string): MergeAction {
  return refuse(
    key,
    file,
    'DeletionHeld',
    `${key} is declared no more, unless in this file, which names it and is not understood: it is kept`,
  );
}

function conflict(key: ObjectKey, { file }: Declaration, keeper: string): MergeAction {
  return refuse(key, file, 'Conflict', `${key} is declared in "${keeper}" already: this declaration is not used`);
}

function refuse(key: ObjectKey, file: string, reason: ReasonCode, message: string): MergeAction {
  return { kind: 'refuse', key, reason, problem: { file, message } };
}
