import type { DesiredStateOfWorld } from '../world/desired-state-of-world.ts';

export interface OrphanHoldQuestion {
  /** Why the manifest directory as a whole cannot be read, or ''. */
  readonly directoryProblem: string;
  /** Names of files that are not understood. */
  readonly badFiles: readonly string[];
  readonly dsw: DesiredStateOfWorld;
}

/**
 * Why nothing may be called an orphan for certain, or ''. What is not understood may be what declares it: the same
 * reasons for which nothing is unmounted.
 */
export function orphanHold({ directoryProblem, badFiles, dsw }: OrphanHoldQuestion): string {
  if (directoryProblem !== '') return `the manifests cannot be read: ${directoryProblem}`;
  if (!dsw.complete) return 'the manifests were not read yet';
  const [file] = badFiles;
  if (file !== undefined) return `"${file}" is not understood, and may declare what looks like an orphan`;
  const [unresolved] = [...dsw.errors.values()].flat();
  if (unresolved === undefined) return '';
  const {
    pod,
    volume,
    error: { message },
  } = unresolved;
  return `volume "${volume}" of pod "${pod.namespace}/${pod.name}" is not resolved: ${message}`;
}
