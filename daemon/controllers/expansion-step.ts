/**
 * The growth of a bound claim's volume, in upstream's states (external-resizer and kubelet, RecoverVolumeExpansionFailure):
 *
 *   request > volume's capacity   ControllerResizeInProgress   the backing data is made longer, then the volume says so
 *   capacity > claim's            NodeResizePending            until device and filesystem are grown, at the next mount if
 *                                 NodeResizeInProgress         the volume is at rest
 *   otherwise                     none                         what is left of a growth is taken away
 *
 * Spec and capacities decide, conditions are an output: so a crash anywhere, a second request and one taken back need no
 * rules of their own. Pure.
 */
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { bytesOf, compareQuantities, parseQuantity } from '../api/quantity.ts';
import { annotations } from '../api/well-known.ts';
import { classOfClaim } from '../plan/claim-matching.ts';
import { type ClaimWorld, type ControlEvent, type ControlStep, settled } from './claim-world.ts';
import { expanded, expanding, sameStatus, withExpansionError, withoutExpansion } from './expansion-status.ts';

export function nextExpansionStep(
  claim: StoredPersistentVolumeClaim,
  volume: StoredPersistentVolume,
  world: ClaimWorld,
): ControlStep {
  const request = claim.spec.resources.requests.storage;
  const capacity = volume.spec.capacity.storage;
  if (isLess(capacity, request)) return controllerStep(claim, volume, world);
  if (isLess(claim.status?.capacity?.storage ?? capacity, capacity)) return nodeStep(claim, volume, world);
  const status = withoutExpansion(claim.status);
  if (!sameStatus(status, claim.status)) return { kind: 'write', object: { ...claim, status } };
  return forgetCapacityBefore(volume);
}

function controllerStep(
  claim: StoredPersistentVolumeClaim,
  volume: StoredPersistentVolume,
  world: ClaimWorld,
): ControlStep {
  const storage = claim.spec.resources.requests.storage;
  const current = { status: claim.status, now: world.now };
  const refusal = refusalOf(claim, volume, world);
  if (refusal !== undefined) {
    const status = withExpansionError(withoutExpansion(claim.status), current, 'ControllerResizeError', refusal);
    if (!sameStatus(status, claim.status)) return { kind: 'write', object: { ...claim, status } };
    return { kind: 'wait', reason: 'VolumeResizeFailed', message: refusal };
  }
  const { allocatedResources, allocatedResourceStatuses } = claim.status ?? {};
  const isBegun = allocatedResourceStatuses?.storage === 'ControllerResizeInProgress';
  if (isBegun && allocatedResources?.storage === storage) return { kind: 'expand', claim, volume, storage };
  const status = expanding(current, { storage, stage: 'ControllerResizeInProgress' });
  const message = `moored is resizing volume ${volume.metadata.name}`;
  return { kind: 'write', object: { ...claim, status }, event: { reason: 'Resizing', message } };
}

/** Upstream's admission (persistentvolume/resize) says the first of these of both. */
function refusalOf(
  claim: StoredPersistentVolumeClaim,
  volume: StoredPersistentVolume,
  world: ClaimWorld,
): string | undefined {
  const storageClass = world.storageClass(classOfClaim(claim) ?? '');
  if (storageClass?.spec.allowVolumeExpansion !== true) {
    return 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
  }
  if (world.canExpand(volume)) return undefined;
  const { name } = volume.metadata;
  return `volume "${name}" was not provisioned by moored: grow its device, then raise the capacity of the volume`;
}

/** Also of a volume whose capacity somebody raised by hand, and of one that was grown while nothing had it mounted. */
function nodeStep(claim: StoredPersistentVolumeClaim, volume: StoredPersistentVolume, world: ClaimWorld): ControlStep {
  const { storage } = volume.spec.capacity;
  const node = world.nodeExpansion(volume);
  const isBlock = volume.spec.volumeMode === 'Block';
  // The next attach gives a raw device of the new size: there is no filesystem to wait for.
  const needsNoNode = isBlock && world.canExpand(volume) && !world.isInUse(volume);
  if (needsNoNode || node.expandedBytes >= bytesOf(parseQuantity(storage))) {
    const status = expanded(claim.status, storage);
    return { kind: 'write', object: { ...claim, status }, event: successOf(volume) };
  }
  const isTried = node.isRunning || node.error !== undefined;
  const stage = isTried ? 'NodeResizeInProgress' : 'NodeResizePending';
  const current = { status: claim.status, now: world.now };
  const pending = expanding(current, { storage, stage });
  const status =
    node.error === undefined ? pending : withExpansionError(pending, current, 'NodeResizeError', node.error);
  if (!sameStatus(status, claim.status)) return { kind: 'write', object: { ...claim, status } };
  return node.error === undefined
    ? waitForNode('FileSystemResizeRequired', 'Require file system resize of volume on node')
    : waitForNode('VolumeResizeFailed', node.error);
}

function waitForNode(reason: ControlEvent['reason'], message: string): ControlStep {
  return { kind: 'wait', reason, message, until: 'volumesChange' };
}

function successOf({ metadata, spec }: StoredPersistentVolume): ControlEvent {
  if (spec.volumeMode === 'Block') {
    return { reason: 'VolumeResizeSuccessful', message: 'Resize volume succeeded' };
  }
  const message = `MountVolume.NodeExpandVolume succeeded for volume "${metadata.name}"`;
  return { reason: 'FileSystemResizeSuccessful', message };
}

function forgetCapacityBefore(volume: StoredPersistentVolume): ControlStep {
  const { [annotations.preResizeCapacity]: before, ...rest } = volume.metadata.annotations ?? {};
  if (before === undefined) return settled;
  return { kind: 'write', object: { ...volume, metadata: { ...volume.metadata, annotations: rest } } };
}

function isLess(a: string, b: string): boolean {
  return compareQuantities(parseQuantity(a), parseQuantity(b)) < 0;
}
