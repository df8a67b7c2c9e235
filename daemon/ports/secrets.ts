import type { Secret, SecretReference } from '../api/secret.ts';

/** The Secrets that manifests declare now: in memory only, never in the state dir. */
export interface Secrets {
  /** undefined: no manifest that was understood declares it. */
  get(reference: SecretReference): Secret | undefined;
  /** Rises when the Secret comes, changes or goes: what failed with the old one is tried again at once. */
  revisionOf(reference: SecretReference): number;
}
