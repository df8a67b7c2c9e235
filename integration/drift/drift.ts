/**
 * `npm run drift [-- --rounds N]`: does to the built daemon's mounts what other people do, and prints how soon each act
 * was noticed and repaired or reported. Exits 1 when one was not.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Act, acts } from './acts.ts';
import { DriftScene } from './drift-scene.ts';
import { type Performance, perform } from './perform.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write('Usage: npm run drift -- [--rounds N]\n');
  process.exit(2);
}

const slowMs = 100;
const idleSeconds = 5;
const scene = await new DriftScene().start();
let failures = 0;

process.stdout.write(`${rounds} rounds; milliseconds from the return of the act: min / median / max\n\n`);
process.stdout.write(
  '| act | told by | policy | noticed | repaired | failures |\n| --- | --- | --- | --- | --- | --- |\n',
);
for (const act of acts) process.stdout.write(`${await row(act)}\n`);
process.stdout.write(`\nidle for ${idleSeconds} s: ${await idleCpuMs()} ms of CPU\n`);
await scene.dispose();
process.exitCode = failures === 0 ? 0 : 1;

async function row(act: Act): Promise<string> {
  const performances: Performance[] = [];
  let failed = 0;
  for (let round = 0; round < rounds; round++) {
    try {
      performances.push(await perform(act, scene));
    } catch (error) {
      failed++;
      process.stderr.write(`${act.name}: ${String(error)}\n`);
    }
  }
  failures += failed;
  const noticed = spread(performances.map(({ noticedMs }) => noticedMs));
  const repaired = spread(performances.flatMap(({ repairedMs }) => repairedMs ?? []));
  return `| ${[act.name, act.toldBy, act.policy, noticed, repaired, String(failed)].join(' | ')} |`;
}

function spread(ms: readonly number[]): string {
  const sorted = [...ms].sort((a, b) => a - b);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) return '–';
  const text = `${least} / ${sorted[Math.floor(sorted.length / 2)]} / ${most}`;
  return most > slowMs ? `**${text}**` : text;
}

/** User and system time of the daemon, in ticks of 10 ms (proc_pid_stat(5), fields 14 and 15). */
async function idleCpuMs(): Promise<number> {
  const ticks = (): number => {
    const fields = readFileSync(`/proc/${scene.daemon.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return Number(fields[11]) + Number(fields[12]);
  };
  await sleep(2_000);
  const before = ticks();
  await sleep(idleSeconds * 1_000);
  return (ticks() - before) * 10;
}
