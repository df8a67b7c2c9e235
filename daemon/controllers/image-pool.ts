/** What is promised to images, by filesystem, and whether more can be: limits of moored.yaml against what is there. */
import { type Pool, type PoolLimits, poolRefusal, poolRoom, shareOf } from '../plan/pool-capacity.ts';
import type { FilesystemSpace, Images } from '../ports/images.ts';
import { StorageError } from '../world/storage-error.ts';

export interface ImagePoolOptions {
  readonly limits: PoolLimits;
  readonly images: Pick<Images, 'space'>;
  /** The size of each image that is or will be written, by its path: as objects and the actual state of world have it. */
  readonly promises: () => ReadonlyMap<string, bigint>;
  /** Names the filesystem that a path lies on, by the mount table. */
  readonly filesystemOf: (path: string) => string | undefined;
}

export interface RoomRequest {
  /** For the message: "create", "grow", "copy to". */
  readonly verb: string;
  readonly path: string;
  readonly sizeBytes: bigint;
  readonly newBytes: bigint;
}

export class ImagePool {
  readonly #options: ImagePoolOptions;
  /** Of what was admitted and no object tells of yet: claims that wait for one write of the state are served in one turn. */
  readonly #admitted = new Map<string, bigint>();

  constructor(options: ImagePoolOptions) {
    this.#options = options;
  }

  /** Promises an image its size, or throws ResourceExhausted with the figures. */
  admit({ verb, path, sizeBytes, newBytes }: RoomRequest): void {
    const directory = parentOf(path);
    const pool = this.#poolOf(directory, path);
    const cause = pool && poolRefusal(this.#options.limits, { sizeBytes, newBytes }, pool);
    if (cause !== undefined) {
      throw new StorageError(`Cannot ${verb} image "${path}": ${cause}, on "${directory}"`, {
        code: 'ResourceExhausted',
        source: path,
        hint: 'free some space, or change pool in moored.yaml',
      });
    }
    this.#admitted.set(path, sizeBytes);
  }

  /** The image is not there, or not written any more. */
  release(path: string): void {
    this.#admitted.delete(path);
  }

  /** Of a filesystem, with what may still be promised of it as its free bytes. */
  space(directory: string): FilesystemSpace | undefined {
    const pool = this.#poolOf(directory);
    return pool && { sizeBytes: pool.sizeBytes, freeBytes: poolRoom(this.#options.limits, pool) };
  }

  reserveAt(directory: string): bigint {
    return shareOf(this.#options.limits.reserve, this.#nearestSpace(directory)?.sizeBytes ?? 0n);
  }

  #poolOf(directory: string, without?: string): Pool | undefined {
    const space = this.#nearestSpace(directory);
    return space && { ...space, promisedBytes: this.#promisedBeside(directory, without) };
  }

  /** A directory that is made with its first image is on the filesystem of the one above it. */
  #nearestSpace(directory: string): FilesystemSpace | undefined {
    const space = this.#options.images.space(directory);
    return space !== undefined || directory === '/' ? space : this.#nearestSpace(parentOf(directory));
  }

  #promisedBeside(directory: string, without: string | undefined): bigint {
    const { promises, filesystemOf } = this.#options;
    const known = promises();
    for (const path of this.#admitted.keys()) if (known.has(path)) this.#admitted.delete(path);
    const here = filesystemOf(directory);
    const isHere = new Map<string, boolean>();
    let sum = 0n;
    for (const promised of [known, this.#admitted]) {
      for (const [path, sizeBytes] of promised) {
        const parent = parentOf(path);
        if (!isHere.has(parent)) isHere.set(parent, filesystemOf(parent) === here);
        if (path !== without && isHere.get(parent) === true) sum += sizeBytes;
      }
    }
    return sum;
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
