/**
 * A claim whose volume is to be made of a snapshot or of another claim: whether that can be done now, and if not, why
 * (external-provisioner: getSnapshotSource, getPVCSource; in their words). Pure.
 */
import { dataSourceOf, isClaimSource, isSnapshotSource } from '../api/claim-data-source.ts';
import type { DataSource, StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { bytesOf, formatBytes, parseQuantity } from '../api/quantity.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import type { StoredVolumeSnapshotContent } from '../api/volume-snapshot-content.ts';
import { annotations } from '../api/well-known.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import { StorageError } from '../world/storage-error.ts';
import type { ClaimWorld } from './claim-world.ts';

export interface SourceObstacle {
  readonly reason: ReasonCode;
  readonly message: string;
  /** Where only another claim, or another source, makes it possible. */
  readonly error?: StorageError;
}

type SourceWorld = Pick<ClaimWorld, 'claim' | 'volume' | 'snapshot' | 'snapshotContent'>;

/** undefined: nothing stands in the way, or the volume is to be empty. */
export function dataSourceObstacle(
  claim: StoredPersistentVolumeClaim,
  storageClass: StoredStorageClass,
  world: SourceWorld,
): SourceObstacle | undefined {
  const source = dataSourceOf(claim.spec);
  if (source === undefined) return undefined;
  if (!isSnapshotSource(source) && !isClaimSource(source)) return unknownKind(source);
  const { namespace } = claim.metadata;
  if (source.namespace !== undefined && source.namespace !== namespace) {
    const place = `${source.namespace}/${source.name}`;
    return impossible(
      `accessing ${place} of ${source.kind} dataSource from ${namespace}/${claim.metadata.name} isn't allowed`,
    );
  }
  const { provisioner } = storageClass.spec;
  const cause = isSnapshotSource(source)
    ? snapshotObstacle(claim, source.name, provisioner, world)
    : cloneObstacle(claim, source.name, provisioner, world);
  if (cause === undefined) return undefined;
  const what = `error getting handle for DataSource Type ${source.kind} by Name ${source.name}`;
  return { reason: 'ProvisioningFailed', message: `${what}: ${cause}` };
}

/** B084: somebody else (a populator) may know it; an empty volume is not what was asked for. */
function unknownKind({ apiGroup = '', kind, name }: DataSource): SourceObstacle {
  const type = apiGroup === '' ? kind : `${kind}.${apiGroup}`;
  const message = `The datasource for this PVC does not match any registered VolumePopulator: ${type} "${name}"`;
  return { reason: 'UnrecognizedDataSourceKind', message };
}

function snapshotObstacle(
  claim: StoredPersistentVolumeClaim,
  name: string,
  provisioner: string,
  world: SourceWorld,
): string | undefined {
  const snapshot = world.snapshot(claim.metadata.namespace, name);
  if (snapshot === undefined) return `error getting snapshot ${name} from api server: not found`;
  if (isTooLate(claim, snapshot.metadata.deletionTimestamp)) return `snapshot ${name} is currently being deleted`;
  const { boundVolumeSnapshotContentName: contentName, readyToUse } = snapshot.status ?? {};
  if (contentName === undefined) return `snapshot ${name} not bound`;
  const content = world.snapshotContent(contentName);
  if (content === undefined) return `error getting snapshotcontent ${contentName} for snapshot ${name}: not found`;
  if (content.spec.volumeSnapshotRef.uid !== snapshot.metadata.uid) {
    return `snapshotcontent ${contentName} for snapshot ${name} is bound to a different snapshot`;
  }
  if (content.spec.driver !== provisioner) {
    return `the snapshot is of driver ${content.spec.driver}, the class's provisioner is ${provisioner}`;
  }
  if (readyToUse !== true) return `snapshot ${name} is not Ready`;
  if (content.status?.snapshotHandle === undefined) return `snapshot handle of snapshot ${name} is not available`;
  return sizeObstacle(claim, BigInt(content.status.restoreSize ?? 0), name) ?? modeObstacle(claim, content);
}

function sizeObstacle(claim: StoredPersistentVolumeClaim, restoreSize: bigint, name: string): string | undefined {
  const { storage } = claim.spec.resources.requests;
  if (bytesOf(parseQuantity(storage)) >= restoreSize) return undefined;
  return `requested volume size ${storage} is less than the size ${formatBytes(restoreSize)} for the source snapshot ${name}`;
}

function modeObstacle(
  claim: StoredPersistentVolumeClaim,
  { spec, metadata }: StoredVolumeSnapshotContent,
): string | undefined {
  const mode = claim.spec.volumeMode ?? 'Filesystem';
  if (spec.sourceVolumeMode === undefined || spec.sourceVolumeMode === mode) return undefined;
  if (metadata.annotations?.[annotations.allowVolumeModeChange] === 'true') return undefined;
  return `requested volume ${claim.metadata.namespace}/${claim.metadata.name} modifies the mode of the source volume but does not have permission to do so. ${annotations.allowVolumeModeChange} annotation is not present on snapshotcontent ${metadata.name}`;
}

function cloneObstacle(
  claim: StoredPersistentVolumeClaim,
  name: string,
  provisioner: string,
  world: SourceWorld,
): string | undefined {
  const source = world.claim(claim.metadata.namespace, name);
  if (source === undefined)
    return `error getting PVC ${name} (namespace "${claim.metadata.namespace}") from api server: not found`;
  if (isTooLate(claim, source.metadata.deletionTimestamp))
    return `the PVC DataSource ${name} is currently being deleted`;
  const volume = source.spec.volumeName === undefined ? undefined : world.volume(source.spec.volumeName);
  if (source.status?.phase !== 'Bound' || volume === undefined) {
    return `the PVC DataSource ${name} is not bound: its phase is ${source.status?.phase ?? 'Pending'}`;
  }
  if (volume.spec.claimRef?.uid !== source.metadata.uid) return `the PV bound to PVC ${name} is not bound to it`;
  const driver = volume.spec.csi?.driver ?? 'none';
  if (driver !== provisioner)
    return `the source volume is of driver ${driver}, the class's provisioner is ${provisioner}`;
  const { storage } = claim.spec.resources.requests;
  const capacity = volume.spec.capacity.storage;
  if (bytesOf(parseQuantity(storage)) < bytesOf(parseQuantity(capacity))) {
    return `new PVC request must be greater than or equal in size to the specified PVC data source, requested ${storage} but source is ${capacity}`;
  }
  const [from, to] = [source, claim].map(({ spec }) => spec.volumeMode ?? 'Filesystem');
  if (from === to) return undefined;
  return `the source PVC and destination PVCs must have the same volume mode for cloning. Source is ${from}, but new PVC requested ${to}`;
}

/** What a claim waits for that was there first is not deleted before it has it; a later claim comes too late. */
export function isTooLate({ metadata }: StoredPersistentVolumeClaim, deletionTimestamp: string | undefined): boolean {
  return deletionTimestamp !== undefined && Date.parse(metadata.creationTimestamp) > Date.parse(deletionTimestamp);
}

function impossible(message: string): SourceObstacle {
  return { reason: 'ProvisioningFailed', message, error: new StorageError(message, { code: 'InvalidArgument' }) };
}
