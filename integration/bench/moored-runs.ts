import { BenchDaemon, type Build } from './bench-daemon.ts';
import { classFile, oneFile, podFiles, podName } from './bench-manifests.ts';
import { type MountChange, type MountWatch, monotonicMs } from './mount-watch.ts';
import { memoryMb } from './process-usage.ts';
import { type Job, mountsAPod, type Sample } from './sample.ts';

export interface MooredRun {
  readonly job: Job;
  /** One file a pod, or all pods in one. */
  readonly files: 'many' | 'one';
  readonly build: Build;
  readonly directory: string;
  readonly watch: MountWatch;
  /** How long to watch it do nothing; 0: not at all. */
  readonly idleMs: number;
}

/** A daemon that has just started gets all pods at once, and all are taken away. */
export async function runMoored({ job, files, build, directory, watch, idleMs }: MooredRun): Promise<Sample> {
  await using daemon = await BenchDaemon.start(build, directory);
  const staged = files === 'many' ? podFiles(job) : [oneFile(job)];
  daemon.stage([classFile, ...staged]);
  daemon.reveal(classFile.name);
  await daemon.quiet();
  const cpuBefore = daemon.cpuMs();

  const start = monotonicMs();
  const revealedAt = staged.map(({ name }) => {
    const at = monotonicMs();
    daemon.reveal(name);
    return at;
  });
  const mounted = await watch.until(job.count * mountsAPod[job.kind]);
  await daemon.quiet();
  const cpuMs = daemon.cpuMs() - cpuBefore;
  const memory = memoryMb(daemon.pid);
  const pods = await daemon.ready(job.count);
  const uids = new Map(pods.map(({ metadata }) => [metadata.name, metadata.uid]));
  const podMs = Array.from({ length: job.count }, (_, index) => {
    const directoryOfPod = `/pods/${uids.get(podName(index)) ?? '?'}/`;
    const bind = mounted.find(({ path }) => path.includes(directoryOfPod));
    return (bind?.at ?? Number.NaN) - (revealedAt[index] ?? start);
  });
  const idlePercent = idleMs > 0 ? { idlePercent: await daemon.idlePercent(idleMs) } : {};

  const unmountStart = monotonicMs();
  for (const { name } of staged) daemon.hide(name);
  const unmounted = await watch.until(0);
  await daemon.emptied();
  return {
    mountMs: lastOf(mounted) - start,
    podMs,
    cpuMs,
    unmountMs: lastOf(unmounted) - unmountStart,
    bareUnmountMs: lastOf(unmounted) - (unmounted[0]?.at ?? Number.NaN),
    rssMb: memory.now,
    peakRssMb: memory.peak,
    ...idlePercent,
  };
}

function lastOf(changes: readonly MountChange[]): number {
  return changes.at(-1)?.at ?? Number.NaN;
}
