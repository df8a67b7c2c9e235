import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mooredVersion } from './protocol.ts';

test('the version is the one of package.json', () => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  expect(JSON.parse(text)).toMatchObject({ version: mooredVersion });
});
