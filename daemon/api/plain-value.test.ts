import { describe, expect, it } from 'vitest';
import { plainValue } from './plain-value.ts';

function nested(levels: number): unknown {
  let value: unknown = 'bottom';
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

describe('plainValue', () => {
  it('passes a plain document through as it is', () => {
    const value = { a: [1, 'x', true, { b: 1.5 }] };
    const plain = plainValue(value);
    expect(plain).toEqual({ kind: 'plain', value });
    expect(plain.kind === 'plain' && plain.value).toBe(value);
  });

  it('drops keys without a value, as the API server does, and leaves the input alone', () => {
    const value = { metadata: { creationTimestamp: null, name: 'x' }, list: [null, { y: null }] };
    expect(plainValue(value)).toEqual({ kind: 'plain', value: { metadata: { name: 'x' }, list: [null, {}] } });
    expect(value.metadata.creationTimestamp).toBeNull();
  });

  it.each(['__proto__', 'constructor', 'prototype'])('refuses the key %s', (key) => {
    const value = JSON.parse(`{"metadata": {"labels": {"${key}": {"polluted": true}}}}`) as unknown;
    expect(plainValue(value)).toMatchObject({
      kind: 'refused',
      problem: { path: `metadata.labels.${key}`, message: `the key "${key}" is refused` },
    });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('refuses more than 100 levels and takes 100', () => {
    expect(plainValue(nested(100)).kind).toBe('plain');
    expect(plainValue(nested(101))).toMatchObject({
      kind: 'refused',
      problem: { message: 'nested deeper than 100 levels' },
    });
    expect(plainValue(nested(20_000)).kind).toBe('refused');
  });

  it('refuses a mapping that contains itself', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(plainValue(loop).kind).toBe('refused');
  });

  it('refuses strings longer than all annotations of an object may be', () => {
    expect(plainValue({ a: 'x'.repeat(262_144) }).kind).toBe('plain');
    expect(plainValue({ a: 'x'.repeat(262_145) })).toMatchObject({ kind: 'refused', problem: { path: 'a' } });
  });

  it.each([Number.POSITIVE_INFINITY, Number.NaN, 1n, undefined, () => 1])('refuses %s', (value) => {
    expect(plainValue({ a: value }).kind).toBe('refused');
  });
});
