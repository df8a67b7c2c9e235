import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dnsLabelProblem,
  dnsSubdomainProblem,
  hasControlCharacters,
  labelValueProblem,
  qualifiedNameProblem,
  quoted,
} from './names.ts';

describe('dnsLabelProblem', () => {
  it.each(['a', 'web', 'web-1', '0', 'a'.repeat(63)])('takes %s', (name) => {
    expect(dnsLabelProblem(name)).toBeUndefined();
  });
  it.each(['', '-a', 'a-', 'A', 'a_b', 'a.b', 'a b', '..', 'a\n', 'a\0', 'ä', 'a'.repeat(64)])('refuses %j', (name) => {
    expect(dnsLabelProblem(name)).toBeDefined();
  });
});

describe('dnsSubdomainProblem', () => {
  it.each(['a', 'web.example', 'loop.moored.dev', 'a'.repeat(253)])('takes %s', (name) => {
    expect(dnsSubdomainProblem(name)).toBeUndefined();
  });
  it.each(['', '.', '..', '.a', 'a.', 'a..b', 'a/b', '../a', 'a\0b', 'a\n', 'a'.repeat(254)])('refuses %j', (name) => {
    expect(dnsSubdomainProblem(name)).toBeDefined();
  });
  it('takes only what is one path segment', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z./-]{1,20}$/)), (name) => {
        if (dnsSubdomainProblem(name) !== undefined) return;
        expect(name).not.toMatch(/\/|\0|^\.{0,2}$/);
        expect(hasControlCharacters(name)).toBe(false);
      }),
    );
  });
});

describe('qualifiedNameProblem', () => {
  it.each(['app', 'app.kubernetes.io/name', 'example.com/MyName_1', 'storage-fsp', 'kubernetes.io/no-provisioner'])(
    'takes %s',
    (key) => {
      expect(qualifiedNameProblem(key)).toBeUndefined();
    },
  );
  it.each(['', '/', 'a/', '/a', 'a/b/c', 'EXAMPLE.com/a', 'a b', '-a', 'x'.repeat(64)])('refuses %j', (key) => {
    expect(qualifiedNameProblem(key)).toBeDefined();
  });
});

describe('labelValueProblem', () => {
  it('takes the empty value and refuses a space', () => {
    expect(labelValueProblem('')).toBeUndefined();
    expect(labelValueProblem('v1.2_3-x')).toBeUndefined();
    expect(labelValueProblem('a b')).toContain('"a b"');
  });
});

describe('quoted', () => {
  it('escapes what would break a line and cuts what would fill a screen', () => {
    expect(quoted('a\nb\u009bc')).toBe('"a\\nb\\u009bc"');
    expect(quoted('x'.repeat(200))).toHaveLength(82);
  });
});
