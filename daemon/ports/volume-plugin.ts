import type { PersistentVolumeSpec, StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import type { Volume } from '../api/pod.ts';
import type { StorageClassSpec, StoredStorageClass } from '../api/storage-class.ts';
import type { DiskLayout } from '../world/disk-layout.ts';
import type { UniqueVolumeName } from '../world/unique-volume-name.ts';
import type { PodMount, VolumeRecipe } from '../world/volume-recipe.ts';
import type { PodReference } from '../world/volume-record.ts';
import type { ImageSidecar } from './images.ts';

/** Where a pod's volume comes from: its own entry in spec.volumes, or the volume bound to its claim. */
export type VolumeSpec =
  | { readonly kind: 'inline'; readonly pod: PodReference; readonly volume: Volume }
  | {
      readonly kind: 'persistentVolume';
      readonly pod: PodReference;
      readonly volume: StoredPersistentVolume;
      /** persistentVolumeClaim.readOnly of the pod's volume. */
      readonly readOnly: boolean;
    };

/** What one pod's use of one volume comes down to. Two specs of one volume give the same name and an equal recipe. */
export interface ResolvedVolume {
  readonly name: UniqueVolumeName;
  readonly specName: string;
  readonly recipe: VolumeRecipe;
  readonly targetPath: string;
  readonly mount: PodMount;
}

/** A new volume as a provisioner wants it: an image or directory to be made, and the object that will describe it. */
export interface ProvisionedVolume {
  readonly image: { readonly path: string; readonly sidecar: ImageSidecar };
  /** Name `pvc-<claim uid>`: the same claim always gives the same volume (upstream: GetProvisionedVolumeNameForClaim). */
  readonly volumeName: string;
  readonly spec: PersistentVolumeSpec;
  /** False where nothing keeps what is written from being more than the capacity. */
  readonly isCapacityEnforced?: boolean;
}

/** Where the data of a provisioned volume is, and the identity that its sidecar has. */
export interface ProvisionedImage {
  readonly path: string;
  readonly volumeHandle: string;
}

export interface ProvisionRequest {
  readonly claim: StoredPersistentVolumeClaim;
  readonly storageClass: StoredStorageClass;
  /** RFC 3339, for the sidecar. */
  readonly now: string;
  /** Label kubernetes.io/hostname of this node. */
  readonly hostname: string;
}

/** An image that a copy can be made of. */
export interface VolumeSource {
  readonly name: UniqueVolumeName;
  readonly imagePath: string;
  readonly volumeHandle: string;
  /** '' of a Block volume. */
  readonly fsType: string;
  /** Whether moored made it. */
  readonly isOwned: boolean;
}

/** What a plugin says of snapshots, which are copies of images: where they are, and how they are to be taken. Pure. */
export interface SnapshotSupport {
  /** @throws StorageError (final) when there is no image */
  sourceOf(volume: StoredPersistentVolume, layout: DiskLayout): VolumeSource;
  /** The same snapshot always gets the same handle. */
  newHandle(
    snapshot: { readonly namespace: string; readonly name: string; readonly uid: string },
    source: VolumeSource,
    layout: DiskLayout,
  ): string;
  pathOf(handle: string, layout: DiskLayout): string;
  /** What the parameters of a snapshot class say, or the defaults. */
  optionsOf(parameters: Readonly<Record<string, string>>): { readonly limitMs: number; readonly isFrozen: boolean };
}

/**
 * A volume plugin says what to attach, format and mount, as values; it has no effects and no state. All methods throw
 * StorageError (final) for what can never work as written.
 */
export interface VolumePlugin {
  /** Shown as `plugin`, e.g. "loop.moored.dev", "kubernetes.io/empty-dir". */
  readonly name: string;
  /** Exactly one plugin may support a spec. */
  canSupport(spec: VolumeSpec): boolean;
  resolve(spec: VolumeSpec, layout: DiskLayout): ResolvedVolume;
  /** Present when a StorageClass may name this plugin as its provisioner. */
  provision?(request: ProvisionRequest, layout: DiskLayout): ProvisionedVolume;
  /** Where `provision` puts the images of a class. */
  provisionDirectory?(storageClass: StorageClassSpec, layout: DiskLayout): string;
  /** Present when snapshots can be taken of its volumes, and volumes be made of those. */
  readonly snapshots?: SnapshotSupport;
  /** The image or directory behind a volume that this plugin provisioned; undefined when it provisioned none such. */
  provisionedImage?(volume: StoredPersistentVolume): ProvisionedImage | undefined;
}
