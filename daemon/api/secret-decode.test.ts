import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { decodeDocument } from './decode.ts';
import { sameSecret } from './secret.ts';
import { decodeSecret } from './secret-decode.ts';
import { SecretValue } from './secret-value.ts';

const metadata = { name: 'chap', namespace: 'db' };

function decoded(document: Readonly<Record<string, unknown>>) {
  const result = decodeSecret({ apiVersion: 'v1', kind: 'Secret', metadata, ...document });
  if (!result.ok) throw new Error(result.problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
  return result.secret;
}

describe('SecretValue', () => {
  it('is *** wherever it is printed, and itself only when it is asked to reveal', () => {
    const value = new SecretValue('hunter2');
    const printed = [String(value), value.toString(), JSON.stringify({ value }), inspect({ value }), inspect(value)];
    expect(printed.join(' ')).not.toContain('hunter2');
    expect(printed.every((text) => text.includes('***'))).toBe(true);
    expect(Object.values(value)).toEqual([]);
    expect(value.reveal()).toBe('hunter2');
  });
});

describe('a Secret of a manifest', () => {
  it('decodes data, and stringData wins over it', () => {
    const secret = decoded({
      type: 'kubernetes.io/iscsi-chap',
      data: { user: 'YWxpY2U=', word: 'b2xk\n' },
      stringData: { word: 'new' },
    });
    expect(secret).toMatchObject({ namespace: 'db', name: 'chap', type: 'kubernetes.io/iscsi-chap' });
    expect([...secret.data].map(([key, value]) => [key, value.reveal()])).toEqual([
      ['user', 'alice'],
      ['word', 'new'],
    ]);
  });

  it('is in the namespace "default" and Opaque unless it says else', () => {
    expect(decoded({ metadata: { name: 'chap' } })).toMatchObject({ namespace: 'default', type: 'Opaque' });
  });

  it.each([
    [{ metadata: {} }, 'metadata.name: required'],
    [{ metadata: { name: 'Chap' } }, 'metadata.name: "Chap" is not a legal name'],
    [{ data: { word: 'hunter2!' } }, 'data.word: is not base64 (the value is not shown)'],
    [{ data: { word: 'abc' } }, 'data.word: is not base64'],
    [{ stringData: { word: 12_345 } }, 'stringData.word: want a string'],
    [{ stringData: 'hunter2' }, 'stringData: want a mapping'],
    [{ stringData: { 'a b': 'hunter2' } }, 'stringData: has a key'],
  ])('refuses %j and does not show a value', (document, message) => {
    const refuse = () => decoded(document);
    expect(refuse).toThrow(message);
    expect(refuse).not.toThrow(/hunter2|12345/);
  });

  it('is told from another by its values', () => {
    const a = decoded({ stringData: { word: 'a' } });
    expect(sameSecret(a, decoded({ stringData: { word: 'a' } }))).toBe(true);
    expect(sameSecret(a, decoded({ stringData: { word: 'b' } }))).toBe(false);
    expect(sameSecret(a, decoded({ stringData: { word: 'a', more: 'c' } }))).toBe(false);
  });

  it('comes out of a list too, and of another group it is none of ours', () => {
    const items = [{ metadata, stringData: { word: 'a' } }];
    expect(decodeDocument({ apiVersion: 'v1', kind: 'SecretList', items })).toMatchObject([
      { outcome: 'secret', secret: { name: 'chap' } },
    ]);
    expect(decodeDocument({ apiVersion: 'vault.example/v1', kind: 'Secret', metadata })).toMatchObject([
      { outcome: 'ignored' },
    ]);
  });
});
