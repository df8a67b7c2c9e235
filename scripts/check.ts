/**
 * Every check that needs no test run, in one command: node scripts/check.ts [gate…]
 * Two gates at a time; the output of a gate is shown only when it failed.
 */
import type { Gate, GateResult } from './gate.ts';
import { gates } from './gates.ts';
import { seconds } from './run-command.ts';

interface Finished {
  readonly gate: Gate;
  readonly result: GateResult;
  readonly milliseconds: number;
}

const atATime = 2;

async function runGate(gate: Gate): Promise<Finished> {
  const start = performance.now();
  const result = await gate.run();
  return { gate, result, milliseconds: performance.now() - start };
}

async function runAll(chosen: readonly Gate[]): Promise<readonly Finished[]> {
  const waiting = [...chosen];
  const finished: Finished[] = [];
  const worker = async (): Promise<void> => {
    for (let gate = waiting.shift(); gate !== undefined; gate = waiting.shift()) finished.push(await runGate(gate));
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  return chosen.flatMap((gate) => finished.filter((each) => each.gate === gate));
}

function row({ gate, result, milliseconds }: Finished): string {
  const note = result.state === 'failed' || result.detail === undefined ? '' : `: ${result.detail}`;
  const columns = [gate.name.padEnd(14), result.state.padEnd(8), seconds(milliseconds).padStart(7)];
  return `${columns.join(' ')}  ${gate.says}${note}`;
}

/** A gate's complaint; the first lines of it when all gates were run. */
function complaint({ gate, result }: Finished, limit: number): string {
  const lines = (result.detail ?? '').split('\n');
  const more = lines.length - limit;
  const hint = more > 0 ? [`… ${more} lines more: npm run check ${gate.name}`] : [];
  return [`--- ${gate.name}`, ...lines.slice(0, limit), ...hint, '', ''].join('\n');
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => gates.every((gate) => gate.name !== name));
if (unknown.length > 0) {
  process.stderr.write(`No gate "${unknown.join(' ')}": there are ${gates.map((gate) => gate.name).join(' ')}\n`);
  process.exitCode = 2;
} else {
  const start = performance.now();
  const finished = await runAll(names.length > 0 ? gates.filter(({ name }) => names.includes(name)) : gates);
  const failed = finished.filter(({ result }) => result.state === 'failed');
  const limit = names.length > 0 ? Infinity : 40;
  for (const each of failed) process.stdout.write(complaint(each, limit));
  process.stdout.write(`${finished.map(row).join('\n')}\n\n`);
  const verdict =
    failed.length === 0 ? 'all gates passed' : `failed: ${failed.map(({ gate }) => gate.name).join(', ')}`;
  process.stdout.write(`${verdict} in ${seconds(performance.now() - start)}\n`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
