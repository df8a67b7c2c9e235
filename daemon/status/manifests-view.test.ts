import { expect, it } from 'vitest';
import { parseManifest } from '../adapters/manifest-parser.ts';
import { manifestsView } from './manifests-view.ts';

it('shows neither a Secret nor the words of a file that has one', () => {
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: chap}\nstringData: {word: hunter2}\n';
  const good = parseManifest('a.yaml', secret);
  const bad = parseManifest('b.yaml', `${secret}---\nkind: Pod\n`);
  expect(bad.words).toContain('hunter2');
  const listing = { directoryId: '1:2', files: [good, bad] };
  const view = manifestsView({ state: { kind: 'listing', listing }, lastFiles: [], refused: [] });
  expect(JSON.stringify(view)).not.toMatch(/hunter2|secrets/);
  expect(view.manifests).toHaveLength(2);
});
