/** What the daemon holds: counted by the kernel, and by itself where the kernel cannot. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { memoryMb } from '../bench/process-usage.ts';
import { eventually } from '../support/eventually.ts';
import { loopDevices } from '../support/kernel-facts.ts';
import type { Held } from './in-daemon/resource-probe.ts';
import type { LoadDaemon } from './load-daemon.ts';

export interface Resources {
  readonly rssMb: number;
  readonly heapMb: number;
  readonly externalMb: number;
  readonly fds: number;
  readonly children: number;
  readonly threads: number;
  readonly timers: number;
  /** Longest stall of the event loop since it was asked before. */
  readonly stallMs: number;
  /** Of inotify. */
  readonly watches: number;
  /** On files below the root dir. */
  readonly loops: number;
  /** Files of the state dir, without the journal. */
  readonly records: number;
  /** Directories of pods, and of global mounts. */
  readonly directories: number;
}

/** Waits until what was put off is done, then counts. */
export async function resourcesOf(daemon: LoadDaemon): Promise<Resources> {
  await checkpointed(daemon);
  const { heapBytes, externalBytes, timers, stallMs } = await held(daemon);
  const process = `/proc/${daemon.pid}`;
  const tasks = readdirSync(`${process}/task`);
  return {
    // After the garbage collection that `held` asks for.
    rssMb: memoryMb(daemon.pid).now,
    heapMb: heapBytes / 1e6,
    externalMb: externalBytes / 1e6,
    fds: readdirSync(`${process}/fd`).length,
    children: tasks.flatMap((task) => wordsOf(`${process}/task/${task}/children`)).length,
    threads: tasks.length,
    timers,
    stallMs: Math.round(stallMs),
    watches: inotifyWatches(process),
    loops: [...loopDevices().values()].filter((file) => file.startsWith(`${daemon.rootDir}/`)).length,
    records: ['objects', 'volumes', 'daemon'].reduce((sum, kind) => sum + entries(join(daemon.stateDir, kind)), 0),
    directories:
      entries(join(daemon.rootDir, 'pods')) +
      entries(join(daemon.rootDir, 'plugins/kubernetes.io/csi/loop.moored.dev')),
  };
}

/** The state dir's checkpoint comes some seconds after the last write, and leaves one empty journal. */
async function checkpointed({ stateDir }: LoadDaemon): Promise<void> {
  await eventually(() => {
    const journals = readdirSync(stateDir).filter((name) => name.startsWith('journal-'));
    const isEmpty = journals.length === 1 && readFileSync(join(stateDir, journals[0] ?? '')).length === 0;
    return isEmpty || `journals: ${journals.join(' ')}`;
  }, 120_000);
}

/** The answer of before is removed: a daemon that was started again counts its answers anew. */
async function held(daemon: LoadDaemon): Promise<Held> {
  rmSync(daemon.probeFile, { force: true });
  process.kill(daemon.pid, 'SIGUSR2');
  await eventually(() => readHeld(daemon.probeFile) !== undefined || 'no answer of the probe', 120_000);
  const answer = readHeld(daemon.probeFile);
  if (answer === undefined) throw new Error('The probe of the daemon has not answered');
  return answer;
}

function readHeld(path: string): Held | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Held;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** proc_pid_fdinfo(5): a line "inotify wd:…" for each watch. */
function inotifyWatches(process: string): number {
  const infos = readdirSync(`${process}/fdinfo`).map((fd) => readFileSync(`${process}/fdinfo/${fd}`, 'utf8'));
  return infos.flatMap((info) => info.split('\n')).filter((line) => line.startsWith('inotify ')).length;
}

function wordsOf(path: string): readonly string[] {
  return readFileSync(path, 'utf8').split(' ').filter(Boolean);
}

function entries(directory: string): number {
  try {
    return readdirSync(directory).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
