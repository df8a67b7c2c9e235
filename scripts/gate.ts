export type GateResult =
  | { readonly state: 'passed'; readonly detail?: string }
  | { readonly state: 'skipped'; readonly detail: string }
  | { readonly state: 'failed'; readonly detail: string };

/** One check of the project: a tool with its arguments, or a script of ours. */
export interface Gate {
  readonly name: string;
  readonly says: string;
  readonly run: () => Promise<GateResult>;
}
