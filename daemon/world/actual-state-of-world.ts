import type { AttachState, DeviceMountState, VolumeMountState } from './mount-state.ts';
import type { UniqueVolumeName } from './unique-volume-name.ts';
import { imagePathOf } from './volume-recipe.ts';
import type {
  AttachedDevice,
  IscsiRecord,
  LoopBacking,
  ObservedMount,
  PodVolumeRecord,
  VolumeRecord,
} from './volume-record.ts';

/** One volume as it is: its durable record and what is believed of the kernel. */
export interface ActualVolume {
  readonly record: VolumeRecord;
  readonly attachState: AttachState;
  readonly deviceMountState: DeviceMountState;
  /** By pod uid; has exactly the pods of the record. */
  readonly podStates: ReadonlyMap<string, VolumeMountState>;
}

/**
 * What is mounted, as far as it was read from the kernel. Written by operations and their executor, by drift on what no
 * operation is working on, and by reconstruction before the first pass. Each mark replaces the entry, so that readers may
 * keep what they were given.
 */
export class ActualStateOfWorld {
  readonly #volumes = new Map<UniqueVolumeName, ActualVolume>();
  /** By pod uid: whoever asks for a pod's volumes asks for those of each pod. */
  readonly #namesByPod = new Map<string, Set<UniqueVolumeName>>();
  #revision = 0;
  #images: { readonly revision: number; readonly paths: ReadonlySet<string> } | undefined;

  /** Rises with every mark. */
  get revision(): number {
    return this.#revision;
  }

  get volumes(): ReadonlyMap<UniqueVolumeName, ActualVolume> {
    return this.#volumes;
  }

  /** Images and devices that a volume here is on. */
  get imagePaths(): ReadonlySet<string> {
    if (this.#images?.revision !== this.#revision) {
      const paths = [...this.#volumes.values()].flatMap(({ record }) => imagePathOf(record.recipe) ?? []);
      this.#images = { revision: this.#revision, paths: new Set(paths) };
    }
    return this.#images.paths;
  }

  /** Whether a pod has a volume of this name mounted, or may have. */
  isInPods(name: string): boolean {
    return [...this.#volumes.values()].some(({ record }) =>
      Object.values(record.pods).some(({ specName }) => specName === name),
    );
  }

  get(name: UniqueVolumeName): ActualVolume | undefined {
    return this.#volumes.get(name);
  }

  /** Adds a volume, or replaces its record and keeps the states of pods that the new record still has. */
  addVolume(record: VolumeRecord): void {
    const old = this.#volumes.get(record.name);
    const states = Object.keys(record.pods).map((uid) => [uid, old?.podStates.get(uid) ?? 'VolumeNotMounted'] as const);
    this.#set({
      record,
      attachState: old?.attachState ?? 'NotAttached',
      deviceMountState: old?.deviceMountState ?? 'DeviceNotMounted',
      podStates: new Map(states),
    });
  }

  /** Takes over what reconstruction found; only before the first pass. */
  restoreVolume(volume: ActualVolume): void {
    this.#set(volume);
  }

  /** Drops a volume of which nothing is left. */
  forgetVolume(name: UniqueVolumeName): void {
    this.#indexPods(name, this.#volumes.get(name)?.record.pods, {});
    this.#volumes.delete(name);
    this.#revision++;
  }

  markVolumeAsAttached(name: UniqueVolumeName, attached: AttachedDevice): void {
    const volume = this.#require(name);
    const { isAttachUncertain: _settled, backingToAttach: _intent, ...record } = volume.record;
    this.#set({ ...volume, record: { ...record, attached }, attachState: 'Attached' });
  }

  /** The file of which the next effect makes a loop device. */
  markBackingToAttach(name: UniqueVolumeName, backingToAttach: LoopBacking): void {
    const volume = this.#require(name);
    this.#set({ ...volume, record: { ...volume.record, backingToAttach } });
  }

  markAttachAsUncertain(name: UniqueVolumeName): void {
    const volume = this.#require(name);
    this.#set({ ...volume, record: { ...volume.record, isAttachUncertain: true }, attachState: 'AttachUncertain' });
  }

  /** Ways to an iSCSI LUN, and who it is. */
  markIscsi(name: UniqueVolumeName, iscsi: IscsiRecord): void {
    const volume = this.#require(name);
    this.#set({ ...volume, record: { ...volume.record, iscsi } });
  }

  markVolumeAsDetached(name: UniqueVolumeName): void {
    const volume = this.#require(name);
    const { attached: _attached, isAttachUncertain: _settled, backingToAttach: _intent, ...record } = volume.record;
    this.#set({ ...volume, record, attachState: 'NotAttached' });
  }

  markDeviceAsMounted(name: UniqueVolumeName, deviceObserved: ObservedMount): void {
    const volume = this.#require(name);
    this.#set({ ...volume, record: { ...volume.record, deviceObserved }, deviceMountState: 'DeviceGloballyMounted' });
  }

  markDeviceAsUncertain(name: UniqueVolumeName): void {
    this.#set({ ...this.#require(name), deviceMountState: 'DeviceMountUncertain' });
  }

  markDeviceAsUnmounted(name: UniqueVolumeName): void {
    const volume = this.#require(name);
    const { deviceObserved: _observed, ...record } = volume.record;
    this.#set({ ...volume, record, deviceMountState: 'DeviceNotMounted' });
  }

  /** Adds the pod to the record, or replaces its part of it. */
  addPodToVolume(name: UniqueVolumeName, pod: PodVolumeRecord): void {
    const volume = this.#require(name);
    const pods = { ...volume.record.pods, [pod.pod.uid]: pod };
    this.addVolume({ ...volume.record, pods });
  }

  /** @param seen the mount as the table shows it (none for a plain directory), and when, RFC 3339 */
  markVolumeAsMounted(
    name: UniqueVolumeName,
    podUid: string,
    seen: { readonly observed: ObservedMount | undefined; readonly at: string },
  ): void {
    const volume = this.#require(name);
    const pod = volume.record.pods[podUid];
    if (pod === undefined) throw new Error(`Cannot mark "${name}" as mounted: pod "${podUid}" is not in its record`);
    const { observed: _old, ...rest } = pod;
    const { observed, at: mountedAt } = seen;
    const updated = observed === undefined ? { ...rest, mountedAt } : { ...rest, observed, mountedAt };
    this.#set({
      ...volume,
      record: { ...volume.record, pods: { ...volume.record.pods, [podUid]: updated } },
      podStates: new Map(volume.podStates).set(podUid, 'VolumeMounted'),
    });
  }

  markVolumeMountAs(
    name: UniqueVolumeName,
    podUid: string,
    state: 'VolumeMountUncertain' | 'VolumeNotMounted',
  ): ActualVolume {
    const volume = this.#require(name);
    return this.#set({ ...volume, podStates: new Map(volume.podStates).set(podUid, state) });
  }

  /** Drops the pod from the record: its target is proven empty. */
  removePodFromVolume(name: UniqueVolumeName, podUid: string): void {
    const volume = this.#require(name);
    const { [podUid]: _removed, ...pods } = volume.record.pods;
    this.addVolume({ ...volume.record, pods });
  }

  markFormat(name: UniqueVolumeName, format: VolumeRecord['format'] & object): void {
    const volume = this.#require(name);
    this.#set({ ...volume, record: { ...volume.record, format } });
  }

  /** Device and filesystem have at least this many bytes. */
  markVolumeAsExpanded(name: UniqueVolumeName, persistentVolume: string, bytes: bigint): void {
    const volume = this.#require(name);
    this.#set({ ...volume, record: { ...volume.record, expanded: { persistentVolume, bytes: bytes.toString() } } });
  }

  /** The image was replaced by a new one: no format of it is known. */
  forgetFormat(name: UniqueVolumeName): void {
    const volume = this.#require(name);
    const { format: _format, ...record } = volume.record;
    this.#set({ ...volume, record });
  }

  /** Volumes that a pod has or may have mounted. */
  volumesOfPod(podUid: string): readonly ActualVolume[] {
    return [...(this.#namesByPod.get(podUid) ?? [])].map((name) => this.#require(name));
  }

  /** Whether the pod has this volume, or any; mounted or on the way. */
  hasPod(podUid: string, name?: UniqueVolumeName): boolean {
    if (name === undefined) return this.#namesByPod.has(podUid);
    return this.#volumes.get(name)?.record.pods[podUid] !== undefined;
  }

  #require(name: UniqueVolumeName): ActualVolume {
    const volume = this.#volumes.get(name);
    if (volume === undefined) throw new Error(`Cannot mark "${name}": it is not in the actual state of world`);
    return volume;
  }

  #set(volume: ActualVolume): ActualVolume {
    const { name, pods } = volume.record;
    this.#indexPods(name, this.#volumes.get(name)?.record.pods, pods);
    this.#volumes.set(name, volume);
    this.#revision++;
    return volume;
  }

  #indexPods(name: UniqueVolumeName, before: VolumeRecord['pods'] = {}, after: VolumeRecord['pods']): void {
    if (before === after) return;
    for (const uid of Object.keys(after)) {
      const names = this.#namesByPod.get(uid);
      if (names === undefined) this.#namesByPod.set(uid, new Set([name]));
      else names.add(name);
    }
    for (const uid of Object.keys(before)) {
      if (after[uid] !== undefined) continue;
      const names = this.#namesByPod.get(uid);
      names?.delete(name);
      if (names?.size === 0) this.#namesByPod.delete(uid);
    }
  }
}
