/**
 * `npm run fuzz [-- --seconds N --seed S --runs R --only manifests|control]`: hostile manifests and hostile clients, as
 * many as fit into the time. Prints inputs, seeds and findings; a finding names the seed that brings it again, and its
 * input is kept in .cache/fuzz. Exits 1 with findings.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fuzzControl } from './control-fuzz.ts';
import type { FuzzLimits, FuzzReport } from './fuzz-report.ts';
import { fuzzManifests } from './manifest-fuzz.ts';

const fuzzers: Readonly<Record<string, (limits: FuzzLimits) => Promise<FuzzReport>>> = {
  manifests: fuzzManifests,
  control: fuzzControl,
};

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '40' },
    seed: { type: 'string' },
    runs: { type: 'string' },
    only: { type: 'string' },
  },
});
const names = Object.keys(fuzzers).filter((name) => values.only === undefined || values.only === name);
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);
const runs = values.runs === undefined ? Number.POSITIVE_INFINITY : Number(values.runs);
if (names.length === 0 || !(seconds > 0) || !Number.isInteger(seed) || !(runs > 0)) {
  process.stderr.write('Usage: npm run fuzz -- [--seconds N] [--seed S] [--runs R] [--only manifests|control]\n');
  process.exit(2);
}

const kept = join(import.meta.dirname, '../../.cache/fuzz');
let found = 0;
for (const name of names) {
  const report = await fuzzers[name]?.({ seed, seconds: seconds / names.length, runs });
  if (report === undefined) continue;
  const { inputs, findings } = report;
  found += findings.length;
  process.stdout.write(
    `${name}: ${inputs} inputs, seeds ${seed} to ${seed + inputs - 1}, ${findings.length} findings\n`,
  );
  for (const finding of findings) {
    mkdirSync(kept, { recursive: true });
    const path = join(kept, `${name}-${finding.seed}`);
    writeFileSync(path, finding.input);
    process.stdout.write(`  seed ${finding.seed}: ${finding.what}\n  input: ${path}\n`);
    process.stdout.write(`  again: npm run fuzz -- --only ${name} --seed ${finding.seed} --runs 1\n`);
  }
}
process.exit(found === 0 ? 0 : 1);
