/**
 * What becomes of a volume whose claim is gone (reclaimVolume). Pure.
 *
 *   Retain    nothing, ever: the data is kept until somebody decides
 *   Delete    what was provisioned here goes to the trash; what another program provisioned is that program's;
 *             of anything else moored does not know that it may be deleted, so it is Failed
 *   Recycle   what is in the volume is removed, and it is Available again
 */
import { keyOf } from '../api/meta.ts';
import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import { isTerminated } from '../api/pod.ts';
import { annotations, finalizers } from '../api/well-known.ts';
import type { ReasonCode } from '../world/reasons/reason-table.ts';
import { wait } from './claim-outcome.ts';
import { type ClaimWorld, type ControlStep, settled } from './claim-world.ts';
import { finishDeletion } from './finalizer-step.ts';

export function reclaimStep(volume: StoredPersistentVolume, world: ClaimWorld): ControlStep {
  // A word of an older or a newer daemon: a manifest with another policy than these is not taken.
  const policy: string = volume.spec.persistentVolumeReclaimPolicy ?? 'Retain';
  const { deletionTimestamp, finalizers: present = [] } = volume.metadata;
  const isDataKept = policy !== 'Delete' || !present.includes(finalizers.externalProvisioner);
  if (deletionTimestamp !== undefined && isDataKept) {
    return finishDeletion(volume, finalizers.pvProtection, finalizers.externalProvisioner);
  }
  switch (policy) {
    case 'Retain':
      return settled;
    case 'Delete':
      return deleteStep(volume, world);
    case 'Recycle':
      return recycleStep(volume, world);
    default:
      return failed(volume, 'VolumeUnknownReclaimPolicy', `Volume has an unrecognized reclaim policy "${policy}"`);
  }
}

/** Who deletes a volume follows from who provisioned it (findDeletablePlugin). */
function deleteStep(volume: StoredPersistentVolume, world: ClaimWorld): ControlStep {
  if (isMadeHere(volume, world)) {
    return attempt(volume, world, 'VolumeFailedDelete') ?? whenAtRest(volume, world, { kind: 'delete', volume });
  }
  const provisioner = volume.metadata.annotations?.[annotations.provisionedBy];
  const driver = provisioner ?? volume.spec.csi?.driver;
  if (driver !== undefined && !driver.startsWith('kubernetes.io/') && !world.canProvision(driver)) {
    return wait('ExternalDeleting', `waiting for a volume to be deleted by the external provisioner "${driver}"`);
  }
  const message =
    provisioner === undefined
      ? `Cannot delete volume "${volume.metadata.name}": moored did not provision it`
      : `no volume plugin matched name: ${provisioner}`;
  return failed(volume, 'VolumeFailedDelete', message);
}

function recycleStep(volume: StoredPersistentVolume, world: ClaimWorld): ControlStep {
  const { claimRef } = volume.spec;
  if (claimRef === undefined) return settled;
  // A claim of that name is a later one, which has another volume: its pods do not use this one.
  const isReplaced = world.claim(claimRef.namespace, claimRef.name) !== undefined;
  const users = isReplaced ? [] : world.podsUsing(claimRef).filter((pod) => !isTerminated(pod));
  if (users.length > 0) {
    const names = users.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).join(', ');
    return { kind: 'wait', reason: 'VolumeFailedRecycle', type: 'Normal', message: `Volume is used by pods: ${names}` };
  }
  if (!world.canRecycle(volume)) {
    const message = `Cannot recycle volume "${volume.metadata.name}": only the directory of a local volume is emptied`;
    return failed(volume, 'VolumeFailedRecycle', message);
  }
  return attempt(volume, world, 'VolumeFailedRecycle') ?? whenAtRest(volume, world, { kind: 'recycle', volume });
}

/** Nothing is taken away from under a mount. */
function whenAtRest(volume: StoredPersistentVolume, world: ClaimWorld, step: ControlStep): ControlStep {
  if (!world.isInUse(volume)) return step;
  const message = 'waiting until the volume is detached';
  return { kind: 'wait', reason: 'VolumeInUse', message, until: 'volumesChange' };
}

/** The phase of an effect that failed; undefined when it is to be tried, or tried again. */
function attempt(volume: StoredPersistentVolume, world: ClaimWorld, reason: ReasonCode): ControlStep | undefined {
  const failure = world.failureOf(keyOf(volume));
  if (failure === undefined) return undefined;
  const step = failed(volume, reason, failure.message);
  return step.kind === 'write' ? step : undefined;
}

function failed(volume: StoredPersistentVolume, reason: ReasonCode, message: string): ControlStep {
  const { status } = volume;
  const isTold = status?.phase === 'Failed' && status.reason === reason && status.message === message;
  return isTold
    ? wait(reason, message)
    : { kind: 'write', object: { ...volume, status: { phase: 'Failed', reason, message } } };
}

/** Provisioned by a plugin of this daemon, by its own annotation, which no manifest can bring in. */
export function isMadeHere(volume: StoredPersistentVolume, world: ClaimWorld): boolean {
  const provisioner = volume.metadata.annotations?.[annotations.provisionedBy];
  return provisioner !== undefined && world.canProvision(provisioner);
}
