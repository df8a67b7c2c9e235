import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { annotations, finalizers } from '../api/well-known.ts';
import type { ProvisionedVolume } from '../ports/volume-plugin.ts';

interface Birth {
  readonly uid: string;
  /** RFC 3339. */
  readonly now: string;
  readonly provisioner: string;
  /** Beside those that every provisioned volume has. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The object of a provisioned volume, already reserved for its claim by uid (upstream: provisionClaimOperation). */
export function newPersistentVolume(
  claim: StoredPersistentVolumeClaim,
  { volumeName, spec }: ProvisionedVolume,
  birth: Birth,
): StoredPersistentVolume {
  const { namespace, name, uid } = claim.metadata;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: volumeName,
      namespace: '',
      uid: birth.uid,
      resourceVersion: '0',
      generation: 1,
      creationTimestamp: birth.now,
      finalizers: [
        finalizers.pvProtection,
        ...(spec.persistentVolumeReclaimPolicy === 'Delete' ? [finalizers.externalProvisioner] : []),
      ],
      annotations: {
        ...birth.annotations,
        [annotations.provisionedBy]: birth.provisioner,
        [annotations.boundByController]: 'yes',
      },
    },
    spec: { ...spec, claimRef: { namespace, name, uid } },
    status: { phase: 'Pending' },
  };
}
