import { constants, existsSync, fstatSync, fsyncSync } from 'node:fs';
import { basename, dirname, join } from 'node:path/posix';
import type { ChildProcesses } from '../ports/child-processes.ts';
import type { Clock } from '../ports/clock.ts';
import type { CopyProgress, ImageCopies, ImageCopyReport, ImageCopyRequest } from '../ports/image-copies.ts';
import type { ImageSidecar } from '../ports/images.ts';
import type { LoopDevices } from '../ports/loop-devices.ts';
import { StorageError } from '../world/storage-error.ts';
import { actOnImage, type Image, imageRefusal } from './image-action.ts';
import type { CopyAnswer, CopyOrder } from './image-copy/copy-order.ts';
import { ensureImageDirectory, openImageDirectory } from './image-directories.ts';
import { ImageDirectory } from './image-directory.ts';
import { readSidecar, requireOurs, sidecarName, writeSidecar } from './image-sidecar.ts';
import { moveImageToTrash } from './image-trash.ts';
import { makeImmutable } from './inode-flags.ts';
import type { KernelFeatures } from './kernel-features.ts';
import { detachWhenClosed } from './loop-release.ts';
import { renewFilesystemIdentity } from './new-filesystem-identity.ts';
import { fromNode } from './node-errno.ts';
import { openat2Opener, openatOpener, type PathOpener } from './open-beneath.ts';
import { fchmod, withFd } from './syscalls.ts';

/** Beside this file: a bundle of its own in dist/lib, the module itself when run from source. */
const bundled = join(import.meta.dirname, 'image-copy.js');
const program = existsSync(bundled) ? bundled : join(import.meta.dirname, 'image-copy/main.ts');

/** A copy has no deadline but its end, and is ended by whoever asked for it: this one only ends what hangs for a day. */
const copyDeadlineMs = 24 * 3_600_000;
/** What a frozen copy may take beside its freeze: the writing out before it, the sync after it. */
const frozenGraceMs = 10 * 60_000;
const thawDeadlineMs = 30_000;
const syncDeadlineMs = 10 * 60_000;

export interface LinuxImageCopiesOptions {
  readonly features: Pick<KernelFeatures, 'openat2'>;
  readonly imagesDirectory: string;
  readonly children: ChildProcesses;
  readonly loopDevices: LoopDevices;
  readonly clock: Pick<Clock, 'timestamp'>;
}

export class LinuxImageCopies implements ImageCopies {
  readonly #options: LinuxImageCopiesOptions;
  readonly #opener: PathOpener;

  constructor(options: LinuxImageCopiesOptions) {
    this.#options = options;
    this.#opener = options.features.openat2 ? openat2Opener : openatOpener;
  }

  async copy(request: ImageCopyRequest, signal: AbortSignal): Promise<ImageCopyReport> {
    const { target, sizeBytes, reserveBytes = 0n, ...rest } = request;
    this.discard(target);
    const order = actOnImage('copy to', target, (image): CopyOrder => {
      using directory = ensureImageDirectory(image, this.#options.imagesDirectory, this.#opener);
      const { openat2 } = this.#options.features;
      return {
        ...rest,
        sizeBytes: `${sizeBytes}`,
        reserveBytes: `${reserveBytes}`,
        directory: directory.path,
        name: temporaryName(image.name),
        openat2,
      };
    });
    const deadlineMs = request.way.kind === 'frozen' ? request.way.limitMs + frozenGraceMs : copyDeadlineMs;
    const args = [program, JSON.stringify(order)];
    const result = await this.#options.children.run(process.execPath, args, { signal, deadlineMs });
    return reportOf(result.stdout, result.stderr, request);
  }

  /** As stat(2) counts it: neither end asks the copying child, and none of it is logged. */
  progressOf({ source, target }: Pick<ImageCopyRequest, 'source' | 'target'>): CopyProgress | undefined {
    return actOnImage('look at the copy', target, (image) => {
      const doneBytes = this.#writtenBytes(dirname(target), temporaryName(image.name));
      const totalBytes = this.#writtenBytes(dirname(source), basename(source));
      return doneBytes === undefined || totalBytes === undefined ? undefined : { doneBytes, totalBytes };
    });
  }

  #writtenBytes(directoryPath: string, name: string): bigint | undefined {
    using directory = openImageDirectory(directoryPath, this.#opener);
    if (directory?.kindOf(name) !== 'file') return undefined;
    return withFd(directory.openFile(name, constants.O_RDONLY), (fd) => fstatSync(fd, { bigint: true }).blocks * 512n);
  }

  /** fsfreeze(8) opens the directory and asks once: EINVAL when what is there is not frozen. */
  async thaw(mountPoint: string, signal: AbortSignal): Promise<'thawed' | 'notFrozen'> {
    const options = { signal, deadlineMs: thawDeadlineMs };
    const { exitCode, stderr } = await this.#options.children.run('fsfreeze', ['--unfreeze', mountPoint], options);
    if (exitCode === 0) return 'thawed';
    if (/Invalid argument|No such file/.test(stderr)) return 'notFrozen';
    throw new StorageError(`Cannot thaw the filesystem at "${mountPoint}": ${stderr.trim()}`, {
      code: 'Internal',
      progress: 'uncertain',
      target: mountPoint,
      hint: `fsfreeze --unfreeze ${mountPoint}`,
    });
  }

  async renewIdentity(target: string, signal: AbortSignal): Promise<'renewed' | 'noFilesystem'> {
    const { loopDevices, children } = this.#options;
    const directory = dirname(target);
    const loop = loopDevices.attach(temporaryPath(target), { readOnly: false });
    let outcome: 'renewed' | 'noFilesystem';
    try {
      outcome = await renewFilesystemIdentity(loop.devicePath, directory, { children, signal });
    } finally {
      await detachWhenClosed(loopDevices, loop);
    }
    await this.#sync(target, signal);
    return outcome;
  }

  publish(target: string, sidecar: ImageSidecar, { isSealed }: { readonly isSealed: boolean }): void {
    actOnImage('publish', target, (image) => {
      using directory = ImageDirectory.open(dirname(target), this.#opener);
      const known = readSidecar(directory, image.name);
      if (known.kind !== 'absent') requireOurs(known, sidecar.volumeHandle, image);
      if (directory.kindOf(image.name) !== 'absent') throw imageRefusal('AlreadyExists', image, 'there is something');
      writeSidecar(directory, image.name, sidecar);
      directory.rename(temporaryName(image.name), directory, image.name);
      directory.sync();
      if (isSealed) seal(directory, image);
    });
  }

  published(target: string, volumeHandle: string): ImageSidecar | undefined {
    return actOnImage('look at', target, (image) => {
      using directory = openImageDirectory(dirname(target), this.#opener);
      if (directory === undefined || directory.kindOf(image.name) === 'absent') return undefined;
      return requireOurs(readSidecar(directory, image.name), volumeHandle, image);
    });
  }

  discard(target: string): void {
    actOnImage('discard the copy', target, (image) => {
      using directory = openImageDirectory(dirname(target), this.#opener);
      if (directory === undefined || directory.kindOf(temporaryName(image.name)) === 'absent') return;
      const loop = this.#options.loopDevices.find(temporaryPath(target));
      if (loop !== undefined) this.#options.loopDevices.detach(loop.devicePath, loop.backing);
      directory.unlink(temporaryName(image.name));
      directory.sync();
    });
  }

  moveToTrash(target: string, volumeHandle: string): 'trashed' | 'absent' {
    return actOnImage('move to trash', target, (image) => {
      using directory = openImageDirectory(dirname(target), this.#opener);
      if (directory === undefined) return 'absent';
      const state = readSidecar(directory, image.name);
      const isThere = directory.kindOf(image.name) !== 'absent';
      if (state.kind === 'absent' && !isThere) return 'absent';
      const sidecar = requireOurs(state, volumeHandle, image);
      if (isThere) {
        moveImageToTrash(directory, image, { sidecar, opener: this.#opener, now: this.#options.clock.timestamp() });
      }
      directory.unlink(sidecarName(image.name));
      directory.sync();
      return isThere ? 'trashed' : 'absent';
    });
  }

  /** Not each of the tools waits until its device has what it wrote, and what a loop device has is in the page cache. */
  async #sync(target: string, signal: AbortSignal): Promise<void> {
    const path = temporaryPath(target);
    const { exitCode, stderr } = await this.#options.children.run('sync', [path], {
      signal,
      deadlineMs: syncDeadlineMs,
    });
    if (exitCode === 0) return;
    throw new StorageError(`Cannot write out the copy "${path}": ${stderr.trim()}`, {
      code: 'Unavailable',
      progress: 'transient',
      source: path,
      hint: 'dmesg | tail',
    });
  }
}

/** Read-only for all, and where the filesystem has the flag nobody can change, rename or unlink it by mistake. */
function seal(directory: ImageDirectory, image: Image): void {
  withFd(directory.openFile(image.name, constants.O_RDONLY), (fd) => {
    fchmod(fd, 0o400);
    fromNode(() => fsyncSync(fd));
    makeImmutable(fd);
  });
}

/** As the sidecar's that is being written, so that what is left of it is listed with the orphans. */
function temporaryName(name: string): string {
  return `.${name}.part.tmp`;
}

function temporaryPath(target: string): string {
  return `${dirname(target)}/${temporaryName(target.slice(target.lastIndexOf('/') + 1))}`;
}

function reportOf(stdout: string, stderr: string, { source }: ImageCopyRequest): ImageCopyReport {
  const answer = parseAnswer(stdout);
  if (answer === undefined) {
    const cause = stderr.trim().split('\n', 1)[0] || 'its child said nothing';
    throw new StorageError(`Cannot copy image "${source}": ${cause}`, {
      code: 'Internal',
      progress: 'uncertain',
      source,
    });
  }
  if (answer.kind === 'failed') {
    const { code, message, errno, hint, isUncertain } = answer;
    throw new StorageError(message, {
      ...{ code, source, progress: isUncertain ? 'uncertain' : 'transient' },
      ...(errno === undefined ? {} : { errno }),
      ...(hint === undefined ? {} : { hint }),
    });
  }
  const { method, sizeBytes, frozenMs, takenAt } = answer;
  return { method, sizeBytes: BigInt(sizeBytes), takenAt, ...(frozenMs === undefined ? {} : { frozenMs }) };
}

function parseAnswer(stdout: string): CopyAnswer | undefined {
  try {
    return JSON.parse(stdout) as CopyAnswer;
  } catch {
    return undefined;
  }
}
