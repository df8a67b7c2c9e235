import { type Secret, type SecretReference, sameSecret } from '../api/secret.ts';
import type { ManifestListing } from '../ports/manifest-source.ts';
import type { Secrets } from '../ports/secrets.ts';

/** Secrets as of the last listing. Of two files that declare one, the file name that sorts first. */
export class ManifestSecrets implements Secrets {
  #secrets: ReadonlyMap<string, Secret> = new Map();
  readonly #revisions = new Map<string, number>();

  take(listing: ManifestListing): void {
    const before = this.#secrets;
    const now = new Map<string, Secret>();
    for (const { secrets = [] } of [...listing.files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      for (const secret of secrets) if (!now.has(keyOf(secret))) now.set(keyOf(secret), secret);
    }
    for (const key of new Set([...before.keys(), ...now.keys()])) {
      const [old, fresh] = [before.get(key), now.get(key)];
      const isSame = old !== undefined && fresh !== undefined && sameSecret(old, fresh);
      if (!isSame) this.#revisions.set(key, (this.#revisions.get(key) ?? 0) + 1);
    }
    this.#secrets = now;
  }

  get(reference: SecretReference): Secret | undefined {
    return this.#secrets.get(keyOf(reference));
  }

  revisionOf(reference: SecretReference): number {
    return this.#revisions.get(keyOf(reference)) ?? 0;
  }
}

function keyOf({ namespace, name }: SecretReference): string {
  return `${namespace}/${name}`;
}
