import { lstatSync } from 'node:fs';
import type { InventoryEntry, InventoryImage, InventorySidecar } from '../world/inventory.ts';
import { ImageDirectory } from './image-directory.ts';
import { parseSidecar } from './image-sidecar.ts';
import type { InventoryWalk, WalkedDirectory } from './inventory-walk.ts';
import { fromNode } from './node-errno.ts';
import type { PathOpener } from './open-beneath.ts';

export const trashName = '.trash';
const snapshotsName = '.snapshots';
/** writeSidecar makes ".<image>.tmp" of a name that image-action.ts accepts. */
export const temporaryName = /^\.[A-Za-z0-9][\w.-]*\.tmp$/;
const legalName = /^[A-Za-z0-9][\w.-]*$/;
const longestSidecar = 64 * 1024;

export interface ImageInventory {
  readonly images: InventoryImage[];
  readonly temporaries: InventoryEntry[];
  readonly trash: InventoryImage[];
}

/** `<root>/<namespace>/*.img` with sidecars, `.trash` below each, and what an unfinished write left. */
export class ImageSearch {
  readonly found: ImageInventory = { images: [], temporaries: [], trash: [] };
  readonly #walk: InventoryWalk;
  readonly #opener: PathOpener;

  constructor(walk: InventoryWalk, opener: PathOpener) {
    this.#walk = walk;
    this.#opener = opener;
  }

  /** @param isOurs whether files without a sidecar are worth a word: in a directory of the user's they are not */
  search(root: string, isOurs: boolean): void {
    this.#walk.open(root, (top) => {
      for (const entry of this.#walk.entries(top)) {
        if (entry.isDirectory()) this.#walk.enter(top, entry.name, (directory) => this.#namespace(directory, isOurs));
      }
      this.#walk.enter(top, snapshotsName, (snapshots) => {
        for (const entry of this.#walk.entries(snapshots)) {
          if (entry.isDirectory())
            this.#walk.enter(snapshots, entry.name, (directory) => this.#namespace(directory, true));
        }
      });
    });
  }

  #namespace(directory: WalkedDirectory, isOurs: boolean): void {
    this.found.images.push(...this.#imagesIn(directory, isOurs));
    for (const entry of this.#walk.entries(directory)) {
      const path = `${directory.path}/${entry.name}`;
      if (entry.isFile() && temporaryName.test(entry.name)) {
        this.found.temporaries.push({ path, changedAt: changedAt(directory, entry.name) });
      }
    }
    this.#walk.enter(directory, trashName, (trash) => this.found.trash.push(...this.#imagesIn(trash, true)));
  }

  /** Each file that is no sidecar, and each sidecar of which the image is gone. */
  #imagesIn(directory: WalkedDirectory, isOurs: boolean): InventoryImage[] {
    const legal = this.#walk.entries(directory).filter(({ name }) => legalName.test(name));
    const names = new Set(legal.filter((entry) => entry.isFile()).map(({ name }) => name));
    // A directory is a volume's by its sidecar alone: others are somebody else's.
    const withSidecar = legal.filter((entry) => entry.isDirectory() && names.has(`${entry.name}.json`));
    for (const { name } of withSidecar) names.add(name);
    using opened = ImageDirectory.open(directory.path, this.#opener);
    return [...names].flatMap((name): InventoryImage[] => {
      const imageName = name.endsWith('.json') ? name.slice(0, -'.json'.length) : name;
      const isSidecar = imageName !== name;
      if (isSidecar && names.has(imageName)) return [];
      const sidecar = sidecarOf(opened, isSidecar ? name : `${name}.json`, names);
      if (sidecar === undefined && (isSidecar || !isOurs)) return [];
      return [
        {
          path: `${directory.path}/${imageName}`,
          changedAt: changedAt(directory, name),
          image: isSidecar ? 'alone' : 'file',
          ...(sidecar === undefined ? {} : { sidecar }),
        },
      ];
    });
  }
}

function sidecarOf(directory: ImageDirectory, name: string, names: ReadonlySet<string>): InventorySidecar | undefined {
  if (!names.has(name)) return undefined;
  const parsed = parseSidecar(directory.read(name, longestSidecar));
  if (parsed.kind !== 'ours') return undefined;
  const { volumeHandle, claim, pod, snapshot, driver, sizeBytes, persistentVolume } = parsed.sidecar;
  const owner = claim ?? pod ?? snapshot;
  const kind = claim !== undefined ? 'claim' : pod !== undefined ? 'pod' : 'snapshot';
  return {
    volumeHandle,
    ownerUid: owner?.uid ?? '',
    owner: owner === undefined ? 'nobody' : `${kind} ${owner.namespace}/${owner.name}`,
    ...{ driver, sizeBytes: BigInt(sizeBytes) },
    ...(claim === undefined ? {} : { claim }),
    // Read from a file, whatever its type says.
    ...(typeof persistentVolume === 'object' && persistentVolume !== null ? { persistentVolume } : {}),
  };
}

function changedAt({ fd }: WalkedDirectory, name: string): string {
  return fromNode(() => lstatSync(`/proc/self/fd/${fd}/${name}`)).ctime.toISOString();
}
