/** The child of LinuxImageCopies: argv is the order, as JSON; the answer is printed, as JSON. */
import { asStorageError } from '../../world/storage-error.ts';
import { copyImage } from './copy-image.ts';
import type { CopyAnswer, CopyOrder } from './copy-order.ts';
import { FreezeNotEnded } from './frozen.ts';

const [, , order = ''] = process.argv;
const parent = process.ppid;
let isStopped = false;
// Ended by the daemon, or the daemon has ended: what is frozen is thawed, and the copy has no name yet.
process.on('SIGTERM', () => {
  isStopped = true;
});

const answer = await copyImage(JSON.parse(order) as CopyOrder, () => isStopped || process.ppid !== parent).catch(
  (thrown: unknown): CopyAnswer => {
    const { code, message, facts } = asStorageError(thrown, 'Cannot copy an image');
    const { errno, hint } = facts;
    return {
      ...{ kind: 'failed', code, message, isUncertain: thrown instanceof FreezeNotEnded },
      ...(errno === undefined ? {} : { errno }),
      ...(hint === undefined ? {} : { hint }),
    };
  },
);
process.stdout.on('error', () => undefined);
process.stdout.write(JSON.stringify(answer));
