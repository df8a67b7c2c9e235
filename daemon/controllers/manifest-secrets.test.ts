import { describe, expect, it } from 'vitest';
import { parseManifest } from '../adapters/manifest-parser.ts';
import { ManifestSecrets } from './manifest-secrets.ts';

const reference = { namespace: 'default', name: 'chap' };
const text = (word: string) => `apiVersion: v1\nkind: Secret\nmetadata: {name: chap}\nstringData:\n  word: "${word}"\n`;
const listing = (...words: readonly string[]) => ({
  directoryId: '1:2',
  files: words.map((word, index) => parseManifest(`${index}.yaml`, text(word))),
});

describe('ManifestSecrets', () => {
  it('has what the last listing declares, the first file winning', () => {
    const secrets = new ManifestSecrets();
    expect(secrets.get(reference)).toBeUndefined();
    secrets.take(listing('one', 'two'));
    expect(secrets.get(reference)?.data.get('word')?.reveal()).toBe('one');
    secrets.take(listing());
    expect(secrets.get(reference)).toBeUndefined();
  });

  it('counts up when a Secret comes, changes or goes, and not when it stays', () => {
    const secrets = new ManifestSecrets();
    const revisions = [listing('one'), listing('one'), listing('two'), listing()].map((next) => {
      secrets.take(next);
      return secrets.revisionOf(reference);
    });
    expect(revisions).toEqual([1, 1, 2, 3]);
  });
});

describe('a file with a Secret', () => {
  it('gives no object of the store and keeps the last good Secret while it is bad', () => {
    const good = parseManifest('a.yaml', text('one'));
    expect(good).toMatchObject({ state: 'good', objects: [], secrets: [{ name: 'chap' }] });
    const bad = parseManifest('a.yaml', `${text('two')}---\nkind: [`, good);
    expect(bad.state).toBe('bad');
    expect(bad.secrets).toBe(good.secrets);
  });

  it.each([
    `${text('hunter2')}---\nhunter2: [hunter2\n`,
    'kind: Secret\napiVersion: v1\nmetadata: {name: a}\nstringData: hunter2\n',
    'kind: Secret\napiVersion: v1\nmetadata: {name: a}\nstringData: {word: &hunter2 x, b: *hunter2x}\n',
    `${text('hunter2')}${text('hunter2')}`,
    `{"kind": "Secret", "stringData": {"word": "hunter2"}`,
  ])('is refused without a word of it', (bad) => {
    const file = parseManifest('a.yaml', bad);
    expect(file.state).toBe('bad');
    expect(JSON.stringify(file.problems)).not.toContain('hunter2');
  });
});
