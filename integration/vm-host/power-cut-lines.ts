/** What a guest says in a round of the power cut test, a JSON object a line. */

export interface VolumeFact {
  readonly round: number;
  readonly uuid: string;
  readonly fsType: string;
  /** Of its data; undefined when there is none. */
  readonly sha256: string | undefined;
}

export interface Observed {
  readonly kind: 'observed';
  /** Of every pod that is declared: all of them are mounted. */
  readonly volumes: readonly VolumeFact[];
  /** The claim of each image that is not in the trash. */
  readonly claims: readonly string[];
  readonly attachedTwice: readonly string[];
  readonly stacked: readonly string[];
  readonly trash: readonly string[];
  readonly torn: readonly string[];
}

export type RoundLine =
  | Observed
  | { readonly kind: 'applied' | 'removed' }
  | { readonly kind: 'acknowledged'; readonly volume: VolumeFact };
