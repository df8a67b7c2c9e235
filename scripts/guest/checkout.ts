import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../run-command.ts';
import type { Guest } from './guest.ts';

/** A directory on the guest's own disk: the host's folders have no device nodes, no holes and no file flags there. */
const testDirectory = '/srv/moored-test';

/**
 * Shares this checkout with a guest at its own path: read-only but for .cache, where reports go. Returns the lines of bash
 * that put a command there, with the checkout's Node and tools first in PATH.
 */
export async function prepareCheckout(guest: Guest): Promise<string> {
  const cache = join(projectRoot, '.cache');
  mkdirSync(cache, { recursive: true });
  await guest.share(projectRoot, 'ro');
  await guest.share(cache, 'rw');
  // The guest's serial line looks like a terminal to a program; ours may be a file.
  const plain = process.stdout.isTTY ? [] : ['export CI=true NO_COLOR=1'];
  return [
    `mkdir -p ${testDirectory}`,
    `cd '${projectRoot}'`,
    `export PATH='${projectRoot}/node_modules/.bin':/usr/sbin:/usr/bin:/sbin:/bin`,
    `export MOORED_TEST_DIR=${testDirectory}`,
    ...plain,
  ].join('\n');
}
