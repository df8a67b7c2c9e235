import { keyOf } from '../api/meta.ts';
import type { StoredPod } from '../api/pod.ts';
import type { EventRecorder } from '../ports/events.ts';
import type { Logger } from '../ports/logger.ts';
import type { ManagedDirectories } from '../ports/managed-directories.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import type { DiskLayout } from '../world/disk-layout.ts';
import { StorageError } from '../world/storage-error.ts';

interface PodReleaseOptions {
  readonly objects: ObjectStore;
  readonly asw: ActualStateOfWorld;
  readonly directories: ManagedDirectories;
  readonly layout: DiskLayout;
  readonly events: EventRecorder;
  readonly logger: Logger;
}

/** About 40 ms, in which nothing else happens; what is left follows at the next pass, which the change of objects brings. */
const mostAtOnce = 100;

/**
 * A pod whose manifest is gone ends when no volume has it any more: its empty directories go, then its object. A
 * directory with something in it stays, and the pod with it (kubelet: "orphaned pod found").
 * @returns false when a pod stays: to be called again, as nothing tells when a directory has become empty
 */
export function releaseTerminatedPods(options: PodReleaseOptions): boolean {
  const { objects, asw, events, logger } = options;
  const terminating = objects.list('Pod').filter((pod) => pod.metadata.deletionTimestamp !== undefined);
  if (terminating.length === 0) return true;
  let isAllReleased = true;
  let released = 0;
  const inUse = new Set([...asw.volumes.values()].flatMap((volume) => Object.keys(volume.record.pods)));
  for (const pod of terminating) {
    if (inUse.has(pod.metadata.uid)) continue;
    if (released === mostAtOnce) return false;
    const obstacle = removeDirectories(pod, options);
    if (obstacle !== undefined) {
      isAllReleased = false;
      events.record({ reason: 'PodDirectoryKept', regarding: keyOf(pod), message: obstacle });
      continue;
    }
    objects.remove(keyOf(pod), pod.metadata.resourceVersion);
    released++;
    logger.info('pod released', { namespace: pod.metadata.namespace, pod: pod.metadata.name, uid: pod.metadata.uid });
  }
  return isAllReleased;
}

/** Why a directory of the pod stays, if one does. */
function removeDirectories(pod: StoredPod, options: PodReleaseOptions): string | undefined {
  try {
    const left = removeEmptyDirectories(pod, options);
    return left === undefined ? undefined : `The directory "${left}" of an ended pod is kept: it is not empty`;
  } catch (error) {
    if (error instanceof StorageError) return error.message;
    throw error;
  }
}

/** The path of the first directory that is not empty, if there is one. */
function removeEmptyDirectories(pod: StoredPod, { directories, layout }: PodReleaseOptions): string | undefined {
  const podDir = layout.podDir(pod.metadata.uid);
  for (const kind of ['volumes', 'volumeDevices']) {
    for (const plugin of directories.list(`${podDir}/${kind}`)) {
      const path = `${podDir}/${kind}/${plugin}`;
      if (directories.list(path).length > 0) return path;
      directories.remove(path);
    }
    directories.remove(`${podDir}/${kind}`);
  }
  if (directories.list(podDir).length > 0) return podDir;
  directories.remove(podDir);
  return undefined;
}
