import { constants } from 'node:fs';
import { basename, dirname } from 'node:path/posix';
import type { StorageInventory } from '../ports/storage-inventory.ts';
import type { Inventory, InventoryEntry } from '../world/inventory.ts';
import { StorageError, type StorageErrorCode } from '../world/storage-error.ts';
import { fileStatus } from './file-status.ts';
import { ImageDirectory } from './image-directory.ts';
import { ImageSearch, temporaryName, trashName } from './image-inventory.ts';
import { readSidecar, sidecarName } from './image-sidecar.ts';
import { makeMutable } from './inode-flags.ts';
import { factsOf, InventoryWalk, type WalkedDirectory } from './inventory-walk.ts';
import type { KernelFeatures } from './kernel-features.ts';
import { O_PATH } from './mount-syscalls.ts';
import { openat2Opener, openatOpener, type PathOpener } from './open-beneath.ts';
import { storageErrorFromErrno } from './storage-error-from-errno.ts';
import { withFd } from './syscalls.ts';

const PATH_DIRECTORY = O_PATH | constants.O_DIRECTORY;
const READ_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;
/** plugins/kubernetes.io/csi/<driver>/<hash>/globalmount has five levels. */
const deepest = 8;

/** The directories that this machine's daemon fills. */
export class LinuxStorageInventory implements StorageInventory {
  readonly #rootDir: string;
  readonly #opener: PathOpener;

  /** @param rootDir an existing directory by its real path */
  constructor(rootDir: string, features: Pick<KernelFeatures, 'openat2'>) {
    this.#rootDir = rootDir;
    this.#opener = features.openat2 ? openat2Opener : openatOpener;
  }

  list(imageDirectories: readonly string[]): Inventory {
    const walk = new InventoryWalk(this.#opener);
    const search = new ImageSearch(walk, this.#opener);
    const own = `${this.#rootDir}/images`;
    search.search(own, true);
    for (const directory of new Set(imageDirectories)) if (directory !== own) search.search(directory, false);
    const globalMounts: InventoryEntry[] = [];
    walk.open(`${this.#rootDir}/plugins`, (top) => collectMountPoints(walk, top, globalMounts, 0));
    return {
      podDirectories: this.#entriesOf(walk, 'pods').filter(({ isDirectory }) => isDirectory),
      globalMounts,
      ...search.found,
      quarantine: this.#entriesOf(walk, 'quarantine'),
      incomplete: walk.incomplete,
    };
  }

  quarantine(path: string, name: string): string {
    const action = `Cannot put "${path}" into quarantine`;
    const target = `${this.#rootDir}/quarantine/${name}`;
    return act(action, path, () => {
      if (!path.startsWith(`${this.#rootDir}/`))
        throw refusal('ForeignMount', `${action}: not below the root dir`, path);
      using quarantine = this.#quarantineDirectory();
      if (quarantine.kindOf(name) !== 'absent') throw refusal('AlreadyExists', `${action}: "${target}" exists`, path);
      using parent = ImageDirectory.open(dirname(path), this.#opener);
      this.#unseal(path, action);
      parent.rename(basename(path), quarantine, name);
      quarantine.sync();
      parent.sync();
      return target;
    });
  }

  unlinkTemporary(path: string): void {
    const action = `Cannot remove "${path}"`;
    act(action, path, () => {
      const isOurs =
        dirname(path) === `${this.#rootDir}/quarantine` && temporaryName.test(originalName(basename(path)));
      if (!isOurs) throw refusal('PermissionDenied', `${action}: not an unfinished sidecar in the quarantine`, path);
      using directory = ImageDirectory.open(dirname(path), this.#opener);
      if (directory.kindOf(basename(path)) !== 'file') throw refusal('FailedPrecondition', `${action}: no file`, path);
      directory.unlink(basename(path));
      directory.sync();
    });
  }

  unlinkTrashed(path: string): void {
    const action = `Cannot remove "${path}"`;
    act(action, path, () => {
      if (basename(dirname(path)) !== trashName) throw refusal('PermissionDenied', `${action}: not in a trash`, path);
      using directory = ImageDirectory.open(dirname(path), this.#opener);
      const name = basename(path);
      const sidecar = readSidecar(directory, name);
      if (sidecar.kind !== 'ours') throw refusal('FailedPrecondition', `${action}: it has no sidecar of moored`, path);
      // The sidecar last: what an interruption leaves still tells whose it is.
      const kind = directory.kindOf(name);
      // What is in a directory is the user's to remove: there is no recursive delete.
      if (kind === 'directory') directory.removeDirectory(name);
      else if (kind !== 'absent') directory.unlink(name);
      directory.sync();
      directory.unlink(sidecarName(name));
      directory.sync();
    });
  }

  #entriesOf(walk: InventoryWalk, name: string): (InventoryEntry & { readonly isDirectory: boolean })[] {
    const found: (InventoryEntry & { readonly isDirectory: boolean })[] = [];
    walk.open(`${this.#rootDir}/${name}`, (top) => {
      for (const entry of walk.entries(top)) {
        const path = `${top.path}/${entry.name}`;
        if (entry.isFile()) found.push({ path, changedAt: factsOf(top).changedAt, isDirectory: false });
        if (!entry.isDirectory()) continue;
        walk.enter(top, entry.name, (directory) =>
          found.push({ path, changedAt: factsOf(directory).changedAt, isDirectory: true }),
        );
      }
    });
    return found;
  }

  #quarantineDirectory(): ImageDirectory {
    using root = ImageDirectory.open(this.#rootDir, this.#opener);
    return root.ensureDirectory('quarantine', this.#opener);
  }

  /** rename(2) of an immutable directory is EPERM; one that something is mounted on cannot be opened here (EXDEV). */
  #unseal(path: string, action: string): void {
    withFd(this.#opener.open(dirname(path), PATH_DIRECTORY), (parent) => {
      const { kind, isImmutable } = fileStatus(parent, basename(path));
      if (kind === 'file') return;
      if (kind !== 'directory') throw refusal('FailedPrecondition', `${action}: it is a ${kind}`, path);
      withFd(this.#opener.openEntry(parent, basename(path), READ_DIRECTORY), (fd) => {
        if (isImmutable) makeMutable(fd);
      });
    });
  }
}

/** Directories without subdirectories that are sealed (mode 0000) or have the name that the kubelet gives them. */
function collectMountPoints(walk: InventoryWalk, at: WalkedDirectory, found: InventoryEntry[], depth: number): void {
  const below = walk.entries(at).filter((entry) => entry.isDirectory());
  if (below.length === 0) {
    const { mode, changedAt } = factsOf(at);
    const name = basename(at.path);
    if (mode === 0 || name === 'globalmount' || /^[0-9a-f]{64}$/.test(name)) found.push({ path: at.path, changedAt });
    return;
  }
  if (depth === deepest) {
    walk.incomplete.push(`"${at.path}" is nested deeper than ${deepest} levels`);
    return;
  }
  for (const entry of below) {
    walk.enter(at, entry.name, (directory) => collectMountPoints(walk, directory, found, depth + 1));
  }
}

/** "<time>~images~default~.x.img.tmp" was "images/default/.x.img.tmp". */
function originalName(quarantined: string): string {
  return quarantined.slice(quarantined.lastIndexOf('~') + 1);
}

function act<T>(action: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw storageErrorFromErrno(thrown, action, { target: path });
  }
}

function refusal(code: StorageErrorCode, message: string, target: string): StorageError {
  return new StorageError(message, { code, target });
}
