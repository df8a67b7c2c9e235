/**
 * A booted Debian for one command, or for a person; what scripts/vm runs:
 *   scripts/vm [--timeout SECONDS] [--disk FILE] -- COMMAND [ARGUMENT…]
 *   scripts/vm build      only makes the image
 *   scripts/vm shell      runs line by line what stdin says
 */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { prepareCheckout } from './checkout.ts';
import { Guest, type RunOptions } from './guest.ts';
import { ensureImage } from './image.ts';

const live: Required<Pick<RunOptions, 'onOutput'>> = {
  onOutput: (stream, bytes) => void process[stream].write(bytes),
};

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

async function shell(guest: Guest, setUp: string): Promise<number> {
  let code = 0;
  const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: 'guest# ', terminal: false });
  lines.prompt();
  for await (const line of lines) {
    ({ code } = await guest.run(`${setUp}\n${line}`, live));
    lines.prompt();
  }
  return code;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { timeout: { type: 'string', default: '600' }, disk: { type: 'string' } },
  });
  const [first] = positionals;
  if (first === undefined || !(Number(values.timeout) > 0)) {
    process.stderr.write(
      'Usage: scripts/vm [--timeout SECONDS] [--disk FILE] build | shell | -- COMMAND [ARGUMENT…]\n',
    );
    return 2;
  }
  const image = await ensureImage();
  const isOnly = (word: string): boolean => positionals.length === 1 && first === word && !process.argv.includes('--');
  if (isOnly('build')) return 0;
  const guest = await Guest.boot(image, values.disk === undefined ? {} : { disk: values.disk });
  try {
    const setUp = await prepareCheckout(guest);
    if (isOnly('shell')) return await shell(guest, setUp);
    const timeoutMs = Number(values.timeout) * 1000;
    return (await guest.run(`${setUp}\nexec ${positionals.map(quote).join(' ')}`, { ...live, timeoutMs })).code;
  } finally {
    // A disk that is kept is left as after a shutdown; any other ends here.
    await (values.disk === undefined ? guest.powerCut() : guest.shutDown());
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 125;
}
