/** What lies below the root dir and in the directories of images, as it was found. Judging it is plan/orphans.ts. */

export interface InventoryEntry {
  readonly path: string;
  /** RFC 3339: the last change of the entry itself. */
  readonly changedAt: string;
}

/** An image, a sidecar, or both. */
export interface InventoryImage extends InventoryEntry {
  /** `alone`: there is a sidecar and no image. */
  readonly image: 'file' | 'alone';
  /** What the sidecar says, if it is one of ours. */
  readonly sidecar?: InventorySidecar;
}

export interface InventorySidecar {
  readonly volumeHandle: string;
  /** uid of the claim or pod that it was made for. */
  readonly ownerUid: string;
  /** "claim default/data", "pod default/web". */
  readonly owner: string;
  readonly driver: string;
  readonly sizeBytes: bigint;
  readonly claim?: { readonly namespace: string; readonly name: string; readonly uid: string };
  /** The volume that the image was provisioned as; read from a file, and not yet judged. */
  readonly persistentVolume?: { readonly name: unknown; readonly spec: unknown };
}

export interface InventoryLoop {
  readonly devicePath: string;
  readonly backing: { readonly device: bigint; readonly inode: bigint; readonly path: string };
}

export interface Inventory {
  /** `pods/<uid>` */
  readonly podDirectories: readonly InventoryEntry[];
  /** Mount points below `plugins/` that moored made and on which nothing is mounted. */
  readonly globalMounts: readonly InventoryEntry[];
  readonly images: readonly InventoryImage[];
  /** Sidecars that were being written when the daemon ended. */
  readonly temporaries: readonly InventoryEntry[];
  readonly trash: readonly InventoryImage[];
  readonly quarantine: readonly InventoryEntry[];
  /** Why the lists are shorter than what is there; empty when they are not. */
  readonly incomplete: readonly string[];
}
