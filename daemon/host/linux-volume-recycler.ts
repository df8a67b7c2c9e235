import { constants } from 'node:fs';
import type { VolumeRecycler } from '../ports/volume-recycler.ts';
import { DirectoryTreeRemoval } from './directory-tree-removal.ts';
import type { KernelFeatures } from './kernel-features.ts';
import { openat2Opener, openatOpener, type PathOpener } from './open-beneath.ts';
import { storageErrorFromErrno } from './storage-error-from-errno.ts';
import { treeError } from './tree-error.ts';

/** The tree removal of emptyDir on a directory of the user's, of which the top stays. */
export class LinuxVolumeRecycler implements VolumeRecycler {
  readonly #opener: PathOpener;

  constructor(features: Pick<KernelFeatures, 'openat2'>) {
    this.#opener = features.openat2 ? openat2Opener : openatOpener;
  }

  async empty(path: string, signal: AbortSignal): Promise<void> {
    const removal = new DirectoryTreeRemoval(this.#open(path), this.#opener);
    try {
      await removal.run(signal);
    } catch (thrown) {
      throw treeError(`${path}/${removal.place}`, thrown, signal);
    }
  }

  #open(path: string): number {
    try {
      return this.#opener.open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    } catch (thrown) {
      throw storageErrorFromErrno(thrown, `Cannot empty "${path}"`, { target: path });
    }
  }
}
