/** One claim's next step (pv_controller.go, syncClaim): spec and annotations decide, status is an output. Pure. */

import { dataSourceOf } from '../api/claim-data-source.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import { annotations } from '../api/well-known.ts';
import { classOfClaim, findBestMatch, isClaimedBy, mismatch } from '../plan/claim-matching.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import { StorageError } from '../world/storage-error.ts';
import { nextBindWrite } from './bind-step.ts';
import { type ClaimWorld, type ControlStep, hasConsumer, removeStep, settled } from './claim-world.ts';
import { nextExpansionStep } from './expansion-step.ts';

export function nextClaimStep(claim: StoredPersistentVolumeClaim, world: ClaimWorld): ControlStep {
  if (claim.metadata.deletionTimestamp !== undefined) return deletionStep(claim, world);
  if (claim.metadata.annotations?.[annotations.bindCompleted] === 'yes') return boundStep(claim, world);
  if (claim.spec.volumeName !== undefined) return prebound(claim, claim.spec.volumeName, world);
  return unbound(claim, world);
}

/** pvc-protection: the claim stays while any pod names it. */
function deletionStep(claim: StoredPersistentVolumeClaim, world: ClaimWorld): ControlStep {
  const users = world.podsUsing(claim);
  if (users.length === 0) return removeStep(claim);
  const names = users.map((pod) => `${pod.metadata.namespace}/${pod.metadata.name}`).join(', ');
  return wait('ClaimInUse', `claim is being deleted and waits for pod ${names}`);
}

function boundStep(claim: StoredPersistentVolumeClaim, world: ClaimWorld): ControlStep {
  const { volumeName } = claim.spec;
  const volume = volumeName === undefined ? undefined : world.volume(volumeName);
  if (volume === undefined) {
    return lost(claim, 'ClaimLost', `bound claim has lost its volume "${volumeName ?? ''}": its data is not here`);
  }
  const reference = volume.spec.claimRef;
  if (reference === undefined || reference.uid === claim.metadata.uid || isClaimedBy(volume, claim)) {
    const binding = bind(claim, volume);
    return binding.kind === 'settled' ? nextExpansionStep(claim, volume, world) : binding;
  }
  const other = `${reference.namespace}/${reference.name}`;
  return lost(claim, 'ClaimMisbound', `two claims are bound to volume "${volume.metadata.name}": it is ${other}'s`);
}

/** The user named the volume: all but the selector is checked (upstream: checkVolumeSatisfyClaim). */
function prebound(claim: StoredPersistentVolumeClaim, volumeName: string, world: ClaimWorld): ControlStep {
  const volume = world.volume(volumeName);
  if (volume === undefined) return pending(claim, 'FailedBinding', `volume "${volumeName}" not found`);
  if (volume.spec.claimRef !== undefined && !isClaimedBy(volume, claim)) {
    const { namespace, name } = volume.spec.claimRef;
    return pending(claim, 'FailedBinding', `volume "${volumeName}" is bound to claim ${namespace}/${name}`);
  }
  const why = mismatch(claim, volume, false);
  if (why !== undefined) {
    return pending(claim, 'VolumeMismatch', `Cannot bind to volume "${volumeName}": ${why}`);
  }
  return bind(claim, volume);
}

function unbound(claim: StoredPersistentVolumeClaim, world: ClaimWorld): ControlStep {
  const className = classOfClaim(claim);
  if (className === undefined) {
    const defaultClass = findDefaultClass(world.classes);
    if (defaultClass !== undefined) {
      const spec = { ...claim.spec, storageClassName: defaultClass.metadata.name };
      return { kind: 'write', object: { ...claim, spec } };
    }
  }
  const storageClass = className === undefined ? undefined : world.storageClass(className);
  const waitsForPod = storageClass?.spec.volumeBindingMode === 'WaitForFirstConsumer' && !hasConsumer(world, claim);
  const match =
    findBestMatch(claim, world.volumesNaming(claim), waitsForPod) ??
    findBestMatch(claim, waitsForPod ? [] : world.unclaimedVolumes(className ?? ''), waitsForPod);
  if (match !== undefined) return bind(claim, match);
  if (waitsForPod) {
    return pending(claim, 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
  }
  if (className === undefined || className === '') {
    const message = 'no persistent volumes available for this claim and no storage class is set';
    return pending(claim, 'FailedBinding', message);
  }
  return provisionStep(claim, className, storageClass, world);
}

function provisionStep(
  claim: StoredPersistentVolumeClaim,
  className: string,
  storageClass: StoredStorageClass | undefined,
  world: ClaimWorld,
): ControlStep {
  if (storageClass === undefined) {
    return pending(claim, 'ProvisioningFailed', `storageclass.storage.k8s.io "${className}" not found`);
  }
  const { provisioner } = storageClass.spec;
  if (dataSourceOf(claim.spec) !== undefined) {
    const message =
      'a volume from a snapshot or another claim cannot be made yet: an empty one would not be what is asked';
    return unimplemented(claim, message);
  }
  if (provisioner === 'kubernetes.io/no-provisioner') {
    const message = `no persistent volume fits, and class "${className}" provisions none`;
    return pending(claim, 'FailedBinding', message);
  }
  if (provisioner.startsWith('kubernetes.io/') && !world.canProvision(provisioner)) {
    return unimplemented(claim, `no volume plugin matched name: ${provisioner}`);
  }
  // Both keys, before anything is made: external provisioners of either age look for them.
  if (claim.metadata.annotations?.[annotations.storageProvisioner] !== provisioner) {
    const marks = {
      [annotations.storageProvisioner]: provisioner,
      [annotations.betaStorageProvisioner]: provisioner,
    };
    const metadata = { ...claim.metadata, annotations: { ...claim.metadata.annotations, ...marks } };
    return { kind: 'write', object: { ...claim, metadata, status: { phase: 'Pending' } } };
  }
  if (!world.canProvision(provisioner)) {
    const message = `waiting for a volume to be created by the external provisioner "${provisioner}"`;
    return pending(claim, 'ExternalProvisioning', message);
  }
  return { kind: 'provision', claim, storageClass };
}

/** The newest class marked as default; of equals the name that sorts first. */
function findDefaultClass(classes: readonly StoredStorageClass[]): StoredStorageClass | undefined {
  return classes
    .filter(({ metadata }) =>
      [annotations.isDefaultClass, annotations.betaIsDefaultClass].some(
        (key) => metadata.annotations?.[key] === 'true',
      ),
    )
    .sort(
      (a, b) =>
        b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp) ||
        (a.metadata.name < b.metadata.name ? -1 : 1),
    )[0];
}

function bind(claim: StoredPersistentVolumeClaim, volume: StoredPersistentVolume): ControlStep {
  const object = nextBindWrite(claim, volume);
  return object === undefined ? settled : { kind: 'write', object };
}

function lost(claim: StoredPersistentVolumeClaim, reason: ReasonCode, message: string): ControlStep {
  if (claim.status?.phase !== 'Lost') return { kind: 'write', object: { ...claim, status: { phase: 'Lost' } } };
  return wait(reason, message);
}

/** Phase Pending without capacity and modes, whatever a stale status says; then the reason. */
function pending(
  claim: StoredPersistentVolumeClaim,
  reason: ReasonCode,
  message: string,
  error?: StorageError,
): ControlStep {
  const { status } = claim;
  const isPending = status?.phase === 'Pending' && status.capacity === undefined;
  return isPending
    ? wait(reason, message, error)
    : { kind: 'write', object: { ...claim, status: { phase: 'Pending' } } };
}

function wait(reason: ReasonCode, message: string, error?: StorageError): ControlStep {
  return { kind: 'wait', reason, message, ...(error === undefined ? {} : { error }) };
}

/** What no later volume or class makes possible: only another claim or class does. */
function unimplemented(claim: StoredPersistentVolumeClaim, message: string): ControlStep {
  return pending(claim, 'ProvisioningFailed', message, new StorageError(message, { code: 'Unimplemented' }));
}
