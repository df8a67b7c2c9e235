/** The child of LinuxMountHolders: argv is what is held, as JSON, and the pid that is not worth naming. */
import type { Held } from '../../ports/mount-holders.ts';
import { findHolders } from './find-holders.ts';

const [, , held = '', exceptPid = ''] = process.argv;
/** Fits into what is read of a child's output. */
const mostPrinted = 300;

const holders = await findHolders(JSON.parse(held) as Held, new Set([process.pid, Number(exceptPid)]));
process.stdout.write(JSON.stringify(holders.slice(0, mostPrinted)), () => {
  // Ends the threads too that may still wait for a file of somebody's dead server.
  process.exit(0);
});
