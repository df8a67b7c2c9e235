/** What the words of every kind have in common: names, labels, marks; and reading one word. */
import type { ObjectMeta } from '../../daemon/api/meta.ts';
import { annotations } from '../../daemon/api/well-known.ts';
import type { Words } from './case-format.ts';

export const marks: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  bbc: { [annotations.boundByController]: 'yes' },
  bc: { [annotations.bindCompleted]: 'yes' },
  dynamic: { [annotations.provisionedBy]: 'loop.moored.dev' },
};

export const metaWords = [
  ...['name', 'namespace', 'uid', 'labels', 'annotations', 'marks', 'finalizers', 'deleting', 'created', 'owners'],
];

export function metaOf(words: Words, namespace: string, defaultFinalizers: readonly string[]): ObjectMeta {
  const noted = [...list(words['marks']).map((mark) => marks[mark]), record(words['annotations'])];
  const noteOf = Object.assign({}, ...noted) as Record<string, string>;
  return {
    name: words.name,
    namespace,
    uid: text(words['uid']) ?? `uid-${words.name}`,
    resourceVersion: '0',
    generation: 1,
    creationTimestamp: text(words['created']) ?? '2026-01-01T00:00:00Z',
    finalizers: words['finalizers'] === undefined ? defaultFinalizers : list(words['finalizers']),
    ...(words['labels'] === undefined ? {} : { labels: record(words['labels']) }),
    ...(Object.keys(noteOf).length === 0 ? {} : { annotations: noteOf }),
    ...(words['owners'] === undefined ? {} : { ownerReferences: list(words['owners']).map(ownerOf) }),
    ...(words['deleting'] === true ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  };
}

/** "StatefulSet/db", or "Pod/other controller". */
function ownerOf(words: string): NonNullable<ObjectMeta['ownerReferences']>[number] {
  const [reference = '', role] = words.split(' ');
  const [kind = '', name = ''] = reference.split('/');
  const apiVersion = kind === 'StatefulSet' ? 'apps/v1' : 'v1';
  return { apiVersion, kind, name, uid: `uid-${name}`, ...(role === 'controller' ? { controller: true } : {}) };
}

export function given(key: string, value: unknown): Readonly<Record<string, unknown>> {
  return value === undefined ? {} : { [key]: value };
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? `${value}` : undefined;
}

export function list(value: unknown): readonly string[] {
  return (value ?? []) as readonly string[];
}

export function record(value: unknown): Record<string, string> {
  return (value ?? {}) as Record<string, string>;
}
