import type { Inventory } from '../../world/inventory.ts';
import { StorageError } from '../../world/storage-error.ts';
import type { StorageInventory } from '../storage-inventory.ts';

/** An inventory that a test fills; what is put away leaves the lists, and a path can be told to refuse. */
export class FakeStorageInventory implements StorageInventory {
  readonly log: string[] = [];
  readonly refusing = new Set<string>();
  content: Inventory = {
    podDirectories: [],
    globalMounts: [],
    images: [],
    temporaries: [],
    trash: [],
    quarantine: [],
    incomplete: [],
  };

  list(imageDirectories: readonly string[]): Inventory {
    this.log.push(`list ${imageDirectories.join(' ')}`);
    return this.content;
  }

  quarantine(path: string, name: string): string {
    this.#do(`quarantine ${path} ${name}`, path);
    return `/quarantine/${name}`;
  }

  unlinkTemporary(path: string): void {
    this.#do(`unlinkTemporary ${path}`, path);
  }

  unlinkTrashed(path: string): void {
    this.#do(`unlinkTrashed ${path}`, path);
  }

  #do(effect: string, path: string): void {
    if (this.refusing.has(path))
      throw new StorageError(`Cannot touch "${path}": EBUSY`, { code: 'Busy', target: path });
    this.log.push(effect);
    const without = <T extends { readonly path: string }>(entries: readonly T[]) =>
      entries.filter((entry) => entry.path !== path);
    const { podDirectories, temporaries, trash, quarantine } = this.content;
    this.content = {
      ...this.content,
      podDirectories: without(podDirectories),
      temporaries: without(temporaries),
      trash: without(trash),
      quarantine: without(quarantine),
    };
  }
}
