import type { SecretValue } from './secret-value.ts';

export interface SecretReference {
  readonly namespace: string;
  readonly name: string;
}

/**
 * A Secret of core/v1, `data` decoded and `stringData` over it. Not an object of the store: it lives in memory only, as
 * long as a manifest declares it.
 */
export interface Secret extends SecretReference {
  readonly type: string;
  readonly data: ReadonlyMap<string, SecretValue>;
}

/** Compares the values too, which isDeepStrictEqual cannot see. */
export function sameSecret(a: Secret, b: Secret): boolean {
  if (a.name !== b.name || a.namespace !== b.namespace || a.type !== b.type || a.data.size !== b.data.size)
    return false;
  return [...a.data].every(([key, value]) => b.data.get(key)?.equals(value) === true);
}
