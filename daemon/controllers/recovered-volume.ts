/**
 * The PersistentVolume of an image whose object is lost or was deleted, by the record in its sidecar. Only what that record
 * proves: it is judged as a manifest is, and must agree with the image. Pure.
 */
import { decodeDocument } from '../api/decode.ts';
import { localProvisioner } from '../api/local-provisioner.ts';
import type { PersistentVolume, PersistentVolumeSpec, StoredPersistentVolume } from '../api/persistent-volume.ts';
import { bytesOf, formatBytes, parseQuantity } from '../api/quantity.ts';
import { annotations } from '../api/well-known.ts';
import type { InventorySidecar } from '../world/inventory.ts';
import { type Birth, born } from './object-birth.ts';

export interface FoundImage {
  /** Where the image is, or will be once it is out of the trash. */
  readonly path: string;
  /** Length of the file. */
  readonly sizeBytes: bigint;
  readonly sidecar: InventorySidecar | undefined;
}

export type Recovered =
  | { readonly kind: 'volume'; readonly volume: StoredPersistentVolume }
  | { readonly kind: 'refused'; readonly reason: string };

/** Released, kept, and reserved for nobody but a claim of the namespace and name that it had. */
export function recoveredVolume({ path, sizeBytes, sidecar }: FoundImage, birth: Birth): Recovered {
  if (sidecar === undefined) return refused('it has no sidecar of moored');
  const { claim, driver, volumeHandle } = sidecar;
  if (claim === undefined) return refused('it was not made for a claim');
  const declared = recordedVolume(sidecar, claim);
  if (typeof declared === 'string') return refused(declared);
  const { metadata, spec } = declared;
  const source = sourceAt(path, spec, sidecar);
  if (source === undefined || metadata.name !== volumeHandle) {
    return refused('the volume in its sidecar is another one');
  }
  if (sizeBytes < sidecar.sizeBytes) {
    return refused(`it has ${sizeBytes} bytes, and its sidecar says ${sidecar.sizeBytes}: something is missing`);
  }
  const limits = spec.local === undefined ? {} : { [annotations.capacity]: 'not-enforced' };
  const notes = { ...limits, [annotations.provisionedBy]: driver, [annotations.boundByController]: 'yes' };
  const restored: PersistentVolumeSpec = {
    ...spec,
    // It may have grown since, and lie elsewhere.
    capacity: { storage: capacityOf(spec, sidecar.sizeBytes) },
    ...source,
    persistentVolumeReclaimPolicy: 'Retain',
    claimRef: { namespace: claim.namespace, name: claim.name, uid: String(claim.uid) },
  };
  const object = born({ ...declared, metadata: { ...metadata, annotations: notes }, spec: restored }, birth);
  return { kind: 'volume', volume: { ...object, status: { phase: 'Released' } } };
}

/** The source as it was, at the place where the data is; undefined when it is not of the sidecar's driver. */
function sourceAt(
  path: string,
  { csi, local }: PersistentVolumeSpec,
  { driver, volumeHandle }: InventorySidecar,
): Pick<PersistentVolumeSpec, 'csi' | 'local'> | undefined {
  if (local !== undefined) return driver === localProvisioner ? { local: { ...local, path } } : undefined;
  if (csi?.driver !== driver || csi.volumeHandle !== volumeHandle) return undefined;
  return { csi: { ...csi, volumeAttributes: { ...csi.volumeAttributes, path } } };
}

/** The volume that the sidecar says, judged as a manifest is; or why it is none. */
function recordedVolume(
  { persistentVolume: record }: InventorySidecar,
  claim: NonNullable<InventorySidecar['claim']>,
): PersistentVolume | string {
  if (record === undefined) return 'its sidecar does not say what volume it was: use moorctl adopt';
  const [decoded] = decodeDocument({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: record.name },
    // The claim is judged with it.
    spec: { ...(typeof record.spec === 'object' ? record.spec : {}), claimRef: { ...claim } },
  });
  if (decoded?.outcome === 'object' && decoded.object.kind === 'PersistentVolume') return decoded.object;
  const [problem] = decoded?.outcome === 'invalid' ? decoded.problems : [];
  return `the volume in its sidecar is not legal: ${problem?.path ?? ''}: ${problem?.message ?? ''}`;
}

function capacityOf({ capacity }: PersistentVolumeSpec, sizeBytes: bigint): string {
  return bytesOf(parseQuantity(capacity.storage)) === sizeBytes ? capacity.storage : formatBytes(sizeBytes);
}

function refused(reason: string): Recovered {
  return { kind: 'refused', reason };
}
