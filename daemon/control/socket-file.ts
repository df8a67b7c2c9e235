import { lstatSync, mkdirSync, type Stats, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';

/** A probe of the socket that is not answered within this time is an answer too: somebody holds it. */
const probeDeadlineMs = 2_000;

const groupOrOthersMayWrite = 0o022;

/**
 * Listens on `path` with mode 0600. A socket file that a dead daemon left is replaced, but only after connect(2) said
 * ECONNREFUSED: "no process is listening on the remote address" (connect(2)). The directory is made with mode 0700 when
 * it is missing and refused when others may write to it, for they could put a socket of their own in our place.
 * Call it before anything else writes files: the umask is the process's and is narrow for the moment of bind(2).
 */
export async function listenOnSocketFile(server: Server, path: string): Promise<void> {
  claimDirectory(path);
  await removeStaleSocket(path);
  await listening(server, path);
}

function claimDirectory(path: string): void {
  const directory = dirname(path);
  // Restrictive for the last component only: mkdir -p gives the parents the umask's mode, as mkdir(1) does.
  mkdirSync(dirname(directory), { recursive: true });
  if (statOrUndefined(directory) === undefined) mkdirSync(directory, { mode: 0o700 });
  const stat = lstatSync(directory);
  if (!stat.isDirectory()) throw new Error(`Cannot listen on "${path}": "${directory}" is not a directory`);
  const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0');
  if (stat.uid !== process.geteuid?.()) {
    throw new Error(`Cannot listen on "${path}": directory "${directory}" belongs to uid ${stat.uid}, not to us`);
  }
  if ((stat.mode & groupOrOthersMayWrite) !== 0) {
    throw new Error(`Cannot listen on "${path}": others may write to directory "${directory}" (mode ${mode})`);
  }
}

async function removeStaleSocket(path: string): Promise<void> {
  const stat = statOrUndefined(path);
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new Error(`Cannot listen on "${path}": a file that is not a socket lies there`);
  const code = await probe(path);
  if (code === 'ENOENT') return;
  if (code === 'connected') throw new Error(`Cannot listen on "${path}": another process listens there`);
  if (code !== 'ECONNREFUSED') throw new Error(`Cannot listen on "${path}": cannot tell who listens there: ${code}`);
  unlinkSync(path);
}

/** "connected", or the error code of connect(2). */
function probe(path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const answer = (code: string): void => {
      socket.destroy();
      resolve(code);
    };
    socket.setTimeout(probeDeadlineMs, () => answer('ETIMEDOUT'));
    socket.once('connect', () => answer('connected'));
    socket.once('error', (error: NodeJS.ErrnoException) => answer(error.code ?? error.message));
  });
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => reject(new Error(`Cannot listen on "${path}"`, { cause: error }));
    server.once('error', failed);
    const umask = process.umask(0o177);
    try {
      // Node binds a path inside listen(), so the umask need not stay narrow until the 'listening' event.
      server.listen({ path }, () => {
        server.off('error', failed);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}

function statOrUndefined(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
