import type { DocumentPath } from './problem.ts';
import { controllerAnnotations } from './well-known.ts';

/**
 * What a file says of an object that only the daemon can know, so that it is not believed: what an export of a cluster is
 * full of. Not an error, but who wrote it by hand shall know.
 */
export function unreadFields(kind: string, value: Readonly<Record<string, unknown>>): readonly DocumentPath[] {
  if (kind !== 'PersistentVolume' && kind !== 'PersistentVolumeClaim') return [];
  const { metadata, spec, status } = value;
  const noted = Object.keys(mapping(mapping(metadata)['annotations'])).filter((key) => controllerAnnotations.has(key));
  const { uid } = mapping(mapping(spec)['claimRef']);
  return [
    ...(status === undefined || status === null ? [] : [['status']]),
    ...(uid === undefined ? [] : [['spec', 'claimRef', 'uid']]),
    ...noted.map((key) => ['metadata', 'annotations', key]),
  ];
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
