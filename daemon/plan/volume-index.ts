/**
 * The volumes, so that the best for a claim is found without looking at each: free ones by what must be equal (class,
 * volumeMode, attributes class), then by their set of access modes, within a set by capacity and name; the others by the
 * claim that they name. As upstream's persistentVolumeOrderedIndex (index.go), kept instead of built for each claim.
 *
 * n claims and n volumes: O(n log n) comparisons, as long as selectors do not reject most volumes of a size.
 */

import { dataSourceOf } from '../api/claim-data-source.ts';
import { selects } from '../api/label-selection.ts';
import type { AccessMode, ClaimName, StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPersistentVolumeClaim } from '../api/persistent-volume-claim.ts';
import { parseQuantity } from '../api/quantity.ts';
import { annotations } from '../api/well-known.ts';
import {
  attributesClassOf,
  classOfClaim,
  classOfVolume,
  isClaimedBy,
  mismatch,
  modeOf,
  reservationMismatch,
} from './claim-matching.ts';
import { compareSized, type Sized, SizedVolumes, sized } from './sized-volumes.ts';

export interface VolumeRequest {
  readonly claim: StoredPersistentVolumeClaim;
  /** Only what is reserved for the claim already: it waits for its first consumer (upstream: delayBinding). */
  readonly onlyReserved: boolean;
  /** What else a volume must satisfy, such as the affinity to a node. */
  readonly accepts?: (volume: StoredPersistentVolume) => boolean;
}

/** Free volumes of one set of access modes. */
interface ModeSet {
  readonly accessModes: readonly AccessMode[];
  readonly volumes: SizedVolumes;
}

export class VolumeIndex {
  readonly #volumes = new Map<string, StoredPersistentVolume>();
  readonly #byClaim = new Map<string, Set<string>>();
  readonly #free = new Map<string, Map<string, ModeSet>>();

  set(volume: StoredPersistentVolume): void {
    this.remove(volume.metadata.name);
    this.#volumes.set(volume.metadata.name, volume);
    const { claimRef } = volume.spec;
    if (claimRef !== undefined) {
      const key = claimKey(claimRef);
      const known = this.#byClaim.get(key);
      if (known === undefined) this.#byClaim.set(key, new Set([volume.metadata.name]));
      else known.add(volume.metadata.name);
    } else if (isFree(volume)) this.#modeSet(volume).volumes.add(volume);
  }

  remove(name: string): void {
    const volume = this.#volumes.get(name);
    if (volume === undefined) return;
    this.#volumes.delete(name);
    if (volume.spec.claimRef !== undefined) this.#byClaim.get(claimKey(volume.spec.claimRef))?.delete(name);
    else if (isFree(volume)) this.#modeSet(volume).volumes.delete(volume);
  }

  /** Volumes whose claimRef has this namespace and name, whatever its uid. */
  naming(claim: ClaimName): readonly StoredPersistentVolume[] {
    const names = this.#byClaim.get(claimKey(claim)) ?? [];
    return [...names].flatMap((name) => this.#volumes.get(name) ?? []);
  }

  /**
   * The volume to bind: one that is reserved for this claim, before phase, selector and class; else one that was this
   * claim's before and kept its data; else of the volumes with the fewest access modes the smallest. Ties go to the
   * name that sorts first, where upstream's order is by chance.
   */
  bestFor(request: VolumeRequest): StoredPersistentVolume | undefined {
    const { claim, onlyReserved, accepts = () => true } = request;
    const naming = this.naming(claim.metadata);
    const reserved = smallest(
      naming.filter((volume) => isClaimedBy(volume, claim) && reservationMismatch(claim, volume) === undefined),
    );
    // Reserved and out of reach is no reason to take another one.
    if (reserved !== undefined) return accepts(reserved) ? reserved : undefined;
    const fits = (volume: StoredPersistentVolume) =>
      selects(claim.spec.selector, volume.metadata.labels) && accepts(volume);
    const retained = smallest(naming.filter((volume) => isRetainedFor(volume, claim) && fits(volume)));
    // A free volume has not the data of a dataSource; the one that is made of it is reserved for the claim.
    const isMade = onlyReserved || dataSourceOf(claim.spec) !== undefined;
    return retained ?? (isMade ? undefined : this.#smallestFree(claim, fits));
  }

  #smallestFree(
    claim: StoredPersistentVolumeClaim,
    fits: (volume: StoredPersistentVolume) => boolean,
  ): StoredPersistentVolume | undefined {
    const { milli } = parseQuantity(claim.spec.resources.requests.storage);
    const wanted = claim.spec.accessModes;
    const sets = [...(this.#free.get(groupKey(claim, classOfClaim(claim) ?? ''))?.values() ?? [])]
      .filter(({ accessModes }) => wanted.every((mode) => accessModes.includes(mode)))
      .sort((a, b) => a.accessModes.length - b.accessModes.length);
    let best: Sized | undefined;
    let modes = Number.POSITIVE_INFINITY;
    for (const { accessModes, volumes } of sets) {
      if (best !== undefined && accessModes.length > modes) break;
      const found = volumes.smallest(milli, fits);
      if (found === undefined || (best !== undefined && compareSized(best, found) < 0)) continue;
      best = found;
      modes = accessModes.length;
    }
    return best?.volume;
  }

  #modeSet(volume: StoredPersistentVolume): ModeSet {
    const key = groupKey(volume, classOfVolume(volume));
    const group = this.#free.get(key) ?? new Map<string, ModeSet>();
    this.#free.set(key, group);
    const accessModes = [...new Set(volume.spec.accessModes)].sort();
    const modesKey = accessModes.join();
    const set = group.get(modesKey) ?? { accessModes, volumes: new SizedVolumes() };
    group.set(modesKey, set);
    return set;
  }
}

/** Phase Available and nobody's: Pending, Released and Failed volumes do not match. */
export function isFree({ metadata, spec, status }: StoredPersistentVolume): boolean {
  return spec.claimRef === undefined && status?.phase === 'Available' && metadata.deletionTimestamp === undefined;
}

/**
 * A volume that moored provisioned for a claim of this very namespace and name, whose data was retained: the claim, used
 * again, finds its data again. Upstream leaves such a volume to the administrator; here whoever writes the manifest is it.
 */
function isRetainedFor(volume: StoredPersistentVolume, claim: StoredPersistentVolumeClaim): boolean {
  return (
    volume.status?.phase === 'Released' &&
    volume.spec.persistentVolumeReclaimPolicy === 'Retain' &&
    volume.metadata.annotations?.[annotations.provisionedBy] !== undefined &&
    mismatch(claim, volume) === undefined
  );
}

function groupKey(object: StoredPersistentVolumeClaim | StoredPersistentVolume, className: string): string {
  return JSON.stringify([className, modeOf(object), attributesClassOf(object)]);
}

function claimKey({ namespace, name }: ClaimName): string {
  return `${namespace}/${name}`;
}

function smallest(volumes: readonly StoredPersistentVolume[]): StoredPersistentVolume | undefined {
  return volumes.map(sized).sort(compareSized)[0]?.volume;
}
