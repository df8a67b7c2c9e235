import { constants, fstatSync, fsyncSync, ftruncateSync } from 'node:fs';
import { StorageError } from '../../world/storage-error.ts';
import { imageRefusal } from '../image-action.ts';
import { ImageDirectory } from '../image-directory.ts';
import { openImage, requireLocalFilesystem } from '../image-file.ts';
import { requireSpace } from '../image-space.ts';
import { fromNode } from '../node-errno.ts';
import { openat2Opener, openatOpener } from '../open-beneath.ts';
import { storageErrorFromErrno } from '../storage-error-from-errno.ts';
import { failedWith } from '../syscall-error.ts';
import { close, ioctlInt } from '../syscalls.ts';
import { copyData } from './copy-data.ts';
import type { CopyAnswer, CopyOrder } from './copy-order.ts';
import { whileFrozen } from './frozen.ts';

/** linux/fs.h: _IOW(0x94, 9, int). */
const FICLONE = 0x40049409;

type Copied = Extract<CopyAnswer, { kind: 'copied' }>;

/** Makes the temporary file, and takes it away when it is not whole. Throws StorageError. */
export async function copyImage(order: CopyOrder, isStopped: () => boolean): Promise<Copied> {
  const action = `Cannot copy image "${order.source}"`;
  const opener = order.openat2 ? openat2Opener : openatOpener;
  try {
    using directory = ImageDirectory.open(order.directory, opener);
    const from = openImage(order.source, constants.O_RDONLY, opener, action);
    try {
      requireLocalFilesystem(from, order.source, action);
      return await new Copy(order, { action, directory, from, isStopped }).run();
    } finally {
      close(from);
    }
  } catch (thrown) {
    throw storageErrorFromErrno(thrown, action, { source: order.source });
  }
}

interface Ends {
  readonly action: string;
  readonly directory: ImageDirectory;
  readonly from: number;
  readonly isStopped: () => boolean;
}

class Copy {
  readonly #order: CopyOrder;
  readonly #ends: Ends;
  readonly #size: bigint;

  constructor(order: CopyOrder, ends: Ends) {
    this.#order = order;
    this.#ends = ends;
    this.#size = fstatSync(ends.from, { bigint: true }).size;
  }

  async run(): Promise<Copied> {
    const { directory } = this.#ends;
    const { name } = this.#order;
    if (this.#order.room === 'all') this.#requireSpace(this.#length());
    const { O_RDWR, O_CREAT, O_EXCL } = constants;
    const to = directory.openFile(name, O_RDWR | O_CREAT | O_EXCL);
    try {
      const copied = await this.#copyInto(to);
      fromNode(() => {
        ftruncateSync(to, Number(this.#length()));
        fsyncSync(to);
      });
      directory.sync();
      return { ...copied, sizeBytes: this.#length().toString() };
    } catch (thrown) {
      directory.unlink(name);
      throw thrown;
    } finally {
      close(to);
    }
  }

  /** Also without a freeze the first try is worth it: it writes out what is written, so that the frozen one is short. */
  async #copyInto(to: number): Promise<Omit<Copied, 'sizeBytes'>> {
    const { way } = this.#order;
    const isSharable = this.#tryReflink(to);
    if (!isSharable && way.kind === 'atomic') throw this.#notAtomic();
    if (!isSharable && this.#order.room === 'written') this.#requireSpace(this.#written());
    const make = async (limitMs: number): Promise<string> => {
      const takenAt = new Date().toISOString();
      if (!isSharable) await this.#copyData(to, limitMs);
      else if (!this.#tryReflink(to)) throw this.#notAtomic();
      return takenAt;
    };
    const method = isSharable ? 'reflink' : 'copy';
    if (way.kind !== 'frozen') {
      const takenAt = isSharable ? new Date().toISOString() : await make(Number.POSITIVE_INFINITY);
      return { kind: 'copied', method, takenAt };
    }
    const { result: takenAt, frozenMs } = await whileFrozen(way, [to, this.#ends.from], () => make(way.limitMs));
    return { kind: 'copied', method, takenAt, frozenMs };
  }

  #tryReflink(to: number): boolean {
    try {
      ioctlInt(to, FICLONE, this.#ends.from);
      return true;
    } catch (thrown) {
      if (failedWith(thrown, 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOTTY', 'ETXTBSY')) return false;
      throw thrown;
    }
  }

  async #copyData(to: number, limitMs: number): Promise<void> {
    const start = performance.now();
    await copyData(this.#ends.from, to, this.#size, (done) => {
      const took = performance.now() - start;
      if (this.#ends.isStopped()) {
        throw new StorageError(`${this.#ends.action}: stopped`, { code: 'Aborted', progress: 'transient' });
      }
      if (took > limitMs) throw this.#tooSlow(done, took);
    });
  }

  #length(): bigint {
    const wanted = BigInt(this.#order.sizeBytes);
    return wanted > this.#size ? wanted : this.#size;
  }

  #written(): bigint {
    return fstatSync(this.#ends.from, { bigint: true }).blocks * 512n;
  }

  #requireSpace(asked: bigint): void {
    const { action, directory } = this.#ends;
    requireSpace(
      directory,
      { path: this.#order.source, name: this.#order.name, action },
      { asked, size: this.#length(), reserve: BigInt(this.#order.reserveBytes) },
    );
  }

  #notAtomic(): StorageError {
    const { action, directory } = this.#ends;
    const image = { path: this.#order.source, name: this.#order.name, action };
    const cause = `it is being written, and the filesystem of "${directory.path}" does not share blocks (reflink)`;
    const { message, code } = imageRefusal('FailedPrecondition', image, cause);
    return new StorageError(message, { code, hint: 'stop its pods, or keep images on xfs or btrfs' });
  }

  #tooSlow(done: bigint, took: number): StorageError {
    const mebibytes = (bytes: bigint): string => `${bytes >> 20n}Mi`;
    const seconds = (took / 1000).toFixed(1);
    const cause = `${mebibytes(done)} of ${mebibytes(this.#written())} in ${seconds} s, and longer its writers shall not wait`;
    return new StorageError(`${this.#ends.action}: ${cause}`, {
      code: 'FailedPrecondition',
      hint: 'a longer freezeLimit in the parameters of the snapshot class; stop its pods; or keep images on xfs or btrfs',
    });
  }
}
