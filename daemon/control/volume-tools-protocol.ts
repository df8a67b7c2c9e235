/** What is done to volumes by hand, and what is in the trash: a part of protocol.ts. */

/** POST /v1/volumes */
export type VolumeRequest =
  | { readonly verb: 'undelete'; readonly name: string }
  | { readonly verb: 'release'; readonly name: string }
  | {
      readonly verb: 'adopt';
      /** The name of a volume, or the absolute path of an image. */
      readonly source: string;
      readonly claim: { readonly namespace: string; readonly name: string };
      readonly fsType?: string;
      readonly storageClass?: string;
    }
  /** False: only say what would be done. */
  | { readonly verb: 'recover'; readonly execute: boolean };

export interface VolumeReply {
  readonly results: readonly {
    readonly subject: string;
    readonly state: 'planned' | 'done' | 'kept';
    readonly message: string;
  }[];
}

/** GET /v1/get/trash: {"trash": […]}. */
export interface TrashView {
  /** Of the volume; undelete takes it. */
  readonly name: string;
  /** "namespace/name" of the claim or pod that it was made for. */
  readonly owner: string;
  readonly size: string;
  /** RFC 3339. */
  readonly deletedAt: string;
  /** RFC 3339; '' when nothing removes it but gc. */
  readonly keptUntil: string;
  readonly path: string;
}
