import type { StoredPersistentVolume } from '../api/persistent-volume.ts';
import type { StoredPod } from '../api/pod.ts';
import type { ResolvedVolume, VolumePlugin } from '../ports/volume-plugin.ts';

/** What a pod's volume came down to. */
export interface Resolution {
  readonly plugin: VolumePlugin;
  readonly resolved: ResolvedVolume;
  /** The PersistentVolume that it was made of; undefined for an inline volume. */
  readonly source: StoredPersistentVolume | undefined;
}

/**
 * Resolutions of before: a stored object never changes, it is replaced. Beside the work this saves the comparison of
 * recipes in each pass, which are then the same object as in the actual state of world.
 */
export class ResolutionMemory {
  readonly #byPod = new WeakMap<StoredPod, Map<string, Resolution>>();

  /** @param name of the volume in the pod */
  get(pod: StoredPod, name: string, source: StoredPersistentVolume | undefined): Resolution | undefined {
    const known = this.#byPod.get(pod)?.get(name);
    return known?.source === source ? known : undefined;
  }

  set(pod: StoredPod, name: string, resolution: Resolution): void {
    const known = this.#byPod.get(pod);
    if (known === undefined) this.#byPod.set(pod, new Map([[name, resolution]]));
    else known.set(name, resolution);
  }
}
