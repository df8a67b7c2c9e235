import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { vmObstacle } from '../obstacles.ts';
import {
  failedRing,
  fileLines,
  mergeResults,
  type RingResult,
  resultOf,
  skippedRing,
  vitestArguments,
} from '../ring-result.ts';
import { projectRoot, runCommand, seconds } from '../run-command.ts';
import { prepareCheckout } from './checkout.ts';
import { Guest } from './guest.ts';
import { ensureImage } from './image.ts';
import { leftoversScript } from './leftovers.ts';
import { LinePrinter } from './line-printer.ts';

/** As many guests at a time as the ring is meant for; each has one processor. */
const guests = 2;
/** A guest that hangs must not take the whole run with it. */
const guestTimeoutMs = 20 * 60_000;

/** A file that says little and takes long: as many bytes as others have that take its time. */
const sizes: Readonly<Record<string, number>> = { 'integration/vm/crash-matrix.test.ts': 15_000 };

/** The files in as many lists as there are guests, the longest first to whoever has least: length stands for time. */
function distribute(files: readonly string[]): readonly (readonly string[])[] {
  const lists = Array.from({ length: guests }, () => ({ size: 0, files: [] as string[] }));
  const sized = files.map((file) => ({ file, size: sizes[file] ?? statSync(join(projectRoot, file)).size }));
  for (const { file, size } of sized.toSorted((a, b) => b.size - a.size)) {
    const least = lists.reduce((a, b) => (b.size < a.size ? b : a));
    least.size += size;
    least.files.push(file);
  }
  return lists.map((list) => list.files).filter((list) => list.length > 0);
}

const quote = (word: string): string => `'${word}'`;

/** Runs test files inside a guest of their own. */
async function inGuest(image: string, files: readonly string[], report: string): Promise<RingResult> {
  const printer = new LinePrinter(report);
  try {
    const guest = await Guest.boot(image);
    try {
      const setUp = await prepareCheckout(guest);
      // Its terminal is a serial line: no colours, no progress that is drawn over.
      const vitest = ['node', ...vitestArguments('vm', report, files)].map(quote).join(' ');
      const script = `${setUp}\nexport CI=true NO_COLOR=1\n${vitest}; code=$?\n${leftoversScript}\nexit $code`;
      const onOutput = (_: string, bytes: Buffer): void => printer.print(bytes);
      const { code } = await guest.run(script, { onOutput, timeoutMs: guestTimeoutMs });
      return resultOf(code, report);
    } finally {
      await guest.powerCut();
    }
  } catch (error) {
    return failedRing(`${report}: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    printer.end();
  }
}

/** Runs the tests that boot guests of their own and cut their power. */
async function onHost(report: string): Promise<RingResult> {
  const printer = new LinePrinter(report);
  const argv = ['node', ...vitestArguments('vm-host', report)];
  const onOutput = (text: string): void => printer.print(text);
  const { code } = await runCommand(argv, { onOutput, env: { NO_COLOR: '1', CI: 'true' } });
  printer.end();
  return resultOf(code, report);
}

/** The ring of the booted Debian: tests inside of guests, and beside them tests that hold guests from outside. */
export async function vmRing(): Promise<RingResult> {
  const missing = await vmObstacle();
  if (missing !== undefined) return skippedRing(missing);
  let image: string;
  try {
    image = await ensureImage();
  } catch (error) {
    return failedRing(error instanceof Error ? error.message : String(error));
  }
  const start = performance.now();
  try {
    await (await Guest.boot(image)).powerCut();
  } catch (error) {
    return skippedRing(`no guest boots here: ${error instanceof Error ? error.message : String(error)}`);
  }
  process.stdout.write(`A guest boots in ${seconds(performance.now() - start)} (User Mode Linux)\n`);
  const files = globSync('integration/vm/**/*.test.ts', { cwd: projectRoot }).toSorted();
  const shards = distribute(files).map((list, index) => ({ list, report: `vm-${index + 1}` }));
  const results = await Promise.all([
    ...shards.map(({ list, report }) => inGuest(image, list, report)),
    onHost('vm-host'),
  ]);
  const lines = [...shards.map(({ report }) => report), 'vm-host'].flatMap(fileLines);
  process.stdout.write(`\n${lines.join('\n')}\n`);
  return mergeResults(results);
}
