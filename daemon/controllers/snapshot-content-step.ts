/** One content's next step (external-snapshotter's sidecar: syncContent, shouldDelete). Pure. */
import { keyOf } from '../api/meta.ts';
import type { StoredVolumeSnapshotContent } from '../api/volume-snapshot-content.ts';
import { annotations } from '../api/well-known.ts';
import { nothingToDo, type SnapshotStep, type SnapshotWorld, snapshotOf, withAnnotations } from './snapshot-world.ts';

export function nextSnapshotContentStep(content: StoredVolumeSnapshotContent, world: SnapshotWorld): SnapshotStep {
  if (content.metadata.deletionTimestamp !== undefined) return deletionStep(content, world);
  const { driver, source, volumeSnapshotClassName } = content.spec;
  if (content.status?.readyToUse === true) return nothingToDo;
  if (!world.takesSnapshots(driver)) return failedContent(content, `no driver "${driver}" takes snapshots here`, world);
  if (source.volumeHandle === undefined) return { kind: 'adopt', content };
  // Without its snapshot nobody wants it any more, and its name says nothing: no snapshot is taken of what is now.
  if (snapshotOf(content, world) === undefined) return nothingToDo;
  const volume = world.volumeWithHandle(driver, source.volumeHandle);
  if (volume === undefined) return failedContent(content, `no volume has the handle "${source.volumeHandle}"`, world);
  if (content.metadata.annotations?.[annotations.snapshotBeingCreated] !== 'yes') {
    return { kind: 'write', object: withAnnotations(content, { [annotations.snapshotBeingCreated]: 'yes' }) };
  }
  const snapshotClass = world.snapshotClass(volumeSnapshotClassName ?? '');
  return { kind: 'take', content, volume, snapshotClass };
}

/**
 * The data goes only with a snapshot that was seen, and is seen to go (B096): a content that merely vanished from a
 * directory, or came with a restored one, leaves its data where it is.
 */
function deletionStep(content: StoredVolumeSnapshotContent, world: SnapshotWorld): SnapshotStep {
  const snapshot = snapshotOf(content, world);
  if (snapshot !== undefined && snapshot.metadata.deletionTimestamp === undefined) {
    const { namespace, name } = snapshot.metadata;
    const message = `content is being deleted and waits for snapshot ${namespace}/${name}, which is bound to it`;
    return { kind: 'wait', reason: 'SnapshotContentInUse', message };
  }
  const isSeen = content.metadata.annotations?.[annotations.snapshotBeingDeleted] === 'yes';
  if (content.spec.deletionPolicy === 'Delete' && isSeen && world.takesSnapshots(content.spec.driver)) {
    return { kind: 'delete', content };
  }
  return { kind: 'remove', key: keyOf(content), resourceVersion: content.metadata.resourceVersion };
}

function failedContent(content: StoredVolumeSnapshotContent, message: string, world: SnapshotWorld): SnapshotStep {
  const written = withContentError(content, message, world.now);
  return written === undefined
    ? { kind: 'wait', reason: 'SnapshotCreationFailed', message }
    : { kind: 'write', object: written };
}

/** undefined when it says so already. */
export function withContentError(
  content: StoredVolumeSnapshotContent,
  message: string,
  now: string,
): StoredVolumeSnapshotContent | undefined {
  const { error, readyToUse } = content.status ?? {};
  if (error?.message === message && readyToUse === false) return undefined;
  return { ...content, status: { ...content.status, readyToUse: false, error: { time: now, message } } };
}
