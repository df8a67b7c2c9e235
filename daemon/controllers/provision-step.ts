/** A claim for which no volume is there: it is made, here or by another program (provisionClaim). Pure. */
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { StoredStorageClass } from '../api/storage-class.ts';
import { annotations } from '../api/well-known.ts';
import { matchesTopology } from '../plan/node-affinity.ts';
import { pending, unimplemented } from './claim-outcome.ts';
import type { ClaimWorld, ControlStep } from './claim-world.ts';
import { dataSourceObstacle } from './data-source-step.ts';

export function provisionStep(
  claim: StoredPersistentVolumeClaim,
  className: string,
  storageClass: StoredStorageClass | undefined,
  world: ClaimWorld,
): ControlStep {
  if (storageClass === undefined) {
    return pending(claim, 'ProvisioningFailed', `storageclass.storage.k8s.io "${className}" not found`);
  }
  const { provisioner } = storageClass.spec;
  if (provisioner === 'kubernetes.io/no-provisioner') {
    const message = `no persistent volume fits, and class "${className}" provisions none`;
    return pending(claim, 'FailedBinding', message);
  }
  const isOurs = world.canProvision(provisioner);
  if (provisioner.startsWith('kubernetes.io/') && !isOurs) {
    return unimplemented(claim, `no volume plugin matched name: ${provisioner}`);
  }
  if (isOurs && claim.spec.selector !== undefined) {
    return unimplemented(
      claim,
      'claim.spec.selector is not supported: labels cannot be promised of a volume to be made',
    );
  }
  const { own } = world.nodes;
  if (isOurs && !matchesTopology(storageClass.spec.allowedTopologies, own.labels)) {
    const message = `class "${className}" allows no volumes where node "${own.name}" is: allowedTopologies`;
    return pending(claim, 'ProvisioningFailed', message);
  }
  const { [annotations.storageProvisioner]: ga, [annotations.betaStorageProvisioner]: beta } =
    claim.metadata.annotations ?? {};
  // Both keys, before anything is made: external provisioners of either age look for them.
  if (ga !== provisioner || beta !== provisioner) return provisionerMark(claim, provisioner);
  if (isOurs) {
    const obstacle = dataSourceObstacle(claim, storageClass, world);
    return obstacle === undefined
      ? { kind: 'provision', claim, storageClass }
      : pending(claim, obstacle.reason, obstacle.message, obstacle.error);
  }
  const message = `waiting for a volume to be created by the external provisioner "${provisioner}"`;
  return pending(claim, 'ExternalProvisioning', message);
}

function provisionerMark(claim: StoredPersistentVolumeClaim, provisioner: string): ControlStep {
  const marks = {
    [annotations.storageProvisioner]: provisioner,
    [annotations.betaStorageProvisioner]: provisioner,
  };
  const metadata = { ...claim.metadata, annotations: { ...claim.metadata.annotations, ...marks } };
  return { kind: 'write', object: { ...claim, metadata, status: { phase: 'Pending' } } };
}
