/**
 * The state of a machine in memory: mount table, loop devices, images and directories, what is on each device, and what a
 * test does to them from outside. It behaves as the kernel does.
 *
 * It is an oracle too: what must never be asked of a kernel (mkfs on a device that is not blank, unmounting a stranger's
 * mount, removing an image in use) is refused and kept in `violations`, which every test expects to be empty.
 */
import type { MountHolder } from '../../world/mount-holder.ts';
import type { MountInfo } from '../../world/mount-info.ts';
import { MountTable } from '../../world/mount-table.ts';
import type { ImageSidecar } from '../images.ts';
import { type Effect, EffectLog, type Fault, finalError } from './fake-effects.ts';

/** hole: never written; zeros: written, reads blank; otherwise the filesystem on it, or "other". */
export type Content = 'hole' | 'zeros' | 'ext4' | 'xfs' | 'btrfs' | 'other';

export interface FakeImage {
  readonly inode: bigint;
  sizeBytes: bigint;
  content: Content;
  /** So large the filesystem on it was made or grown. */
  filesystemBytes?: bigint;
  sidecar?: ImageSidecar;
  /** What a workload wrote last into the filesystem, or to the raw device. */
  data?: string;
}

interface FakeDisk {
  readonly deviceNumber: string;
  readonly canonical: string;
  sizeBytes: bigint;
  content: Content;
  filesystemBytes?: bigint;
  data?: string;
}

export interface FakeLoop {
  readonly inode: bigint;
  readonly path: string;
  readonly readOnly: boolean;
  /** The open file: it lives on when its name is gone. */
  readonly image: FakeImage;
  /** Somebody asked for its detach while it was in use. */
  isAutoclear?: boolean;
  /** Of the device: that of the file when it was attached, until it is told to look again. */
  sizeBytes: bigint;
}

interface FakeDirectory {
  kind: 'directory' | 'file';
  mode: number;
  isSealed: boolean;
}

export const rootMount: MountInfo = {
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

export class FakeKernel {
  readonly effects = new EffectLog();
  readonly violations: string[] = [];
  readonly imageFiles = new Map<string, FakeImage>();
  /** Images that were moved out of the way, by their new path. */
  readonly trash = new Map<string, FakeImage>();
  readonly entries = new Map<string, FakeDirectory>();
  readonly loops = new Map<string, FakeLoop>();
  /** Targets of NFS mounts that somebody uses. */
  readonly usedNfs = new Set<string>();
  /** Targets of NFS mounts that their server no longer knows. */
  readonly staleNfs = new Set<string>();
  /** Processes that keep something busy, by mount point or device number. */
  readonly users = new Map<string, readonly MountHolder[]>();
  readonly disks = new Map<string, FakeDisk>();
  /** Errors that an ext4 has counted, by the device's number. */
  readonly ext4Errors = new Map<string, number>();
  /** Devices that a child of the daemon has open: mkfs goes on after the daemon was killed. */
  readonly openDevices = new Set<string>();
  /** Rising numbers tell devices apart in a test's log; the kernel gives the lowest free one, and so again and again. */
  loopNumbers: 'rising' | 'lowestFree' = 'rising';
  /** Copies of images that have no name yet, by the name they shall have. */
  readonly copies = new Map<string, FakeImage>();
  /** Whether the filesystem of the images can share blocks. */
  canReflink = true;
  /** Mount points that are frozen. */
  readonly frozen = new Set<string>();
  /** Inodes of images that were ever mounted: somebody's data may be in them. */
  readonly everMounted = new Set<bigint>();
  readonly #foreign = new Set<bigint>();
  readonly #listeners = new Set<(table: MountTable) => void>();
  #mounts: MountInfo[] = [rootMount];
  #table = new MountTable([rootMount]);
  #isNotifying = false;
  #lastId = 100n;
  #nextLoop = 0;

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
    this.imageFiles.set(path, { inode: this.newId(), sizeBytes, content, sidecar });
  }

  /** An image that a user brought: nothing beside it says whose it is. */
  addForeignImage(path: string, content: Content, data?: string): void {
    const image = { inode: this.newId(), sizeBytes: 67_108_864n, content };
    this.imageFiles.set(path, data === undefined ? image : { ...image, data });
  }

  /** @param canonical the name that the mount table shows, when `path` is a link to it */
  addDisk(path: string, deviceNumber: string, content: Content, canonical = path): void {
    const disk = { deviceNumber, canonical, content, sizeBytes: 67_108_864n };
    this.disks.set(path, disk).set(canonical, disk);
  }

  /** What a storage server or a user does: the disk, or the image below its loop device, has another length. */
  resizeFromOutside(path: string, sizeBytes: bigint): void {
    const thing = this.imageFiles.get(path) ?? this.disks.get(path);
    if (thing === undefined) throw new Error(`nothing is at ${path}`);
    thing.sizeBytes = sizeBytes;
  }

  /** Bytes of the filesystem on an image or a disk, as it was made or grown here. */
  filesystemBytesOf(path: string): bigint | undefined {
    return (this.imageFiles.get(path) ?? this.disks.get(path))?.filesystemBytes;
  }

  /** What the kernel does to a filesystem after an error: no listener hears of it. */
  turnReadOnly(mountPoint: string): void {
    this.#setSuperOptions(mountPoint, ['ro']);
  }

  turnWritable(mountPoint: string): void {
    this.#setSuperOptions(mountPoint, ['rw']);
  }

  #setSuperOptions(mountPoint: string, superOptions: readonly string[]): void {
    this.#mounts = this.#mounts.map((mount) => (mount.mountPoint === mountPoint ? { ...mount, superOptions } : mount));
  }

  /** `losetup --detach`: in use, it goes at its last use. */
  detachFromOutside(devicePath: string): void {
    const loop = this.loops.get(devicePath);
    if (loop === undefined) throw new Error(`${devicePath} is free`);
    if (this.isMounted(devicePath)) loop.isAutoclear = true;
    else this.loops.delete(devicePath);
  }

  umountFromOutside(path: string): void {
    const index = this.#mounts.findLastIndex((mount) => mount.mountPoint === path);
    if (index === -1) throw new Error(`nothing is mounted at ${path}`);
    this.#mounts.splice(index, 1);
    this.#changed();
  }

  mountFromOutside(mountPoint: string, change: Partial<MountInfo> = {}): bigint {
    const id = this.addMount({ device: '0:99', fsType: 'tmpfs', source: 'theirs', ...change, mountPoint });
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
    this.openDevices.clear();
    this.#nextLoop += 10;
    this.#changed();
  }

  /** What a killed mkfs leaves behind: neither blank nor a filesystem. */
  cutOffFormat(device: string): void {
    const backing = this.backing(device);
    if (backing.content === 'hole' || backing.content === 'zeros') backing.content = 'other';
  }

  contentOf(path: string): Content | undefined {
    return (this.imageFiles.get(path) ?? this.disks.get(path))?.content;
  }

  mountsAt(path: string): readonly MountInfo[] {
    return this.#mounts.filter((mount) => mount.mountPoint === path);
  }

  /** Mount points except "/", in the order of their making. */
  get mountPoints(): readonly string[] {
    return this.#mounts.map((mount) => mount.mountPoint).filter((path) => path !== '/');
  }

  get mounts(): readonly MountInfo[] {
    return this.#mounts;
  }

  isForeign(mount: MountInfo): boolean {
    return this.#foreign.has(mount.id);
  }

  /** Every effect that happened, as "name subject". */
  get log(): string[] {
    return this.effects.entries;
  }

  get calls(): ReadonlyMap<Effect, number> {
    return this.effects.calls;
  }

  /** The effects since the last call. */
  takeLog(): readonly string[] {
    return this.effects.entries.splice(0);
  }

  next(effect: Effect, ...faults: readonly Fault[]): void {
    this.effects.next(effect, ...faults);
  }

  always(effect: Effect, fault: Fault): void {
    this.effects.always(effect, fault);
  }

  heal(effect: Effect): void {
    this.effects.heal(effect);
  }

  /** After this many more effects the daemon is dead, until `revive`. */
  crashAfter(effects: number): void {
    this.effects.dieAfter(effects);
  }

  get isDead(): boolean {
    return this.effects.isDead;
  }

  revive(): void {
    this.effects.dieAfter(Number.POSITIVE_INFINITY);
    this.#listeners.clear();
  }

  // --- what the ports do to it ----------------------------------------------------------------------------------------

  violation(text: string): never {
    this.violations.push(text);
    throw new Error(`oracle: ${text}`);
  }

  newId(): bigint {
    this.#lastId++;
    return this.#lastId;
  }

  addMount(change: Partial<MountInfo> & Pick<MountInfo, 'mountPoint'>): bigint {
    const id = this.newId();
    const options = ['rw', 'nosuid', 'nodev', 'relatime'];
    this.#mounts.push({ ...rootMount, options, source: '', ...change, id, parentId: 1n });
    this.#changed();
    return id;
  }

  replaceMount(mount: MountInfo, by: MountInfo | undefined): void {
    this.#mounts = this.#mounts.flatMap((other) => (other === mount ? (by ?? []) : other));
    this.#changed();
  }

  top(path: string): MountInfo | undefined {
    return this.#mounts.findLast((mount) => mount.mountPoint === path);
  }

  get table(): MountTable {
    return this.#table;
  }

  readTable(): MountTable {
    this.#table = new MountTable([...this.#mounts]);
    return this.#table;
  }

  /** True while a change of the table was not told yet. */
  get isNotifying(): boolean {
    return this.#isNotifying;
  }

  subscribe(listener: (table: MountTable) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One notice for the changes of one turn, as poll(2) gives it. */
  #changed(): void {
    if (this.#isNotifying) return;
    this.#isNotifying = true;
    setImmediate(() => {
      this.#isNotifying = false;
      const table = this.readTable();
      for (const listener of this.#listeners) listener(table);
    });
  }

  /** The thing behind a device path: an image through a loop device, or a disk. */
  backing(device: string): FakeImage | FakeDisk {
    const backing = this.loops.get(device)?.image ?? this.disks.get(device);
    if (backing === undefined) throw finalError(`Cannot use "${device}": no such device`, 'NotFound');
    return backing;
  }

  sizeOf(device: string): bigint {
    return this.loops.get(device)?.sizeBytes ?? this.disks.get(device)?.sizeBytes ?? 0n;
  }

  numberOf(device: string): string {
    return this.disks.get(device)?.deviceNumber ?? `7:${device.slice('/dev/loop'.length)}`;
  }

  isMounted(device: string): boolean {
    const number = this.numberOf(device);
    return this.#mounts.some((mount) => mount.device === number || mount.source === device);
  }

  newLoopPath(): string {
    if (this.loopNumbers === 'rising') {
      this.#nextLoop++;
      return `/dev/loop${this.#nextLoop - 1}`;
    }
    let number = 0;
    while (this.loops.has(`/dev/loop${number}`)) number++;
    return `/dev/loop${number}`;
  }
}
