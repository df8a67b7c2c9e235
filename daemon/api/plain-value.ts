import { quoted } from './names.ts';
import { type DocumentPath, type Problem, problemAt } from './problem.ts';

/** Far above what any real object needs: managedFields, the deepest part of one, reaches about 15. */
const deepest = 100;
/** Kubernetes' own limit for all annotations of an object together. */
const longestString = 256 * 1024;
/** Names under which an object of JavaScript finds its prototype. */
const forbiddenKeys: readonly string[] = ['__proto__', 'constructor', 'prototype'];

export type PlainValue =
  | { readonly kind: 'plain'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly problem: Problem };

/**
 * Makes sure that a parsed document is made of mappings, lists, strings, finite numbers, booleans and nulls, within
 * limits, before anything recurses over it. Keys with a null value are dropped: for the API server null is absent.
 */
export function plainValue(value: unknown): PlainValue {
  const found: Findings = { problem: undefined, hasNull: false };
  inspect(value, [], found);
  if (found.problem !== undefined) return { kind: 'refused', problem: found.problem };
  return { kind: 'plain', value: found.hasNull ? withoutNulls(value) : value };
}

interface Findings {
  problem: Problem | undefined;
  hasNull: boolean;
}

function inspect(value: unknown, path: (string | number)[], found: Findings): void {
  if (found.problem !== undefined || value === null || typeof value === 'boolean') return;
  if (typeof value === 'string') {
    if (value.length > longestString) refuse(found, path, `longer than ${longestString} characters`);
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) refuse(found, path, `${value} is not a number that JSON can hold`);
  } else if (typeof value !== 'object') {
    refuse(found, path, `a ${typeof value} is not part of a manifest`);
  } else if (path.length >= deepest) {
    refuse(found, path.slice(0, 5), `nested deeper than ${deepest} levels`);
  } else if (Array.isArray(value)) {
    inspectList(value, path, found);
  } else {
    inspectMapping(value as Readonly<Record<string, unknown>>, path, found);
  }
}

function inspectList(list: readonly unknown[], path: (string | number)[], found: Findings): void {
  for (let index = 0; index < list.length; index += 1) {
    path.push(index);
    inspect(list[index], path, found);
    path.pop();
  }
}

function inspectMapping(mapping: Readonly<Record<string, unknown>>, path: (string | number)[], found: Findings): void {
  for (const key of Object.keys(mapping)) {
    path.push(key);
    if (forbiddenKeys.includes(key)) refuse(found, path, `the key ${quoted(key)} is refused`);
    else if (key.length > longestString)
      refuse(found, path.slice(0, -1), `a key longer than ${longestString} characters`);
    const value = mapping[key];
    if (value === null) found.hasNull = true;
    else inspect(value, path, found);
    path.pop();
  }
}

function refuse(found: Findings, path: DocumentPath, message: string): void {
  found.problem ??= problemAt([...path], message);
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item !== null) kept[key] = withoutNulls(item);
  }
  return kept;
}
