import type { MountInfo } from './mount-info.ts';

/** An immutable index over one reading of the kernel's mount table. */
export class MountTable {
  readonly mounts: readonly MountInfo[];
  readonly #byPath = new Map<string, MountInfo[]>();
  readonly #byDevice = new Map<string, MountInfo[]>();

  /** @param mounts in the kernel's order: of two mounts on one path the later covers the earlier. */
  constructor(mounts: readonly MountInfo[]) {
    this.mounts = mounts;
    for (const mount of mounts) {
      push(this.#byPath, mount.mountPoint, mount);
      push(this.#byDevice, mount.device, mount);
    }
  }

  /** All mounts on exactly this path, the lowest first, the visible one last. */
  at(path: string): readonly MountInfo[] {
    return this.#byPath.get(path) ?? [];
  }

  /** The mount that a process sees at exactly this path. */
  top(path: string): MountInfo | undefined {
    return this.at(path).at(-1);
  }

  /** Every mount of one superblock: the global mount and all binds of it. */
  ofDevice(device: string): readonly MountInfo[] {
    return this.#byDevice.get(device) ?? [];
  }

  /** Mounts at `path` or below it. */
  under(path: string): readonly MountInfo[] {
    const prefix = path.endsWith('/') ? path : `${path}/`;
    return this.mounts.filter((mount) => mount.mountPoint === path || mount.mountPoint.startsWith(prefix));
  }

  /** The mount that `path` lies on: the longest mount point that is a prefix of it. */
  holding(path: string): MountInfo | undefined {
    for (let at = path; ; at = at.slice(0, Math.max(at.lastIndexOf('/'), 0))) {
      const mount = this.top(at === '' ? '/' : at);
      if (mount !== undefined || at === '') return mount;
    }
  }
}

function push(index: Map<string, MountInfo[]>, key: string, mount: MountInfo): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [mount]);
  else list.push(mount);
}
