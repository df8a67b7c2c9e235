/** One snapshot's next step (external-snapshotter, snapshot_controller.go: syncSnapshot). Pure. */
import { dataSourceOf, isSnapshotSource } from '../api/claim-data-source.ts';
import { keyOf } from '../api/meta.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { formatBytes } from '../api/quantity.ts';
import type { StoredVolumeSnapshot, VolumeSnapshotStatus } from '../api/volume-snapshot.ts';
import type { StoredVolumeSnapshotContent } from '../api/volume-snapshot-content.ts';
import { annotations } from '../api/well-known.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import { isTooLate } from './data-source-step.ts';
import { newSnapshotContent, snapshotContentName } from './new-snapshot-content.ts';
import { nothingToDo, type SnapshotStep, type SnapshotWorld, withAnnotations } from './snapshot-world.ts';

export function nextSnapshotStep(snapshot: StoredVolumeSnapshot, world: SnapshotWorld): SnapshotStep {
  if (snapshot.metadata.deletionTimestamp !== undefined) return deletionStep(snapshot, world);
  const { persistentVolumeClaimName, volumeSnapshotContentName } = snapshot.spec.source;
  if (volumeSnapshotContentName !== undefined) return preProvisioned(snapshot, volumeSnapshotContentName, world);
  const content = world.content(snapshotContentName(snapshot));
  if (content !== undefined) return boundStep(snapshot, content, 'SnapshotMisbound', world);
  // It was there: another one would be of another moment, and not what the user believes to have.
  if (snapshot.status?.boundVolumeSnapshotContentName !== undefined) return contentMissing(snapshot, world);
  return dynamic(snapshot, persistentVolumeClaimName ?? '', world);
}

function dynamic(snapshot: StoredVolumeSnapshot, claimName: string, world: SnapshotWorld): SnapshotStep {
  const { namespace } = snapshot.metadata;
  const claim = world.claim(namespace, claimName);
  const refused = (cause: string) => failed(snapshot, 'SnapshotContentCreationFailed', cause, world);
  if (claim === undefined) return refused(`failed to retrieve PVC ${claimName} from the lister: not found`);
  if (claim.metadata.deletionTimestamp !== undefined) return refused(`PVC ${claimName} is being deleted`);
  const volume = claim.spec.volumeName === undefined ? undefined : world.volume(claim.spec.volumeName);
  if (claim.status?.phase !== 'Bound' || volume === undefined) {
    return refused(`the PVC ${claimName} is not yet bound to a PV, will not attempt to take a snapshot`);
  }
  if (volume.spec.claimRef?.uid !== claim.metadata.uid) {
    return refused(`the PV ${volume.metadata.name} is not bound to PVC ${claimName}`);
  }
  const source = volume.spec.csi;
  if (source === undefined) return refused(`no CSI driver has the volume ${volume.metadata.name}: no snapshots of it`);
  const { volumeSnapshotClassName } = snapshot.spec;
  if (volumeSnapshotClassName === undefined) return defaultClass(snapshot, source.driver, world);
  const snapshotClass = world.snapshotClass(volumeSnapshotClassName);
  if (snapshotClass === undefined) return refused(`volumesnapshotclass "${volumeSnapshotClassName}" not found`);
  if (snapshotClass.spec.driver !== source.driver) {
    const drivers = `VolumeSnapshotClass driver ${snapshotClass.spec.driver}, volume's driver ${source.driver}`;
    return refused(`class and volume are of different drivers: ${drivers}`);
  }
  const message = `Waiting for a snapshot ${nameOf(snapshot)} to be created by the CSI driver.`;
  const object = newSnapshotContent({ snapshot, volume, snapshotClass, now: world.now });
  return { kind: 'create', object, event: { reason: 'CreatingSnapshot', message } };
}

/** The one that is marked, of the volume's driver: none or several are an error, not a choice (B090). */
function defaultClass(snapshot: StoredVolumeSnapshot, driver: string, world: SnapshotWorld): SnapshotStep {
  const marked = world.classes.filter(
    ({ spec, metadata }) =>
      spec.driver === driver && metadata.annotations?.[annotations.isDefaultSnapshotClass] === 'true',
  );
  const [only, ...more] = marked;
  if (only === undefined || more.length > 0) {
    const cause =
      only === undefined
        ? `cannot find default snapshot class for driver ${driver}`
        : `${marked.length} default snapshot classes were found: ${marked.map(({ metadata }) => metadata.name).join(', ')}`;
    return failed(snapshot, 'SetDefaultSnapshotClassFailed', cause, world);
  }
  const spec = { ...snapshot.spec, volumeSnapshotClassName: only.metadata.name };
  return { kind: 'write', object: { ...snapshot, spec } };
}

function preProvisioned(snapshot: StoredVolumeSnapshot, contentName: string, world: SnapshotWorld): SnapshotStep {
  const content = world.content(contentName);
  if (content === undefined) return contentMissing(snapshot, world);
  if (content.spec.source.snapshotHandle === undefined) {
    const cause = 'VolumeSnapshotContent is dynamically provisioned while expecting a pre-provisioned one';
    return failed(snapshot, 'SnapshotContentMismatch', cause, world);
  }
  const { volumeSnapshotRef } = content.spec;
  const { namespace, name, uid } = snapshot.metadata;
  const isReserved = volumeSnapshotRef.namespace === namespace && volumeSnapshotRef.name === name;
  if (isReserved && volumeSnapshotRef.uid === undefined) {
    const spec = { ...content.spec, volumeSnapshotRef: { namespace, name, uid } };
    return { kind: 'write', object: { ...content, spec } };
  }
  return boundStep(snapshot, content, 'SnapshotContentMisbound', world);
}

/** The content bears the truth: what it says is the snapshot's status. */
function boundStep(
  snapshot: StoredVolumeSnapshot,
  content: StoredVolumeSnapshotContent,
  misbound: ReasonCode,
  world: SnapshotWorld,
): SnapshotStep {
  const { name } = content.metadata;
  if (content.spec.volumeSnapshotRef.uid !== snapshot.metadata.uid) {
    return failed(snapshot, misbound, `VolumeSnapshotContent ${name} is bound to a different snapshot`, world);
  }
  const status = statusFrom(content);
  if (isSame(status, snapshot.status)) return nothingToDo;
  const object = { ...snapshot, status };
  if (status.readyToUse !== true || snapshot.status?.readyToUse === true) return { kind: 'write', object };
  const message = `Snapshot ${nameOf(snapshot)} is ready to use.`;
  return { kind: 'write', object, event: { reason: 'SnapshotReady', message } };
}

function statusFrom({ metadata, status }: StoredVolumeSnapshotContent): VolumeSnapshotStatus {
  const { creationTime, restoreSize, readyToUse = false, error } = status ?? {};
  return {
    boundVolumeSnapshotContentName: metadata.name,
    ...(creationTime === undefined ? {} : { creationTime: new Date(creationTime / 1e6).toISOString() }),
    readyToUse,
    ...(restoreSize === undefined ? {} : { restoreSize: formatBytes(BigInt(restoreSize)) }),
    ...(error === undefined ? {} : { error }),
  };
}

/**
 * Nothing is deleted while a claim waits to be made of it (B094). With policy Delete the content goes first: it is marked,
 * for only a content whose snapshot was seen to go takes its data with it (B096).
 */
function deletionStep(snapshot: StoredVolumeSnapshot, world: SnapshotWorld): SnapshotStep {
  const [restoring] = world.claims.filter((claim) => isRestoring(claim, snapshot));
  if (restoring !== undefined) {
    const message = `Snapshot is being used to restore a PVC: ${restoring.metadata.name}`;
    return { kind: 'wait', reason: 'SnapshotDeletePending', message };
  }
  const contentName =
    snapshot.status?.boundVolumeSnapshotContentName ??
    snapshot.spec.source.volumeSnapshotContentName ??
    snapshotContentName(snapshot);
  const content = world.content(contentName);
  const isOurs = content?.spec.volumeSnapshotRef.uid === snapshot.metadata.uid;
  if (content === undefined || !isOurs || content.spec.deletionPolicy === 'Retain') {
    return { kind: 'remove', key: keyOf(snapshot), resourceVersion: snapshot.metadata.resourceVersion };
  }
  const { deletionTimestamp, annotations: marks } = content.metadata;
  if (deletionTimestamp !== undefined && marks?.[annotations.snapshotBeingDeleted] === 'yes') return nothingToDo;
  const marked = withAnnotations(content, { [annotations.snapshotBeingDeleted]: 'yes' });
  const metadata = { ...marked.metadata, deletionTimestamp: deletionTimestamp ?? world.now };
  return { kind: 'write', object: { ...marked, metadata } };
}

function isRestoring(claim: StoredPersistentVolumeClaim, { metadata }: StoredVolumeSnapshot): boolean {
  const source = dataSourceOf(claim.spec);
  if (source === undefined || !isSnapshotSource(source) || source.name !== metadata.name) return false;
  if (claim.metadata.namespace !== metadata.namespace || claim.metadata.deletionTimestamp !== undefined) return false;
  return claim.spec.volumeName === undefined && !isTooLate(claim, metadata.deletionTimestamp);
}

function contentMissing(snapshot: StoredVolumeSnapshot, world: SnapshotWorld): SnapshotStep {
  return failed(snapshot, 'SnapshotContentMissing', 'VolumeSnapshotContent is missing', world);
}

/** In the status first, then as an event; what the status said of the content stays, but for being ready. */
function failed(
  snapshot: StoredVolumeSnapshot,
  reason: ReasonCode,
  message: string,
  world: SnapshotWorld,
): SnapshotStep {
  const { error, readyToUse } = snapshot.status ?? {};
  if (error?.message === message && readyToUse === false) return { kind: 'wait', reason, message };
  const status = { ...snapshot.status, readyToUse: false, error: { time: world.now, message } };
  return { kind: 'write', object: { ...snapshot, status } };
}

function nameOf({ metadata }: StoredVolumeSnapshot): string {
  return `${metadata.namespace}/${metadata.name}`;
}

function isSame(a: VolumeSnapshotStatus, b: VolumeSnapshotStatus | undefined): boolean {
  return (
    a.boundVolumeSnapshotContentName === b?.boundVolumeSnapshotContentName &&
    a.creationTime === b?.creationTime &&
    a.readyToUse === b?.readyToUse &&
    a.restoreSize === b?.restoreSize &&
    a.error?.message === b?.error?.message
  );
}
