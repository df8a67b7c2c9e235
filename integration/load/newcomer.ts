/** How long one new pod takes beside what is there already: what a user of a crowded machine feels. */
import type { PodView } from '../../daemon/control/protocol.ts';
import { cpuMs } from '../bench/process-usage.ts';
import { boundPods, memoryPods } from './crowd.ts';
import type { LoadDaemon } from './load-daemon.ts';

export interface Newcomer {
  /** From the rename of its manifest until a client that waits for it knows that it is Ready. */
  readonly upMs: readonly number[];
  /** From the removal until the client knows that it is gone. */
  readonly downMs: readonly number[];
  /** Of the daemon for the whole life of one. */
  readonly cpuMs: readonly number[];
}

export type NewcomerKind = 'memory' | 'claim';

/** One after the other, each gone before the next one comes. */
export async function newcomers(
  daemon: LoadDaemon,
  prefix: string,
  times: number,
  kind: NewcomerKind = 'memory',
): Promise<Newcomer> {
  const upMs: number[] = [];
  const downMs: number[] = [];
  const ofCpuMs: number[] = [];
  for (let time = 0; time < times; time++) {
    const name = `${prefix}-${time}`;
    const cpuBefore = cpuMs(daemon.pid);
    const { files } = kind === 'memory' ? memoryPods(name, 1) : boundPods(name, 1, 1);
    upMs.push(
      await waited(
        daemon,
        `${name}-0`,
        () => daemon.declare(files),
        (pod) => pod?.status.phase === 'Ready',
      ),
    );
    downMs.push(
      await waited(
        daemon,
        `${name}-0`,
        () => daemon.withdraw(files),
        (pod) => pod === undefined,
      ),
    );
    ofCpuMs.push(cpuMs(daemon.pid) - cpuBefore);
  }
  return { upMs, downMs, cpuMs: ofCpuMs };
}

/** As `moorctl wait` does: asked again when something has changed. */
async function waited(
  { view: { client } }: LoadDaemon,
  name: string,
  act: () => void,
  isMet: (pod: PodView | undefined) => boolean,
): Promise<number> {
  let { revision } = await client.changes(undefined);
  const start = performance.now();
  act();
  for (;;) {
    ({ revision } = await client.changes(revision));
    const [pod] = (await client.get('pods', { name })).items;
    if (isMet(pod)) return performance.now() - start;
  }
}
