/**
 * A machine in memory: mount table, loop devices, images, directories and what is on each device. It behaves as the
 * kernel does, keeps a log of every effect, and can be told to fail, to time out after success, to hang, and to lie.
 *
 * It is an oracle too: what must never be asked of a kernel (mkfs on a device that is not blank, unmounting a stranger's
 * mount, removing an image in use) is refused and kept in `violations`, which every test expects to be empty.
 */
import type { MountInfo } from '../../world/mount-info.ts';
import { MountTable } from '../../world/mount-table.ts';
import type { ProbeResult } from '../../world/probe-result.ts';
import { StorageError, type StorageErrorCode } from '../../world/storage-error.ts';
import type { BlockProbe } from '../block-probe.ts';
import type { Filesystems } from '../filesystems.ts';
import type { Host } from '../host.ts';
import type { ImageSidecar, Images } from '../images.ts';
import type { LoopDevice, LoopDevices } from '../loop-devices.ts';
import type { ManagedDirectories, PathKind } from '../managed-directories.ts';
import type { MountTableSource } from '../mount-table-source.ts';
import type { Mounter, MountFlags } from '../mounter.ts';

/** hole: never written; zeros: written, reads blank; otherwise the filesystem on it, or "other". */
export type Content = 'hole' | 'zeros' | 'ext4' | 'xfs' | 'btrfs' | 'other';

export type Effect =
  | 'mountDevice'
  | 'mountTmpfs'
  | 'bind'
  | 'setFlags'
  | 'unmount'
  | 'refresh'
  | 'attach'
  | 'detach'
  | 'probe'
  | 'mkfs'
  | 'fsck'
  | 'seal'
  | 'remove'
  | 'removeTree'
  | 'createImage'
  | 'removeImage'
  | 'replaceImage';

/** What the next call of an effect does instead of simply succeeding. */
export type Fault =
  /** Nothing happens, and the error is thrown. */
  | { readonly kind: 'fail'; readonly error: Error }
  /** The effect happens, and the error is thrown all the same: a deadline that ran out too early. */
  | { readonly kind: 'failAfterSuccess'; readonly error: Error }
  /** Nothing happens, and success is reported. */
  | { readonly kind: 'lie' }
  /** Hangs until the promise resolves, then succeeds. Only effects that are promises can hang. */
  | { readonly kind: 'hang'; readonly until: Promise<void> };

export function finalError(message = 'refused', code: StorageErrorCode = 'Internal'): StorageError {
  return new StorageError(message, { code, progress: 'final' });
}

export function uncertainError(message = 'timed out'): StorageError {
  return new StorageError(message, { code: 'DeadlineExceeded', progress: 'uncertain' });
}

export function transientError(message = 'not now'): StorageError {
  return new StorageError(message, { code: 'Unavailable', progress: 'transient' });
}

interface FakeImage {
  readonly inode: bigint;
  readonly sizeBytes: bigint;
  content: Content;
  sidecar?: ImageSidecar;
}

interface FakeDirectory {
  kind: 'directory' | 'file';
  mode: number;
  isSealed: boolean;
}

const rootMount: MountInfo = {
  id: 1n,
  parentId: 0n,
  device: '8:1',
  root: '/',
  mountPoint: '/',
  options: ['rw', 'relatime'],
  fsType: 'ext4',
  source: '/dev/sda1',
  superOptions: ['rw'],
};

export class FakeHost implements Host {
  /** Every effect that happened, as "name subject". */
  readonly log: string[] = [];
  readonly violations: string[] = [];
  /** How often each effect was asked for, successful or not. */
  readonly calls = new Map<Effect, number>();
  readonly imageFiles = new Map<string, FakeImage>();
  readonly entries = new Map<string, FakeDirectory>();
  readonly loops = new Map<string, { readonly inode: bigint; readonly path: string; readonly readOnly: boolean }>();
  readonly #disks = new Map<string, { readonly deviceNumber: string; readonly canonical: string; content: Content }>();
  readonly #faults = new Map<Effect, Fault[]>();
  readonly #lasting = new Map<Effect, Fault>();
  readonly #foreign = new Set<bigint>();
  /** Inodes of images that were ever mounted: somebody's data may be in them. */
  readonly #everMounted = new Set<bigint>();
  readonly #listeners = new Set<(table: MountTable) => void>();
  #mounts: MountInfo[] = [rootMount];
  #table = new MountTable([rootMount]);
  #lastId = 100n;
  #nextLoop = 0;
  #effectsLeft = Number.POSITIVE_INFINITY;

  // --- what a test does to the machine -------------------------------------------------------------------------------

  /** An image with our sidecar; its handle is the file's name. */
  addImage(path: string, content: Content = 'hole', sizeBytes = 67_108_864n): void {
    const sidecar: ImageSidecar = {
      apiVersion: 'moored.dev/v1',
      driver: 'test',
      volumeHandle: path.slice(path.lastIndexOf('/') + 1).replace(/\.img$/, ''),
      sizeBytes: sizeBytes.toString(),
      fsType: 'ext4',
      createdAt: '2026-01-01T00:00:00Z',
    };
    this.imageFiles.set(path, { inode: this.#newId(), sizeBytes, content, sidecar });
  }

  /** @param canonical the name that the mount table shows, when `path` is a link to it */
  addDisk(path: string, deviceNumber: string, content: Content, canonical = path): void {
    const disk = { deviceNumber, canonical, content };
    this.#disks.set(path, disk).set(canonical, disk);
  }

  /** The next call (or the next ones, in order) of this effect. */
  next(effect: Effect, ...faults: readonly Fault[]): void {
    this.#faults.set(effect, [...(this.#faults.get(effect) ?? []), ...faults]);
  }

  /** Every call from now on, until `heal`. */
  always(effect: Effect, fault: Fault): void {
    this.#lasting.set(effect, fault);
  }

  heal(effect: Effect): void {
    this.#lasting.delete(effect);
    this.#faults.delete(effect);
  }

  umountFromOutside(path: string): void {
    const index = this.#mounts.findLastIndex((mount) => mount.mountPoint === path);
    if (index === -1) throw new Error(`nothing is mounted at ${path}`);
    this.#mounts.splice(index, 1);
    this.#changed();
  }

  mountFromOutside(mountPoint: string, change: Partial<MountInfo> = {}): bigint {
    const id = this.#addMount({ device: '0:99', fsType: 'tmpfs', source: 'theirs', ...change, mountPoint });
    this.#foreign.add(id);
    return id;
  }

  remountFromOutside(mountPoint: string, options: readonly string[]): void {
    this.#mounts = this.#mounts.map((mount) => (mount.mountPoint === mountPoint ? { ...mount, options } : mount));
    this.#changed();
  }

  /** Mounts and loop devices are gone, the numbers of the next loop devices are others; disks and directories stay. */
  reboot(): void {
    this.#mounts = [rootMount];
    this.loops.clear();
    this.#nextLoop += 10;
    this.#changed();
  }

  contentOf(path: string): Content | undefined {
    return (this.imageFiles.get(path) ?? this.#disks.get(path))?.content;
  }

  mountsAt(path: string): readonly MountInfo[] {
    return this.#mounts.filter((mount) => mount.mountPoint === path);
  }

  /** Mount points except "/", in the order of their making. */
  get mountPoints(): readonly string[] {
    return this.#mounts.map((mount) => mount.mountPoint).filter((path) => path !== '/');
  }

  /** The effects since the last call. */
  takeLog(): readonly string[] {
    return this.log.splice(0);
  }

  /** After this many more effects the daemon is dead: it can do nothing any more, until `revive`. */
  crashAfter(effects: number): void {
    this.#effectsLeft = effects;
  }

  get isDead(): boolean {
    return this.#effectsLeft <= 0;
  }

  revive(): void {
    this.#effectsLeft = Number.POSITIVE_INFINITY;
    this.#listeners.clear();
  }

  // --- faults and the log ---------------------------------------------------------------------------------------------

  #faultOf(effect: Effect): Fault | undefined {
    this.calls.set(effect, (this.calls.get(effect) ?? 0) + 1);
    return this.#faults.get(effect)?.shift() ?? this.#lasting.get(effect);
  }

  /** @param lie what is answered when the fault is a lie */
  #do<T>(effect: Effect, subject: string, act: () => T, lie: T): T {
    if (this.isDead && effect !== 'refresh') throw new Error('the daemon is dead');
    const fault = this.#faultOf(effect);
    if (fault?.kind === 'fail') throw fault.error;
    if (fault?.kind === 'lie') return lie;
    if (fault?.kind === 'hang') throw new Error(`${effect} is synchronous: it cannot hang`);
    const result = act();
    this.log.push(`${effect} ${subject}`);
    if (effect !== 'refresh') this.#effectsLeft--;
    if (fault?.kind === 'failAfterSuccess') throw fault.error;
    return result;
  }

  async #doAsync<T>(effect: Effect, subject: string, act: () => T, lie: T): Promise<T> {
    const [fault] = this.#faults.get(effect) ?? [this.#lasting.get(effect)];
    if (fault?.kind !== 'hang') {
      await Promise.resolve();
      return this.#do(effect, subject, act, lie);
    }
    this.#faultOf(effect);
    await fault.until;
    const result = act();
    this.log.push(`${effect} ${subject}`);
    return result;
  }

  #violation(text: string): never {
    this.violations.push(text);
    throw new Error(`oracle: ${text}`);
  }

  // --- the kernel -----------------------------------------------------------------------------------------------------

  #newId(): bigint {
    this.#lastId++;
    return this.#lastId;
  }

  #addMount(change: Partial<MountInfo> & Pick<MountInfo, 'mountPoint'>): bigint {
    const id = this.#newId();
    const options = ['rw', 'nosuid', 'nodev', 'relatime'];
    this.#mounts.push({ ...rootMount, options, source: '', ...change, id, parentId: 1n });
    this.#changed();
    return id;
  }

  #changed(): void {
    setImmediate(() => {
      this.#table = new MountTable([...this.#mounts]);
      for (const listener of this.#listeners) listener(this.#table);
    });
  }

  #top(path: string): MountInfo | undefined {
    return this.#mounts.findLast((mount) => mount.mountPoint === path);
  }

  /** The thing behind a device path: an image through a loop device, or a disk. */
  #backing(device: string): { content: Content } {
    const loop = this.loops.get(device);
    const backing = loop === undefined ? this.#disks.get(device) : this.#imageOf(loop.inode);
    if (backing === undefined) throw finalError(`Cannot use "${device}": no such device`, 'NotFound');
    return backing;
  }

  #imageOf(inode: bigint): FakeImage | undefined {
    return [...this.imageFiles.values()].find((image) => image.inode === inode);
  }

  #numberOf(device: string): string {
    const disk = this.#disks.get(device);
    return disk?.deviceNumber ?? `7:${device.slice('/dev/loop'.length)}`;
  }

  #isMounted(device: string): boolean {
    const number = this.#numberOf(device);
    return this.#mounts.some((mount) => mount.device === number || mount.source === device);
  }

  readonly mounter: Mounter = {
    mountDevice: ({ device, target, fsType, flags }) =>
      this.#doAsync(
        'mountDevice',
        `${device} ${target}`,
        () => {
          const { content } = this.#backing(device);
          if (content !== fsType)
            throw finalError(`Cannot mount "${device}": wrong fs type "${content}"`, 'FilesystemMismatch');
          // btrfs shows a device number of its own.
          const number = fsType === 'btrfs' ? `0:4${this.#numberOf(device).replace(':', '')}` : this.#numberOf(device);
          const source = this.#disks.get(device)?.canonical ?? device;
          const inode = this.loops.get(device)?.inode;
          if (inode !== undefined) this.#everMounted.add(inode);
          this.#addMount({ device: number, fsType, source, mountPoint: target, options: optionsOf(flags) });
        },
        undefined,
      ),
    mountTmpfs: ({ target, flags }) =>
      this.#do(
        'mountTmpfs',
        target,
        () => {
          const device = `0:${this.#newId()}`;
          this.#addMount({ device, fsType: 'tmpfs', source: 'tmpfs', mountPoint: target, options: optionsOf(flags) });
        },
        undefined,
      ),
    bind: ({ source, target, flags }) =>
      this.#do(
        'bind',
        `${source} ${target}`,
        () => {
          const { id: _id, ...bound } = this.#boundFrom(source);
          this.#addMount({ ...bound, mountPoint: target, options: optionsOf(flags) });
        },
        undefined,
      ),
    setFlags: (target, flags) =>
      this.#do(
        'setFlags',
        target,
        () => {
          const top = this.#top(target);
          if (top === undefined) throw finalError(`Cannot remount "${target}": not a mount point`, 'NotFound');
          if (this.#foreign.has(top.id)) this.#violation(`flags of a foreign mount changed at ${target}`);
          this.#mounts = this.#mounts.map((mount) => (mount === top ? { ...mount, options: optionsOf(flags) } : mount));
          this.#changed();
        },
        undefined,
      ),
    unmount: (target) =>
      this.#doAsync<'unmounted' | 'notMounted'>(
        'unmount',
        target,
        () => {
          const top = this.#top(target);
          if (top === undefined) return 'notMounted';
          if (this.#foreign.has(top.id)) this.#violation(`foreign mount unmounted at ${target}`);
          this.#mounts = this.#mounts.filter((mount) => mount !== top);
          this.#changed();
          return 'unmounted';
        },
        'unmounted',
      ),
  };

  #boundFrom(source: string): MountInfo {
    const whole = this.#top(source);
    if (whole !== undefined) return whole;
    if (source.startsWith('/dev/')) {
      return { ...rootMount, device: '0:6', fsType: 'devtmpfs', source: 'udev', root: source.slice('/dev'.length) };
    }
    // A bind of a plain directory shows the filesystem below it: what a lost global mount would give a pod.
    return { ...rootMount, root: source };
  }

  readonly mountTable: MountTableSource = {
    current: () => this.#table,
    refresh: () =>
      this.#doAsync('refresh', '', () => undefined, undefined).then(() => {
        this.log.splice(this.log.lastIndexOf('refresh '), 1);
        this.#table = new MountTable([...this.#mounts]);
        return this.#table;
      }),
    onChange: (listener) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
  };

  readonly loopDevices: LoopDevices = {
    attach: (imagePath, { readOnly }) => {
      const known = this.loopDevices.find(imagePath);
      if (known !== undefined) {
        this.calls.set('attach', (this.calls.get('attach') ?? 0) + 1);
        return known;
      }
      return (
        this.#do('attach', imagePath, () => this.#attach(imagePath, readOnly), undefined) ??
        this.#unknownLoop(imagePath)
      );
    },
    find: (imagePath) => {
      const inode = this.imageFiles.get(imagePath)?.inode;
      const found = [...this.loops].find(([, loop]) => loop.inode === inode);
      return found && this.#loopDevice(found[0]);
    },
    status: (devicePath) => (this.loops.has(devicePath) ? this.#loopDevice(devicePath) : undefined),
    list: () => [...this.loops.keys()].map((devicePath) => this.#loopDevice(devicePath)),
    detach: (devicePath, { inode }) =>
      this.#do<'detached' | 'notAttached'>(
        'detach',
        devicePath,
        () => {
          if (this.loops.get(devicePath)?.inode !== inode) return 'notAttached';
          if (this.#isMounted(devicePath)) {
            throw new StorageError(`Cannot detach "${devicePath}": busy`, { code: 'Busy', progress: 'uncertain' });
          }
          this.loops.delete(devicePath);
          return 'detached';
        },
        'detached',
      ),
  };

  #attach(path: string, readOnly: boolean): LoopDevice {
    const image = this.imageFiles.get(path);
    if (image === undefined) throw finalError(`Cannot attach "${path}": no such file`, 'NotFound');
    const devicePath = `/dev/loop${this.#nextLoop}`;
    this.#nextLoop++;
    this.loops.set(devicePath, { inode: image.inode, path, readOnly });
    return this.#loopDevice(devicePath);
  }

  /** What a loop driver that lies would give: a device without a file. */
  #unknownLoop(path: string): LoopDevice {
    return {
      devicePath: '/dev/loop99',
      deviceNumber: '7:99',
      readOnly: false,
      backing: { device: 1n, inode: 0n, path },
    };
  }

  #loopDevice(devicePath: string): LoopDevice {
    const loop = this.loops.get(devicePath);
    const { inode, path, readOnly } = loop ?? { inode: 0n, path: '', readOnly: false };
    return { devicePath, deviceNumber: this.#numberOf(devicePath), readOnly, backing: { device: 2049n, inode, path } };
  }

  readonly blockProbe: BlockProbe = {
    probe: (device) =>
      this.#doAsync('probe', device, () => probed(this.#backing(device).content), { kind: 'blank' } as const),
    describe: (device) => {
      this.#backing(device);
      const node = this.#disks.get(device)?.canonical ?? device;
      return { node, deviceNumber: this.#numberOf(device), sizeBytes: 67_108_864n, readOnly: false };
    },
  };

  readonly filesystems: Filesystems = {
    make: (device, fsType) =>
      this.#doAsync(
        'mkfs',
        `${fsType} ${device}`,
        () => {
          const backing = this.#backing(device);
          if (backing.content !== 'hole' && backing.content !== 'zeros') {
            this.#violation(`mkfs.${fsType} on ${device}, which holds ${backing.content}`);
          }
          backing.content = fsType;
        },
        undefined,
      ),
    check: (device) =>
      this.#doAsync(
        'fsck',
        device,
        () => {
          // e2fsck: "is mounted … Cannot continue, aborting", exit 8.
          if (this.#isMounted(device)) throw finalError(`Cannot check "${device}": it is mounted`, 'Internal');
          return { corrected: false };
        },
        { corrected: false },
      ),
  };

  readonly directories: ManagedDirectories = {
    ensureDirectory: (path) => {
      for (let at = path; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
        if (!this.entries.has(at)) this.entries.set(at, { kind: 'directory', mode: 0o750, isSealed: false });
      }
    },
    ensureFile: (path) => {
      if (!this.entries.has(path)) this.entries.set(path, { kind: 'file', mode: 0o600, isSealed: false });
    },
    seal: (path) =>
      this.#do(
        'seal',
        path,
        () => {
          if (this.#top(path) !== undefined) this.#violation(`mount point sealed under a mount at ${path}`);
          if (this.directories.list(path).length > 0)
            throw finalError(`Cannot seal "${path}": not empty`, 'TargetNotEmpty');
          this.entries.set(path, { kind: 'directory', mode: 0, isSealed: true });
        },
        undefined,
      ),
    remove: (path) => {
      if (!this.entries.has(path)) return 'absent';
      return this.#do<'removed' | 'absent'>(
        'remove',
        path,
        () => {
          if (this.#top(path) !== undefined) throw finalError(`Cannot remove "${path}": it is a mount point`, 'Busy');
          if (this.directories.list(path).length > 0)
            throw finalError(`Cannot remove "${path}": not empty`, 'TargetNotEmpty');
          this.entries.delete(path);
          return 'removed';
        },
        'removed',
      );
    },
    list: (path) =>
      [...this.entries.keys()].flatMap((entry) => {
        const isInside = entry.startsWith(`${path}/`) && !entry.slice(path.length + 1).includes('/');
        return isInside ? [entry.slice(path.length + 1)] : [];
      }),
    kindOf: (path): PathKind => this.entries.get(path)?.kind ?? 'absent',
    setMode: (path, mode) => {
      const entry = this.entries.get(path);
      if (entry === undefined) throw finalError(`Cannot change the mode of "${path}": no such directory`, 'NotFound');
      entry.mode = mode;
      this.log.push(`setMode ${path}`);
    },
    removeTree: (path) =>
      this.#doAsync(
        'removeTree',
        path,
        () => {
          const below = this.#mounts.find(({ mountPoint }) => mountPoint === path || mountPoint.startsWith(`${path}/`));
          if (below !== undefined)
            throw finalError(`Cannot remove "${path}": mount at ${below.mountPoint}`, 'ForeignMount');
          for (const entry of [...this.entries.keys()]) {
            if (entry === path || entry.startsWith(`${path}/`)) this.entries.delete(entry);
          }
        },
        undefined,
      ),
  };

  readonly images: Images = {
    create: (path, sidecar) =>
      this.#do<'created' | 'exists'>(
        'createImage',
        path,
        () => {
          const known = this.imageFiles.get(path);
          if (known?.sidecar?.volumeHandle === sidecar.volumeHandle) return 'exists';
          if (known !== undefined) throw finalError(`Cannot create "${path}": it exists`, 'AlreadyExists');
          const sizeBytes = BigInt(sidecar.sizeBytes);
          this.imageFiles.set(path, { inode: this.#newId(), sizeBytes, content: 'hole', sidecar });
          return 'created';
        },
        'created',
      ),
    stat: (path) => {
      const image = this.imageFiles.get(path);
      if (image === undefined) return undefined;
      const { inode, sizeBytes, content } = image;
      return { device: 2049n, inode, sizeBytes, isAllHole: content === 'hole' };
    },
    moveToTrash: (path) => `${path}.trash`,
    replace: (path, volumeHandle) =>
      this.#do(
        'replaceImage',
        path,
        () => {
          const image = this.imageFiles.get(path);
          if (image?.sidecar?.volumeHandle !== volumeHandle) this.#violation(`replaced somebody else's image ${path}`);
          else if (this.loopDevices.find(path) !== undefined) this.#violation(`replaced an attached image ${path}`);
          else if (this.#everMounted.has(image.inode)) this.#violation(`replaced an image with data ${path}`);
          else this.imageFiles.set(path, { ...image, inode: this.#newId(), content: 'hole' });
        },
        undefined,
      ),
    remove: (path, volumeHandle) =>
      this.#do(
        'removeImage',
        path,
        () => {
          const image = this.imageFiles.get(path);
          if (image === undefined) return;
          if (image.sidecar?.volumeHandle !== volumeHandle) this.#violation(`removed somebody else's image ${path}`);
          if (this.loopDevices.find(path) !== undefined) this.#violation(`removed an attached image ${path}`);
          this.imageFiles.delete(path);
        },
        undefined,
      ),
  };
}

function optionsOf({ readOnly, allowDevices, extra = [] }: MountFlags): readonly string[] {
  return [readOnly ? 'ro' : 'rw', 'nosuid', ...(allowDevices === true ? [] : ['nodev']), ...extra];
}

function probed(content: Content): ProbeResult {
  switch (content) {
    case 'hole':
    case 'zeros':
      return { kind: 'blank' };
    case 'other':
      return { kind: 'other', description: 'bytes that nothing recognises' };
    default:
      return { kind: 'filesystem', fsType: content };
  }
}
