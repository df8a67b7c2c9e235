/** The plug is pulled in the middle of provisioning, formatting, mounting, unmounting and the writing of records. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HeldGuest } from '../support/guest.ts';
import type { Observed, RoundLine, VolumeFact } from './power-cut-lines.ts';

const rounds = 20;
/** The latest cut, as a multiple of the time from a claim on the disk to a volume in use: some come after it. */
const latestCut = 1.4;
/** MOORED_SEED=NUMBER repeats the chances of an earlier run; what the guest is doing then depends on the machine too. */
const seed = Number(process.env['MOORED_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Lehmer's generator, as in minstd: the same numbers for the same seed, from 0 to below 1. */
function* chances(start: number): Generator<number, never> {
  for (let state = (start % (2 ** 31 - 2)) + 1; ; state = (state * 48_271) % (2 ** 31 - 1)) yield state / (2 ** 31 - 1);
}

const guest = new HeldGuest();
/** What was there, synced and told of before a cut. */
const acknowledged = new Map<number, VolumeFact>();

beforeAll(async () => {
  process.stdout.write(`MOORED_SEED=${seed}\n`);
  await guest.boot();
  await guest.must('node integration/vm-host/install-service.ts');
  await guest.shutDown();
});

afterAll(async () => {
  await guest.dispose();
});

function check(observed: Observed): void {
  const { volumes, claims, attachedTwice, stacked, torn, trash } = observed;
  expect({ attachedTwice, stacked, torn }).toEqual({ attachedTwice: [], stacked: [], torn: [] });
  expect(claims.toSorted()).toEqual([...new Set(claims)].toSorted());
  for (const volume of volumes) {
    const before = acknowledged.get(volume.round);
    if (before !== undefined) expect(volume).toEqual(before);
    expect(volume.fsType).toBe('ext4');
  }
  // What was told of is a whole filesystem: it has no reason to be in the trash.
  const discarded = trash.filter((name) => [...acknowledged.keys()].some((round) => name.includes(`c${round}-`)));
  expect(discarded.filter((name) => !trashedBefore.has(name))).toEqual([]);
  for (const name of trash) trashedBefore.add(name);
  for (const volume of volumes) acknowledged.set(volume.round, volume);
}

/** A format that was cut off leaves its image in the trash before the volume is ever told of. */
const trashedBefore = new Set<string>();

/** How long a volume takes on this machine at the moment, in milliseconds; a guess of more after each cut before its end. */
let usualMs: number | undefined;

/** Boots, looks, changes things and pulls the plug. Returns how far the changes had come. */
async function round(number: number, chance: number): Promise<string> {
  await guest.boot();
  const applied = Promise.withResolvers<number>();
  const finished = Promise.withResolvers<number>();
  let reached = 'nothing';
  let observed: Observed | undefined;
  const onLine = (text: string): void => {
    const line = JSON.parse(text) as RoundLine;
    reached = line.kind;
    if (line.kind === 'observed') observed = line;
    if (line.kind === 'applied') applied.resolve(performance.now());
    if (line.kind !== 'acknowledged') return;
    acknowledged.set(number, line.volume);
    finished.resolve(performance.now());
  };
  const running = guest.follow(`node integration/vm-host/power-cut-round.ts ${number}`, onLine);
  running.catch(applied.reject);
  const start = await applied.promise;
  void finished.promise.then((end) => (usualMs = end - start));
  const cutMs = usualMs === undefined ? undefined : Math.round(chance * latestCut * usualMs);
  await (cutMs === undefined ? Promise.race([finished.promise, running]) : sleep(cutMs));
  await guest.powerCut();
  if (usualMs !== undefined && !acknowledged.has(number)) usualMs *= 1.25;
  if (observed === undefined) throw new Error('Cannot judge: the guest said nothing');
  check(observed);
  return `cut ${number + 1} after ${cutMs ?? 'all'} ms: ${reached}`;
}

it(`converges after each of ${rounds} cuts, formats nothing twice and loses nothing that was synced`, async () => {
  const random = chances(seed);
  for (let number = 0; number < rounds; number += 1) {
    process.stdout.write(`${await round(number, random.next().value)}\n`);
  }
  await guest.boot();
  let observed: Observed | undefined;
  await guest.follow('node integration/vm-host/power-cut-round.ts last', (text) => (observed = JSON.parse(text)));
  if (observed === undefined) throw new Error('Cannot judge: the guest said nothing');
  check(observed);
  expect(observed.volumes).toHaveLength(rounds);
  expect(acknowledged.size).toBeGreaterThan(0);
}, 1_500_000);
