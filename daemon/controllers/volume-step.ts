/** One volume's next step (pv_controller.go, syncVolume). Pure. */
import type { ClaimReference, PersistentVolumePhase, StoredPersistentVolume } from '../api/persistent-volume.ts';
import { annotations } from '../api/well-known.ts';
import { type ClaimWorld, type ControlStep, removeStep, settled } from './claim-world.ts';

export function nextVolumeStep(volume: StoredPersistentVolume, world: ClaimWorld): ControlStep {
  const reference = volume.spec.claimRef;
  if (reference?.uid === undefined) return unclaimed(volume);
  const claim = world.claim(reference.namespace, reference.name);
  // Absent means removed from the store, which takes a confirmed deletion: an unreadable file removes nothing.
  if (claim === undefined || claim.metadata.uid !== reference.uid) return released(volume);
  const { volumeName } = claim.spec;
  if (volumeName === undefined) return settled;
  if (volumeName === volume.metadata.name) return phaseStep(volume, 'Bound');
  return boundElsewhere(volume, reference);
}

function unclaimed(volume: StoredPersistentVolume): ControlStep {
  return volume.metadata.deletionTimestamp === undefined ? phaseStep(volume, 'Available') : removeStep(volume);
}

function released(volume: StoredPersistentVolume): ControlStep {
  const phase = volume.status?.phase;
  if (phase !== 'Released' && phase !== 'Failed') return phaseStep(volume, 'Released');
  if (volume.metadata.deletionTimestamp !== undefined) return removeStep(volume);
  switch (volume.spec.persistentVolumeReclaimPolicy ?? 'Retain') {
    case 'Retain':
      return settled;
    case 'Delete':
      return { kind: 'reclaim', volume };
    case 'Recycle':
      return {
        kind: 'wait',
        reason: 'VolumeFailedRecycle',
        message: 'Recycle is not supported here: remove claimRef by hand to use it again',
      };
  }
}

/** Another volume won the claim: what the controller reserved is given back, what a user reserved keeps the name. */
function boundElsewhere(volume: StoredPersistentVolume, reference: ClaimReference): ControlStep {
  const isDynamic = volume.metadata.annotations?.[annotations.provisionedBy] !== undefined;
  if (isDynamic && volume.spec.persistentVolumeReclaimPolicy === 'Delete') return released(volume);
  const { [annotations.boundByController]: mark, ...rest } = volume.metadata.annotations ?? {};
  const { claimRef: _claimRef, ...spec } = volume.spec;
  const { uid: _uid, ...reservation } = reference;
  const unbound = mark === undefined ? { ...spec, claimRef: reservation } : spec;
  const metadata = { ...volume.metadata, annotations: rest };
  return { kind: 'write', object: { ...volume, metadata, spec: unbound as StoredPersistentVolume['spec'] } };
}

function phaseStep(volume: StoredPersistentVolume, phase: PersistentVolumePhase): ControlStep {
  return volume.status?.phase === phase ? settled : { kind: 'write', object: { ...volume, status: { phase } } };
}
