import { BenchDaemon, type Build } from './bench-daemon.ts';
import { classFile, podFile, podName } from './bench-manifests.ts';
import { monotonicMs } from './mount-watch.ts';
import type { Kind } from './sample.ts';

/** Pods after the first one, each alone. */
const others = 20;

export interface SinglePod {
  /** From the rename of its file until a client of the socket sees it Ready, ms. */
  readonly firstMs: number;
  readonly laterMs: readonly number[];
}

/** One pod after the other, of a daemon that has just started. */
export async function runSinglePods(kind: Kind, build: Build, directory: string): Promise<SinglePod> {
  await using daemon = await BenchDaemon.start(build, directory);
  const files = Array.from({ length: others + 1 }, (_, index) => podFile(kind, index));
  daemon.stage([classFile, ...files]);
  daemon.reveal(classFile.name);
  await daemon.quiet();
  const times: number[] = [];
  for (const [index, { name }] of files.entries()) {
    await daemon.quiet();
    const { revision } = await daemon.client.changes(undefined);
    const start = monotonicMs();
    daemon.reveal(name);
    await daemon.podReady(podName(index), revision);
    times.push(monotonicMs() - start);
  }
  for (const { name } of files) daemon.hide(name);
  await daemon.emptied();
  const [firstMs = Number.NaN, ...laterMs] = times;
  return { firstMs, laterMs };
}
