/** What moored and moorctl say of orphans: a part of protocol.ts. */

/** What is moored's and nobody's: no record, object or desired volume accounts for it. */
export interface OrphanView {
  readonly kind: string;
  /** Also its name for gc. */
  readonly path: string;
  /** RFC 3339; '' when nothing tells. */
  readonly since: string;
  readonly reason: string;
  /** What gc would do: `purge` cannot be taken back, `none` is never touched. */
  readonly action: 'quarantine' | 'detach' | 'trash' | 'purge' | 'none';
  /** Why gc leaves it alone now; '' when it would act. */
  readonly obstacle: string;
  /** Of an image, as its sidecar says. */
  readonly volumeHandle?: string;
}

/** GET /v1/orphans */
export interface OrphansReply {
  readonly orphans: readonly OrphanView[];
  /** Why gc would do nothing at all now, or ''. */
  readonly held: string;
  /** Directories that could not be looked at wholly. */
  readonly incomplete: readonly string[];
}

/** POST /v1/gc */
export interface GcRequest {
  /** Paths of orphans; ignored with `all`. */
  readonly names: readonly string[];
  readonly all: boolean;
  /** False: only say what would be done. */
  readonly execute: boolean;
  /** What is younger stays in trash and quarantine, milliseconds; 7 days when missing. */
  readonly olderThanMs?: number;
}

export interface GcReply {
  readonly held: string;
  readonly results: readonly {
    readonly path: string;
    readonly action: OrphanView['action'];
    readonly state: 'planned' | 'done' | 'kept';
    readonly message: string;
  }[];
  /** Names that are no orphans. */
  readonly unknown: readonly string[];
}
