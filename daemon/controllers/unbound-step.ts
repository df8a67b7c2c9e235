/** A claim for which a volume is still to be found (pv_controller.go, syncUnboundClaim). Pure. */
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import { annotations } from '../api/well-known.ts';
import { classOfClaim, hasOtherVolumeMode, isClaimedBy } from '../plan/claim-matching.ts';
import { bindStep } from './bind-step.ts';
import { pending } from './claim-outcome.ts';
import { type ClaimWorld, type ControlStep, consumersOf } from './claim-world.ts';
import { provisionStep } from './provision-step.ts';

export function unboundStep(claim: StoredPersistentVolumeClaim, world: ClaimWorld): ControlStep {
  const className = classOfClaim(claim);
  const defaultClass = className === undefined ? findDefaultClass(world.classes) : undefined;
  if (defaultClass !== undefined) {
    const spec = { ...claim.spec, storageClassName: defaultClass.metadata.name };
    return { kind: 'write', object: { ...claim, spec } };
  }
  const storageClass = className === undefined ? undefined : world.storageClass(className);
  const isDelayed = storageClass?.spec.volumeBindingMode === 'WaitForFirstConsumer';
  const match = world.bestVolumeFor({ claim, onlyReserved: isDelayed });
  if (match !== undefined) return bindStep(claim, match);
  if (isDelayed && !isNodeSelected(claim, world)) return delayed(claim, world);
  if (className === undefined || className === '') return unmatched(claim, world);
  return provisionStep(claim, className, storageClass, world);
}

/** For this node, by the scheduler: one chosen while the machine had another name is chosen anew. */
function isNodeSelected({ metadata }: StoredPersistentVolumeClaim, { nodes }: ClaimWorld): boolean {
  return metadata.annotations?.[annotations.selectedNode] === nodes.own.name;
}

function delayed(claim: StoredPersistentVolumeClaim, world: ClaimWorld): ControlStep {
  const pods = consumersOf(world, claim).map(({ metadata }) => metadata.name);
  return pods.length === 0
    ? pending(claim, 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
    : pending(claim, 'WaitForPodScheduled', `waiting for pod ${pods.join(', ')} to be scheduled`);
}

function unmatched(claim: StoredPersistentVolumeClaim, world: ClaimWorld): ControlStep {
  const unfit = world
    .volumesNaming(claim.metadata)
    .find((volume) => isClaimedBy(volume, claim) && hasOtherVolumeMode(claim, volume));
  if (unfit !== undefined) {
    const message = `Cannot bind PersistentVolume "${unfit.metadata.name}" to the claim due to incompatible volumeMode`;
    return pending(claim, 'VolumeMismatch', message);
  }
  const message = 'no persistent volumes available for this claim and no storage class is set';
  return pending(claim, 'FailedBinding', message);
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
