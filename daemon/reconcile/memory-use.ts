import { memoryRefusal, type Share } from '../plan/pool-capacity.ts';
import type { ActualStateOfWorld } from '../world/actual-state-of-world.ts';
import { StorageError } from '../world/storage-error.ts';

export interface MemoryLimit {
  readonly limit: Share;
  /** Of this machine. */
  readonly memoryBytes: bigint;
}

/** What all tmpfs together have of the memory (emptyDir with medium Memory). */
export class MemoryUse {
  readonly #asw: Pick<ActualStateOfWorld, 'volumes'>;
  readonly #limit: MemoryLimit;
  /** Targets of which the mount is being made. */
  readonly #admitted = new Map<string, bigint>();

  constructor(asw: Pick<ActualStateOfWorld, 'volumes'>, limit: MemoryLimit) {
    this.#asw = asw;
    this.#limit = limit;
  }

  /** Throws ResourceExhausted with the figures. */
  admit(target: string, size: bigint | undefined): void {
    const { limit, memoryBytes: memory } = this.#limit;
    const asked = sizeOf(size, memory);
    const cause = memoryRefusal(limit, { asked, promised: this.#promisedBeside(target, memory), memory });
    if (cause !== undefined) {
      throw new StorageError(`Cannot mount tmpfs at "${target}": ${cause}`, {
        code: 'ResourceExhausted',
        target,
        hint: 'a smaller sizeLimit, fewer of them, or a larger memory.limit in moored.yaml',
      });
    }
    this.#admitted.set(target, asked);
  }

  /** It could not be mounted. */
  release(target: string): void {
    this.#admitted.delete(target);
  }

  /** What is mounted, and what was admitted and may be by now. What is only asked for has nothing. */
  #promisedBeside(target: string, memory: bigint): bigint {
    const sizes = new Map<string, bigint>();
    const targets = new Set<string>();
    for (const { record, podStates } of this.#asw.volumes.values()) {
      for (const [uid, { mount, targetPath }] of Object.entries(record.pods)) {
        if (mount.kind !== 'tmpfs') continue;
        targets.add(targetPath);
        if (podStates.get(uid) === 'VolumeMounted') sizes.set(targetPath, sizeOf(mount.sizeBytes, memory));
      }
    }
    for (const [path, size] of this.#admitted) {
      if (targets.has(path)) sizes.set(path, size);
      else this.#admitted.delete(path);
    }
    sizes.delete(target);
    return [...sizes.values()].reduce((sum, size) => sum + size, 0n);
  }
}

/** tmpfs(5): half of the physical RAM unless a size is given. */
function sizeOf(size: bigint | string | undefined, memory: bigint): bigint {
  return size === undefined ? memory / 2n : BigInt(size);
}
