import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { formatBytes } from '../api/quantity.ts';
import { annotations } from '../api/well-known.ts';
import { classOfClaim } from '../plan/claim-matching.ts';
import { type Birth, born } from './object-birth.ts';

export interface AdoptRequest {
  /** The name of a volume, or the absolute path of an image. */
  readonly source: string;
  readonly claim: { readonly namespace: string; readonly name: string };
  /** Of an image: what is on it; ext4 when missing. It is never formatted unless it is proven blank. */
  readonly fsType?: string;
  /** Of an image, while the claim does not exist yet; '' when missing. */
  readonly storageClass?: string;
}

/** The volume as a claim of that namespace and name has it, whatever uid it will have. */
export function reservedFor(volume: StoredPersistentVolume, claim: AdoptRequest['claim']): StoredPersistentVolume {
  const { [annotations.boundByController]: _, ...notes } = volume.metadata.annotations ?? {};
  return {
    ...volume,
    metadata: { ...volume.metadata, annotations: notes },
    spec: { ...volume.spec, claimRef: { namespace: claim.namespace, name: claim.name } },
    status: { phase: 'Available' },
  };
}

/** A static volume on an image of somebody else's: used as it is, and never deleted. */
export function adoptedVolume(
  { source, claim, fsType = 'ext4', storageClass }: AdoptRequest,
  image: { readonly sizeBytes: bigint; readonly claim: StoredPersistentVolumeClaim | undefined },
  birth: Birth,
): StoredPersistentVolume {
  const wanted = image.claim;
  const name = `adopted-${birth.uid}`;
  const className = wanted === undefined ? storageClass : classOfClaim(wanted);
  const volume = born(
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name, namespace: '' },
      spec: {
        capacity: { storage: formatBytes(image.sizeBytes) },
        accessModes: wanted?.spec.accessModes ?? ['ReadWriteOnce'],
        volumeMode: wanted?.spec.volumeMode ?? 'Filesystem',
        persistentVolumeReclaimPolicy: 'Retain',
        ...(className === undefined || className === '' ? {} : { storageClassName: className }),
        csi: { driver: 'loop.moored.dev', volumeHandle: name, fsType, volumeAttributes: { path: source } },
      },
    } as const,
    birth,
  );
  return reservedFor(volume, claim);
}
