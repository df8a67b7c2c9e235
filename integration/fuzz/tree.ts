/** A mapping of a manifest, before it is printed. */
export type Tree = Record<string, unknown>;
