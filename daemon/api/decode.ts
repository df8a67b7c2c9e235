import type { Kind } from './meta.ts';
import { quoted } from './names.ts';
import { nodeSchema } from './node-schema.ts';
import type { DeclaredObject } from './object.ts';
import { persistentVolumeClaimSchema } from './persistent-volume-claim-schema.ts';
import { persistentVolumeSchema } from './persistent-volume-schema.ts';
import { plainValue } from './plain-value.ts';
import { podSchema } from './pod-schema.ts';
import { type DocumentPath, type Problem, pathText, problemAt } from './problem.ts';
import { check, type Schema } from './schema.ts';
import type { Secret } from './secret.ts';
import { decodeSecret } from './secret-decode.ts';
import { statefulSetSchema } from './stateful-set-schema.ts';
import { storageClassSchema } from './storage-class-schema.ts';
import { unreadFields } from './unread-fields.ts';
import {
  snapshotApiVersion,
  volumeSnapshotClassSchema,
  volumeSnapshotContentSchema,
  volumeSnapshotSchema,
} from './volume-snapshot-schemas.ts';

export type Decoded =
  | { readonly outcome: 'object'; readonly object: DeclaredObject; readonly warnings: readonly Problem[] }
  | { readonly outcome: 'secret'; readonly secret: Secret }
  /** A legal object of a kind that moored does not manage. */
  | { readonly outcome: 'ignored'; readonly apiVersion: string; readonly kind: string; readonly name: string }
  | { readonly outcome: 'invalid'; readonly problems: readonly Problem[] };

const managed: Readonly<Record<Kind, { readonly apiVersion: string; readonly schema: Schema<DeclaredObject> }>> = {
  Node: { apiVersion: 'v1', schema: nodeSchema },
  Pod: { apiVersion: 'v1', schema: podSchema },
  PersistentVolume: { apiVersion: 'v1', schema: persistentVolumeSchema },
  PersistentVolumeClaim: { apiVersion: 'v1', schema: persistentVolumeClaimSchema },
  StorageClass: { apiVersion: 'storage.k8s.io/v1', schema: storageClassSchema },
  VolumeSnapshot: { apiVersion: snapshotApiVersion, schema: volumeSnapshotSchema },
  VolumeSnapshotClass: { apiVersion: snapshotApiVersion, schema: volumeSnapshotClassSchema },
  VolumeSnapshotContent: { apiVersion: snapshotApiVersion, schema: volumeSnapshotContentSchema },
  StatefulSet: { apiVersion: 'apps/v1', schema: statefulSetSchema },
};

/**
 * One document of a manifest, as a parser of YAML or JSON gave it: validated, defaulted, what the server owns dropped.
 * A list (`kubectl get -o yaml` of several objects) gives one result an item; an empty document gives none.
 */
export function decodeDocument(value: unknown): readonly Decoded[] {
  if (value === null || value === undefined) return [];
  const plain = plainValue(value);
  if (plain.kind === 'refused') return [{ outcome: 'invalid', problems: [plain.problem] }];
  return decodeAt([], plain.value);
}

function decodeAt(keys: DocumentPath, value: unknown): readonly Decoded[] {
  if (!isMapping(value)) return [invalid(keys, 'want a Kubernetes object with apiVersion, kind, metadata and spec')];
  const { apiVersion, kind } = value;
  if (typeof kind !== 'string' || kind === '') return [invalid([...keys, 'kind'], 'required')];
  if (typeof apiVersion !== 'string' || apiVersion === '') return [invalid([...keys, 'apiVersion'], 'required')];
  if (kind.endsWith('List') && Array.isArray(value['items'])) return decodeList(keys, value);
  if (kind === 'Secret' && apiVersion === 'v1') return [secretAt(keys, value)];
  return [decodeObject(keys, value, apiVersion, kind)];
}

function decodeObject(keys: DocumentPath, value: Mapping, apiVersion: string, kind: string): Decoded {
  const known = isManaged(kind) ? managed[kind] : undefined;
  if (known !== undefined && apiVersion !== known.apiVersion && isOwnGroup(apiVersion)) {
    return invalid([...keys, 'apiVersion'], `${quoted(apiVersion)} has no ${kind}: want "${known.apiVersion}"`);
  }
  if (known === undefined || apiVersion !== known.apiVersion) {
    return { outcome: 'ignored', apiVersion, kind, name: nameOf(value) };
  }
  const checked = check(known.schema, value);
  if (checked.ok) return { outcome: 'object', object: checked.value, warnings: warningsOf(keys, kind, value) };
  const problems = checked.problems.map((problem) => problemAt([...keys, ...problem.keys], problem.message));
  return { outcome: 'invalid', problems };
}

/** One for the whole object: its first field has the place. */
function warningsOf(keys: DocumentPath, kind: string, value: Mapping): readonly Problem[] {
  const unread = unreadFields(kind, value);
  const [first] = unread;
  if (first === undefined) return [];
  const named = unread.map(pathText).join(', ');
  return [problemAt([...keys, ...first], `not believed in a file, moored finds it out: ${named}`)];
}

function secretAt(keys: DocumentPath, value: Mapping): Decoded {
  const decoded = decodeSecret(value);
  if (decoded.ok) return { outcome: 'secret', secret: decoded.secret };
  const problems = decoded.problems.map((problem) => problemAt([...keys, ...problem.keys], problem.message));
  return { outcome: 'invalid', problems };
}

/** Items of a typed list (PodList, as the API gives it) do not repeat their kind; those of `kind: List` do. */
function decodeList(keys: DocumentPath, list: Mapping): readonly Decoded[] {
  const { apiVersion, kind, items } = list;
  const itemKind = String(kind).slice(0, -'List'.length);
  const inherited = itemKind === '' ? {} : { apiVersion, kind: itemKind };
  return (items as readonly unknown[]).flatMap((item, index) =>
    decodeAt([...keys, 'items', index], isMapping(item) ? { ...inherited, ...item } : item),
  );
}

type Mapping = Readonly<Record<string, unknown>>;

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isManaged(kind: string): kind is Kind {
  return Object.hasOwn(managed, kind);
}

/** Another group may have a Pod of its own, and then it is none of ours; a wrong version of our groups is a mistake. */
function isOwnGroup(apiVersion: string): boolean {
  const [group = ''] = apiVersion.split('/');
  return !apiVersion.includes('/') || ['storage.k8s.io', 'snapshot.storage.k8s.io', 'apps'].includes(group);
}

function nameOf(value: Mapping): string {
  const { metadata } = value;
  const name = isMapping(metadata) ? metadata['name'] : undefined;
  return typeof name === 'string' ? name : '';
}

function invalid(keys: DocumentPath, message: string): Decoded {
  return { outcome: 'invalid', problems: [problemAt(keys, message)] };
}
