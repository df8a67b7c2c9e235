/** Every input that once found something, or is worth trying always, through the same checks as the fuzzers' inputs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseManifest } from '../../daemon/adapters/manifest-parser.ts';
import { ControlTarget } from './control-check.ts';
import type { HostileClient } from './control-generator.ts';
import { checkManifest } from './manifest-check.ts';
import { generateManifest } from './manifest-generator.ts';
import { Random } from './random.ts';

const corpus = join(import.meta.dirname, 'corpus');
const names = readdirSync(corpus);

function read(name: string): string {
  return readFileSync(join(corpus, name), 'utf8');
}

describe('manifests', () => {
  it.each(names.filter((name) => /\.(yaml|json)$/.test(name)))('%s', (name) => {
    const text = read(name);
    checkManifest(text, name.startsWith('good-'));
    // The name says what it has to be: good-… or bad-….
    expect(parseManifest(name, text).state).toBe(name.slice(0, name.indexOf('-')));
  });

  it('the generator makes the same of the same seed, and all kinds of files', () => {
    const generated = Array.from({ length: 200 }, (_, seed) => generateManifest(new Random(seed)));
    expect(generated[7]).toEqual(generateManifest(new Random(7)));
    const states = generated.map(({ text }) => parseManifest('x.yaml', text).state);
    expect(states.filter((state) => state === 'good').length).toBeGreaterThan(40);
    expect(states.filter((state) => state === 'bad').length).toBeGreaterThan(40);
    expect(generated.filter(({ isValid }) => isValid).length).toBeGreaterThan(10);
  });
});

describe('clients of the control socket', () => {
  let target: ControlTarget;
  beforeAll(async () => {
    target = await ControlTarget.start();
  });
  afterAll(async () => {
    await target[Symbol.asyncDispose]();
  });

  it.each(names.filter((name) => name.startsWith('control-')))('%s', async (name) => {
    const clients = JSON.parse(read(name)) as (Omit<HostileClient, 'pieces'> & { readonly pieces: string[] })[];
    const bytes = clients.map((client) => ({
      ...client,
      pieces: client.pieces.map((text) => Buffer.from(text, 'latin1')),
    }));
    await expect(target.check(bytes)).resolves.toBeUndefined();
  });
});
