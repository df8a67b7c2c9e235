/** One volume's next step (pv_controller.go, syncVolume). Pure. */
import type { PersistentVolumePhase, StoredPersistentVolume } from '../api/persistent-volume.ts';
import { annotations, finalizers } from '../api/well-known.ts';
import { hasOtherVolumeMode } from '../plan/claim-matching.ts';
import { wait } from './claim-outcome.ts';
import { type ClaimWorld, type ControlStep, settled } from './claim-world.ts';
import { finishDeletion } from './finalizer-step.ts';
import { isMadeHere, reclaimStep } from './reclaim-step.ts';
import { withoutClaim } from './unbind.ts';

export function nextVolumeStep(volume: StoredPersistentVolume, world: ClaimWorld): ControlStep {
  const reference = volume.spec.claimRef;
  if (reference?.uid === undefined) return unclaimed(volume);
  const claim = world.claim(reference.namespace, reference.name);
  // Absent means removed from the store, which takes a confirmed deletion: an unreadable file removes nothing.
  if (claim === undefined || claim.metadata.uid !== reference.uid) return released(volume, world);
  const { volumeName } = claim.spec;
  if (volumeName === volume.metadata.name) return bound(volume, world);
  if (volumeName !== undefined) return boundElsewhere(volume, world);
  if (!hasOtherVolumeMode(claim, volume)) return settled;
  const message = `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${reference.name}" due to incompatible volumeMode`;
  return wait('VolumeMismatch', message);
}

/** Nobody's, or reserved by name: both are Available, and a reserved one is seen by its claim alone. */
function unclaimed(volume: StoredPersistentVolume): ControlStep {
  if (volume.metadata.deletionTimestamp === undefined) return phaseStep(volume, 'Available');
  return finishDeletion(volume, finalizers.pvProtection, finalizers.externalProvisioner);
}

/** pv-protection: a bound volume stays, whoever deleted it. The other finalizer says that its data goes before it does. */
function bound(volume: StoredPersistentVolume, world: ClaimWorld): ControlStep {
  const present = volume.metadata.finalizers ?? [];
  const { externalProvisioner } = finalizers;
  const isWanted = volume.spec.persistentVolumeReclaimPolicy === 'Delete' && isMadeHere(volume, world);
  if (isWanted === present.includes(externalProvisioner)) return phaseStep(volume, 'Bound');
  const wanted = isWanted ? [...present, externalProvisioner] : present.filter((name) => name !== externalProvisioner);
  return { kind: 'write', object: { ...volume, metadata: { ...volume.metadata, finalizers: wanted } } };
}

function released(volume: StoredPersistentVolume, world: ClaimWorld): ControlStep {
  const phase = volume.status?.phase;
  return phase === 'Released' || phase === 'Failed' ? reclaimStep(volume, world) : phaseStep(volume, 'Released');
}

/** Another volume won the claim: what the controller reserved is given back, what a user reserved keeps the name. */
function boundElsewhere(volume: StoredPersistentVolume, world: ClaimWorld): ControlStep {
  const isDynamic = volume.metadata.annotations?.[annotations.provisionedBy] !== undefined;
  if (isDynamic && volume.spec.persistentVolumeReclaimPolicy === 'Delete') return released(volume, world);
  return { kind: 'write', object: withoutClaim(volume) };
}

function phaseStep(volume: StoredPersistentVolume, phase: PersistentVolumePhase): ControlStep {
  return volume.status?.phase === phase ? settled : { kind: 'write', object: { ...volume, status: { phase } } };
}
