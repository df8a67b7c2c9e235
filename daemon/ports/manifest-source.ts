import type { DeclaredObject } from '../api/object.ts';
import type { Secret } from '../api/secret.ts';

/** A reason why a manifest, or a part of it, was not taken. */
export interface ManifestProblem {
  readonly file: string;
  /** Index of the document in the file, from 1; undefined when the whole file is meant. */
  readonly document?: number;
  /** 1-based line in the file, where known. */
  readonly line?: number;
  /** Path inside the document, e.g. "spec.volumes[0].emptyDir.medium". */
  readonly path?: string;
  readonly message: string;
}

export interface IgnoredDocument {
  readonly document: number;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
}

export interface ManifestFile {
  /** File name inside the manifest directory. */
  readonly name: string;
  /** `good`: taken whole; `bad`: refused whole, `objects` are those of the last good version if there was one. */
  readonly state: 'good' | 'bad';
  readonly objects: readonly DeclaredObject[];
  /** Secrets are no objects of the store: they stay in memory, and out of every view. Of a bad file the last good ones. */
  readonly secrets?: readonly Secret[];
  readonly ignored: readonly IgnoredDocument[];
  readonly problems: readonly ManifestProblem[];
  /** Of a good file: what in it is not believed. Missing when there is nothing to say. */
  readonly warnings?: readonly ManifestProblem[];
  /**
   * Of a bad file that could be read: every word in it that may be an object's name, sorted. What is named there may be
   * declared there.
   */
  readonly words?: readonly string[];
}

/** One complete look at the manifest directory. */
export interface ManifestListing {
  readonly files: readonly ManifestFile[];
  /** dev:ino of the directory, to notice that another one lies there now. */
  readonly directoryId: string;
}

/** A listing, or why there is none: an unreadable or untrusted directory is not an empty one. */
export type ManifestState =
  | { readonly kind: 'listing'; readonly listing: ManifestListing }
  | { readonly kind: 'unreadable'; readonly problem: ManifestProblem };

export interface ManifestSource {
  /** Starts watching; the listener gets the first complete state, and each later one that differs. */
  start(listener: (state: ManifestState) => void): Promise<void>;
  stop(): Promise<void>;
}
